//! Scans happen in processes of their own, so that a crash, an endless loop or memory without end
//! costs one object: the daemon starts itself again, and the child confines itself before the
//! first object.
//!
//! ```text
//! daemon                                         worker (the same program, `--scan-worker`)
//!   Setup, database as a descriptor ───────────►  maps the database
//!   one socket for each thread ────────────────►  confines itself, starts its threads
//!   ◄────────────────────────────────── Ready
//!
//!   on the socket of a thread, one object at a time:
//!   Order and content or a descriptor ─────────►  reads it
//!   ◄───────────────────────────────── DIGEST     … of what came as a descriptor
//!   GO, or DROP if the answer is known ────────►
//!   ◄───────────────────────────── Progress …
//!   ◄──────────────────────────────── Verdict
//! ```
//!
//! While a thread scans, anything that comes on its socket cancels the scan. The frames are those
//! of `esets-client`, and the daemon believes a worker no more than it does a client.

#[cfg(debug_assertions)]
mod fault;
mod link;
mod pool;
mod process;
mod serve;
mod slot;
mod start;

use std::sync::Arc;

use esets_policy::Edits;
use esets_policy::core::{Limits, Options, Reason, Verdict};
use serde::{Deserialize, Serialize};

pub(crate) use link::Link;
pub(crate) use pool::{Asked, Finding, Job, Payload, Pool, PoolSetup, Stage};
pub(crate) use process::WorkerLink;
pub(crate) use serve::serve;
pub(crate) use start::{Account, Starter};

/// How a worker starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Whether the first descriptor is a database.
    has_database: bool,
    /// Bytes of address space.
    memory: u64,
    /// Seconds of processor time.
    seconds: u64,
    /// How many sockets follow.
    threads: usize,
    /// Whether names of objects make it misbehave; only in debug builds.
    faults: bool,
}

/// What a worker says before its first object.
#[derive(Debug, Serialize, Deserialize)]
struct Ready {
    /// Protections that the system has not got.
    refused: Vec<String>,
    /// The version of the database.
    database: String,
}

/// What to do with one object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The last component of its name, which is all that a scan looks at.
    pub(crate) name: Vec<u8>,
    pub(crate) options: Options,
    pub(crate) limits: Limits,
    /// How long the scan may take.
    pub(crate) milliseconds: u64,
    /// Whether to tell how far it is.
    pub(crate) progress: bool,
    /// What is taken out of it before.
    #[serde(default)]
    pub(crate) cleaning: Option<Arc<Cleaning>>,
}

/// What is taken out of a message, by the verdict on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cleaning {
    pub(crate) edits: Edits,
    pub(crate) found: Verdict,
}

impl Order {
    /// Whether a worker takes so much.
    pub(crate) fn fits(&self) -> bool {
        serde_json::to_vec(self).is_ok_and(|bytes| bytes.len() <= LONGEST_ORDER as usize)
    }
}

/// The SHA-256 of an object's content.
pub(crate) type Digest = [u8; 32];

/// What frames between daemon and worker hold.
mod kind {
    pub(super) const SETUP: u8 = 1;
    /// The socket of one thread, as a descriptor.
    pub(super) const THREAD: u8 = 2;
    pub(super) const ORDER: u8 = 3;
    /// The content of the object before.
    pub(super) const CONTENT: u8 = 4;
    /// The object before comes as a descriptor.
    pub(super) const FILE: u8 = 5;
    pub(super) const GO: u8 = 6;
    pub(super) const DROP: u8 = 7;
    pub(super) const CANCEL: u8 = 8;
    pub(super) const READY: u8 = 129;
    pub(super) const DIGEST: u8 = 130;
    pub(super) const PROGRESS: u8 = 131;
    pub(super) const VERDICT: u8 = 132;
    /// The descriptor is not what a client may send; the text says what it is.
    pub(super) const UNFIT: u8 = 133;
}

/// The verdict on an object that was not scanned.
pub(crate) fn fault(why: impl Into<String>) -> Verdict {
    Verdict::not_scanned("", Reason::Fault(why.into().into()))
}

/// The argument that makes a worker of this program.
pub(crate) const ARGUMENT: &str = "--scan-worker";
/// The longest body from the daemon to a worker.
const LONGEST_ORDER: u32 = 1 << 20;
/// The longest body from a worker.
const LONGEST_VERDICT: u32 = 48 << 20;
