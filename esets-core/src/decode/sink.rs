//! Takes what a decoder writes that cannot be read from, within the budget.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use crate::budget::Lease;
use crate::verdict::{Limit, Reason};

/// Where a decoder writes one member to; the clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Sink(Rc<RefCell<Content>>);

#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    lease: Lease,
    /// How many bytes are kept, and the limit that this is.
    room: u64,
    limit: Limit,
    cut: Option<Limit>,
    /// How many bytes are swallowed behind those.
    drain: u64,
}

impl Sink {
    /// A sink that keeps `room` bytes, which is the `limit`, paid for by `lease`.
    pub(crate) fn new(room: u64, limit: Limit, lease: Lease) -> Self {
        let content = Content { bytes: Vec::new(), lease, room, limit, cut: None, drain: 0 };
        Self(Rc::new(RefCell::new(content)))
    }

    /// Swallows `drain` bytes behind those it keeps, because the next member builds upon them.
    pub(crate) fn draining(self, drain: u64) -> Self {
        self.0.borrow_mut().drain = drain;
        self
    }

    /// Whether nothing has been written.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().bytes.is_empty()
    }

    /// What was written, with its lease, and the limit that cut it.
    pub(crate) fn take(&self) -> (Vec<u8>, Lease, Option<Reason>) {
        let content = &mut *self.0.borrow_mut();
        let bytes = std::mem::take(&mut content.bytes);
        (bytes, content.lease.split(), content.cut.map(Reason::Limit))
    }
}

impl Content {
    /// Keeps what there is room and memory for.
    fn keep(&mut self, bytes: &[u8]) {
        let room = self.room.saturating_sub(self.bytes.len() as u64);
        let kept = usize::try_from(room).ok().and_then(|room| bytes.get(..room)).unwrap_or(bytes);
        let free = self.bytes.capacity().saturating_sub(self.bytes.len());
        if free < kept.len() {
            let more = kept.len().max(self.bytes.capacity() / 2);
            if !self.lease.grow(more as u64) {
                self.cut = Some(Limit::Memory);
                return;
            }
            self.bytes.reserve_exact(more);
        }
        self.bytes.extend_from_slice(kept);
        if kept.len() < bytes.len() {
            self.cut = Some(self.limit);
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let content = &mut *self.0.borrow_mut();
        if content.cut.is_none() {
            content.keep(bytes);
        }
        let Some(limit) = content.cut else { return Ok(bytes.len()) };
        match content.drain.checked_sub(bytes.len() as u64) {
            Some(left) => content.drain = left,
            None => return Err(io::Error::other(Reason::Limit(limit))),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
