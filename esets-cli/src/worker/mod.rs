//! Every scan happens in a process of its own kind, so that a crash, an endless loop or memory
//! without end costs one object: the program starts itself again, hands over open files, and
//! gets verdicts back.
//!
//! ```text
//! program                                          worker (the same program, `--scan-worker`)
//!   Setup, database as a descriptor ──────────────►
//!   Rules, YARA rules as a descriptor ────────────►  opens both, confines itself
//!   ◄───────────────────────────────── Ready
//!   Job, file as a descriptor ────────────────────►  reads the file, scans it
//!   ◄────────────────────────────────  Verdict       … and so on, until the program hangs up
//! ```
//!
//! A frame is its length (32 bits, little endian) and JSON. Neither side believes a length: it
//! reads at most what it allows.

mod client;
#[cfg(debug_assertions)]
mod fault;
mod frame;
mod serve;

use std::env;
use std::fs::File;
use std::process::ExitCode;

use esets_policy::ScanPlan;
use esets_policy::core::{Limits, Options};
use serde::{Deserialize, Serialize};

use crate::pool::Looked;
use client::Worker;

/// What a scan needs: the settings, and the database as a file that can be mapped.
#[derive(Debug)]
pub(crate) struct Scan<'s> {
    pub(crate) setup: Setup,
    /// The compiled database; `None` for the embedded one.
    pub(crate) database: Option<&'s File>,
    /// Compiled YARA rules.
    pub(crate) rules: Option<&'s File>,
}

/// How a worker scans.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) options: Options,
    /// How long one scan may take; `None` for ever.
    pub(crate) seconds: Option<u64>,
    /// Passwords to try on encrypted members.
    pub(crate) passwords: Vec<String>,
}

impl Scan<'_> {
    /// Engines for a pool, each with a worker process.
    pub(crate) fn engines<'s>(&'s self) -> impl Fn() -> Box<Engine<'s>> + Sync {
        || {
            let mut worker = Worker::new(self);
            Box::new(move |name, file, size| worker.look(name, file, size))
        }
    }
}

/// An engine of a pool.
type Engine<'s> = dyn FnMut(&[u8], &File, u64) -> Looked + 's;

impl Setup {
    /// As the policy wants it.
    pub(crate) fn of(plan: &ScanPlan<'_>) -> Self {
        Self {
            limits: plan.limits().clone(),
            options: plan.options().clone(),
            seconds: Some(plan.time().as_secs()),
            passwords: Vec::new(),
        }
    }
}

/// What a worker says before its first scan.
#[derive(Debug, Serialize, Deserialize)]
struct Ready {
    /// Protections that the system has not got.
    refused: Vec<String>,
}

/// Whether there are YARA rules; they come as a descriptor.
#[derive(Debug, Serialize, Deserialize)]
struct Rules(bool);

/// One file, which comes as a descriptor.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    name: Vec<u8>,
    /// Its size when it was opened.
    size: u64,
}

/// Works for another process, if this one was started for that.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
    (env::args_os().nth(1)? == ARGUMENT).then(serve::serve)
}

const ARGUMENT: &str = "--scan-worker";
/// Set in tests of a debug build, it lets a worker misbehave; see `fault`.
#[cfg(debug_assertions)]
const FAULTS: &str = "ESETS_TEST_FAULTS";
