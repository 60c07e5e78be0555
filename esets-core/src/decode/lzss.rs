//! LZSS with a window of 4 KiB, as in Microsoft's COMPRESS.EXE.

use std::io::{self, Read};

use crate::cursor::Cursor;

/// Unpacks groups of eight items: a byte of flags, then a literal byte for each bit set and a
/// place and length for each other.
pub(crate) struct Lzss<'a> {
    input: Cursor<'a>,
    window: Vec<u8>,
    at: usize,
    flags: u8,
    flags_left: u8,
    /// Where in the window the rest of a match stands, and how long it is.
    copy: (usize, usize),
}

impl<'a> Lzss<'a> {
    /// A decoder that writes first at `start` of its window of blanks.
    pub(crate) fn new(input: &'a [u8], start: usize) -> Self {
        Self {
            input: Cursor::new(input),
            window: vec![b' '; WINDOW],
            at: start,
            flags: 0,
            flags_left: 0,
            copy: (0, 0),
        }
    }

    /// The next byte, `None` at the end.
    fn next(&mut self) -> Option<u8> {
        while self.copy.1 == 0 {
            if self.flags_left == 0 {
                self.flags = self.input.u8().ok()?;
                self.flags_left = 8;
            }
            let is_literal = self.flags & 1 == 1;
            self.flags >>= 1;
            self.flags_left = self.flags_left.saturating_sub(1);
            if is_literal {
                return self.input.u8().ok();
            }
            let low = usize::from(self.input.u8().ok()?);
            let high = usize::from(self.input.u8().ok()?);
            self.copy = (low | (high & 0xf0) << 4, (high & 0x0f).saturating_add(3));
        }
        let (from, left) = self.copy;
        self.copy = (from.saturating_add(1) % WINDOW, left.saturating_sub(1));
        self.window.get(from).copied()
    }
}

impl Read for Lzss<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let mut count = 0_usize;
        for place in output {
            let Some(byte) = self.next() else { break };
            if let Some(cell) = self.window.get_mut(self.at) {
                *cell = byte;
            }
            self.at = self.at.saturating_add(1) % WINDOW;
            *place = byte;
            count = count.saturating_add(1);
        }
        Ok(count)
    }
}

const WINDOW: usize = 4096;
