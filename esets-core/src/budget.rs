//! What the caller allows ([`Limits`]) and what is left of it ([`Budget`]).

use std::cell::Cell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::verdict::{Limit, Reason};

/// What one scan may use. Reaching a limit is a [`Reason`] in the verdict, never "clean".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The deepest nesting that is unpacked; the scanned object itself is at 0. Capped at 64.
    pub depth: u16,
    /// Bytes of unpacked members that may be in memory at a time.
    pub memory: u64,
    /// Bytes of one member; a longer one is scanned up to here and reported.
    pub object_size: u64,
    /// Objects in one scan, the scanned object included.
    pub objects: u32,
    /// Bytes unpacked in one scan per byte of the scanned object, once past
    /// [`Limits::RATIO_FLOOR`].
    pub ratio: u32,
    /// Ways in which one ambiguous container is read.
    pub readings: u16,
    /// Bytes scanned in one scan, counted anew for every object.
    pub scan_size: u64,
}

impl Limits {
    /// Bytes that may always be unpacked, however small the object: 64 MiB.
    pub const RATIO_FLOOR: u64 = 64 << 20;
    /// The deepest nesting that any caller can ask for, because nesting is recursion.
    pub const MAX_DEPTH: u16 = 64;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 32,
            memory: 256 << 20,
            object_size: 128 << 20,
            objects: 100_000,
            ratio: 250,
            readings: 32,
            scan_size: 1 << 30,
        }
    }
}

/// "The scan is over": only `?` can carry it, and the verdict already says why.
#[derive(Clone, Copy, Debug)]
pub struct Stop(());

/// Working memory taken from the budget; dropping it gives it back.
#[derive(Debug)]
pub struct Lease {
    pool: Rc<Cell<u64>>,
    bytes: u64,
}

impl Lease {
    /// Asks for `more` bytes on top; `false` if the budget has not got them.
    pub(crate) fn grow(&mut self, more: u64) -> bool {
        let left = self.pool.get().checked_sub(more);
        let Some(left) = left else { return false };
        self.pool.set(left);
        self.bytes = self.bytes.saturating_add(more);
        true
    }
}

impl Lease {
    /// All that it holds, as a lease of its own.
    pub(crate) fn split(&mut self) -> Self {
        Self { pool: Rc::clone(&self.pool), bytes: std::mem::take(&mut self.bytes) }
    }

    /// How much it holds.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Another lease from the same budget.
    ///
    /// # Errors
    /// [`Reason::Limit`] if the budget has not got it.
    pub(crate) fn another(&self, bytes: u64) -> Result<Self, Reason> {
        let mut lease = Self { pool: Rc::clone(&self.pool), bytes: 0 };
        if lease.grow(bytes) { Ok(lease) } else { Err(Reason::Limit(Limit::Memory)) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.set(self.pool.get().saturating_add(self.bytes));
    }
}

/// What is left of the [`Limits`]: one per scan, not `Clone`, built by the engine only.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    memory: Rc<Cell<u64>>,
    objects: u32,
    scan_size: u64,
    steps: u32,
    unpacked: u64,
    stopped: bool,
}

impl Budget {
    pub(crate) fn new(limits: Limits, size: u64) -> Self {
        let unpacked = size.saturating_mul(limits.ratio.into()).max(Limits::RATIO_FLOOR);
        Self {
            memory: Rc::new(Cell::new(limits.memory)),
            objects: limits.objects,
            scan_size: limits.scan_size,
            steps: MAX_STEPS,
            unpacked,
            stopped: false,
            limits,
        }
    }

    /// The scan goes on, or it was stopped before.
    pub(crate) fn go_on(&self) -> Result<(), Stop> {
        if self.stopped { Err(Stop(())) } else { Ok(()) }
    }

    /// Ends the scan for good.
    pub(crate) fn stop(&mut self) -> Stop {
        self.stopped = true;
        Stop(())
    }

    /// Takes one object from the budget.
    pub(crate) fn take_object(&mut self) -> Result<(), Reason> {
        self.objects = self.objects.checked_sub(1).ok_or(Reason::Limit(Limit::Objects))?;
        Ok(())
    }

    /// Whether a container at `depth` may be opened.
    pub(crate) fn allows_depth(&self, depth: u16) -> bool {
        depth < self.limits.depth.min(Limits::MAX_DEPTH)
    }

    /// Takes `bytes` that are about to be scanned.
    pub(crate) fn take_scanned(&mut self, bytes: u64) -> Result<(), Reason> {
        self.scan_size = self.scan_size.checked_sub(bytes).ok_or(Reason::Limit(Limit::ScanSize))?;
        Ok(())
    }

    /// Takes `bytes` that a decoder produced.
    pub(crate) fn take_unpacked(&mut self, bytes: u64) -> Result<(), Reason> {
        self.unpacked = self.unpacked.checked_sub(bytes).ok_or(Reason::Limit(Limit::Ratio))?;
        Ok(())
    }

    /// Takes up to `wanted` steps of a machine that runs what it scans.
    pub(crate) fn take_steps(&mut self, wanted: u32) -> u32 {
        let granted = wanted.min(self.steps);
        self.steps = self.steps.saturating_sub(granted);
        granted
    }

    /// How many bytes decoders may still produce.
    pub(crate) fn unpackable(&self) -> u64 {
        self.unpacked
    }

    /// A lease of no bytes yet.
    pub(crate) fn lease(&self) -> Lease {
        Lease { pool: Rc::clone(&self.memory), bytes: 0 }
    }
}

/// Steps of a machine in one scan: some ten seconds.
const MAX_STEPS: u32 = 512 << 20;
