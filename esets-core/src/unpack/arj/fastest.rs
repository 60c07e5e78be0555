//! ARJ's method 4: matches and literals in codes of counted ones (ARJ technical note, unarj.c).

use std::io::{self, Read};

/// Decodes `left` bytes.
pub(super) struct Fastest<'a> {
    data: &'a [u8],
    /// The place of the next bit, the highest of each byte first.
    at: usize,
    window: Vec<u8>,
    write: usize,
    /// How far back the rest of a match lies, and how long it is.
    copy: (usize, usize),
}

impl<'a> Fastest<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, window: vec![0; WINDOW], write: 0, copy: (0, 0) }
    }

    fn bits(&mut self, count: u32) -> Option<usize> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | usize::from(byte >> (7 & !self.at) & 1);
            self.at = self.at.saturating_add(1);
        }
        Some(value)
    }

    /// A number whose width the ones before it count, from `least` to `most` bits.
    fn number(&mut self, least: u32, most: u32) -> Option<usize> {
        let (mut width, mut base) = (least, 0_usize);
        while width < most && self.bits(1)? == 1 {
            base = base.saturating_add(1 << width);
            width = width.saturating_add(1);
        }
        Some(base.saturating_add(self.bits(width)?))
    }

    fn next(&mut self) -> Option<u8> {
        if self.copy.1 == 0 {
            match self.number(0, 7)? {
                0 => return u8::try_from(self.bits(8)?).ok(),
                length => {
                    let back = self.number(9, 13)?.saturating_add(1);
                    self.copy = (back, length.saturating_add(2));
                }
            }
        }
        self.copy.1 = self.copy.1.saturating_sub(1);
        let from = self.write.wrapping_sub(self.copy.0) % WINDOW;
        self.window.get(from).copied()
    }
}

impl Read for Fastest<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let mut count = 0_usize;
        for place in output {
            let Some(byte) = self.next() else { break };
            if let Some(cell) = self.window.get_mut(self.write) {
                *cell = byte;
            }
            self.write = self.write.saturating_add(1) % WINDOW;
            *place = byte;
            count = count.saturating_add(1);
        }
        Ok(count)
    }
}

const WINDOW: usize = 32 << 10;
