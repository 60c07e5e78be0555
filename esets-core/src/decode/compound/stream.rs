//! Reads the content of a stream, sector by sector.

use std::io::{self, Read};

use crate::cursor::Chain;
use crate::verdict::Reason;

use super::directory::NONE;
use super::{Compound, LAST_SECTOR, LOOP};

/// Reads one stream along its chain.
pub(crate) struct Stream<'c> {
    compound: &'c Compound<'c>,
    chain: Chain,
    is_mini: bool,
    next: u32,
    left: u64,
    here: &'c [u8],
}

impl<'c> Stream<'c> {
    pub(super) fn new(compound: &'c Compound<'c>, is_mini: bool, start: u32, size: u64) -> Self {
        Self { compound, chain: Chain::default(), is_mini, next: start, left: size, here: &[] }
    }

    /// Steps to the next sector.
    fn advance(&mut self) -> Result<(), Reason> {
        if self.next >= LAST_SECTOR {
            return Err(Reason::corrupt("sector chain"));
        }
        if !self.chain.step(self.next.into()) {
            return Err(LOOP);
        }
        let sector = self.next;
        let after = if self.is_mini {
            self.here = self.compound.mini_sector(sector);
            self.compound.lookup(&self.compound.mini().table, sector)
        } else {
            self.here = self.compound.sector(sector);
            self.compound.after(sector)
        };
        if self.here.is_empty() {
            return Err(Reason::Truncated);
        }
        self.compound.count(self.here.len())?;
        self.next = after.unwrap_or(NONE);
        Ok(())
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(room) = buffer.get_mut(done..).filter(|room| !room.is_empty()) {
            if self.left == 0 {
                break;
            }
            if self.here.is_empty() {
                match self.advance() {
                    Ok(()) => {}
                    Err(_) if done > 0 => break,
                    Err(reason) => return Err(io::Error::other(reason)),
                }
            }
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(room.len());
            let (taken, rest) = self.here.split_at(wanted.min(self.here.len()));
            room.iter_mut().zip(taken).for_each(|(to, from)| *to = *from);
            self.here = rest;
            self.left = self.left.saturating_sub(taken.len() as u64);
            done = done.saturating_add(taken.len());
        }
        Ok(done)
    }
}
