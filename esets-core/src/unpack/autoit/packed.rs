//! The compression of compiled scripts: literals, and matches within 32 KiB.

use std::io;

use crate::decode::{Bits, Bytewise};
use crate::verdict::Reason;

/// Decodes as many bytes as are stated.
pub(super) struct Packed<'a> {
    bits: Bits<'a>,
    /// The bit before a literal.
    literal: u32,
    window: Vec<u8>,
    written: u32,
    size: u32,
    /// The distance of the match that is copied, and how much of it is left.
    distance: usize,
    left: u32,
}

impl<'a> Packed<'a> {
    pub(super) fn reader(data: &'a [u8], literal: u32, size: u32) -> Bytewise<Self> {
        Bytewise::new(Self {
            bits: Bits::new(data),
            literal,
            window: vec![0; WINDOW],
            written: 0,
            size,
            distance: 0,
            left: 0,
        })
    }

    fn byte(&mut self) -> io::Result<u8> {
        if self.left == 0 && self.bits.take(1)? == self.literal {
            return Ok(self.bits.take(8)?.to_le_bytes()[0]);
        }
        if self.left == 0 {
            let distance = self.bits.take(15)?;
            self.left = self.length()?;
            if distance == 0 || distance > self.written {
                return Err(io::Error::other(Reason::corrupt("distance")));
            }
            self.distance = distance as usize;
        }
        self.left = self.left.saturating_sub(1);
        let from = (self.written as usize).wrapping_sub(self.distance) % WINDOW;
        Ok(self.window.get(from).copied().unwrap_or_default())
    }

    /// The length of a match, in steps that grow.
    fn length(&mut self) -> io::Result<u32> {
        let mut length = 3_u32;
        for (bits, most) in [(2, 3), (3, 7), (5, 31), (8, 255)] {
            let more = self.bits.take(bits)?;
            length = length.saturating_add(more);
            if more < most {
                return Ok(length);
            }
        }
        loop {
            let more = self.bits.take(8)?;
            length = length.saturating_add(more);
            if more < 255 {
                return Ok(length);
            }
        }
    }
}

impl Iterator for Packed<'_> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        if self.written >= self.size {
            return None;
        }
        let byte = self.byte();
        if let Ok(byte) = byte {
            if let Some(cell) = self.window.get_mut(self.written as usize % WINDOW) {
                *cell = byte;
            }
            self.written = self.written.saturating_add(1);
        }
        Some(byte)
    }
}

const WINDOW: usize = 32 << 10;
