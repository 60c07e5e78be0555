//! Reading what a decoder makes, within the budget.

use std::io::{self, Read};

use super::Children;
use crate::budget::{Lease, Stop};
use crate::scan::fenced;
use crate::verdict::{Limit, Reason};

impl Children<'_> {
    /// Reads to the end, or to the first limit.
    pub(super) fn read(
        &mut self,
        reader: &mut dyn Read,
        chunk: &mut [u8],
        content: &mut Vec<u8>,
        lease: &mut Lease,
    ) -> Result<(), Cut> {
        loop {
            if let Some(interruption) = self.scan.interrupt.check() {
                return Err(Cut::Scan(interruption.into()));
            }
            let count = read_chunk(reader, chunk)?;
            let Some(fresh) = chunk.get(..count).filter(|fresh| !fresh.is_empty()) else {
                return Ok(());
            };
            let budget = &mut self.scan.ledger.budget;
            let room = budget.limits.object_size.saturating_sub(content.len() as u64);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let kept = fresh.get(..room).unwrap_or(fresh);
            make_room(content, kept.len(), lease)?;
            budget.take_unpacked(kept.len() as u64).map_err(Cut::Scan)?;
            content.extend_from_slice(kept);
            if fresh.len() > room {
                return Err(Cut::Object(Reason::Limit(Limit::ObjectSize)));
            }
        }
    }

    /// Reads over the rest of a member, because the next builds upon it, within the budget.
    ///
    /// Errors of the reader are the caller's.
    pub(crate) fn pass(&mut self, reader: &mut dyn Read) -> Result<(), Stop> {
        let mut chunk = self.scan.ledger.take_chunk();
        let outcome = self.pass_with(reader, &mut chunk);
        self.scan.ledger.chunk = chunk;
        outcome.map_err(|reason| self.scan.stop(self.id, reason))
    }

    fn pass_with(&mut self, reader: &mut dyn Read, chunk: &mut [u8]) -> Result<(), Reason> {
        loop {
            if let Some(interruption) = self.scan.interrupt.check() {
                return Err(interruption.into());
            }
            let Ok(count @ 1..) = read_chunk(reader, chunk) else { return Ok(()) };
            self.scan.ledger.budget.take_unpacked(count as u64)?;
        }
    }
}

/// Why reading a member ended before its end: only this one, or the whole scan with it.
pub(super) enum Cut {
    Object(Reason),
    Scan(Reason),
}

/// Makes room for `more` bytes, by halves so that growing stays linear, and leases all of it.
fn make_room(content: &mut Vec<u8>, more: usize, lease: &mut Lease) -> Result<(), Cut> {
    if content.capacity().saturating_sub(content.len()) >= more {
        return Ok(());
    }
    let more = more.max(content.capacity() / 2);
    if !lease.grow(more as u64) {
        return Err(Cut::Object(Reason::Limit(Limit::Memory)));
    }
    content.reserve_exact(more);
    Ok(())
}

/// One read, with panics fenced so that what came before is still scanned.
fn read_chunk(reader: &mut dyn Read, chunk: &mut [u8]) -> Result<usize, Cut> {
    loop {
        match fenced(|| reader.read(chunk)) {
            Ok(Ok(count)) => return Ok(count.min(chunk.len())),
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Err(error)) => return Err(Cut::Object(Reason::from_io(&error))),
            Err(fault) => return Err(Cut::Object(Reason::Fault(fault.into()))),
        }
    }
}
