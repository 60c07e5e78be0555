//! LZW as PDF has it from TIFF: ISO 32000-2, 7.4.4; codes of 9 to 12 bits, the highest bit first.

use std::io::{self, Read};

use super::filter::{NextByte, byte};
use crate::verdict::Reason;

/// Decodes one stream.
pub(super) struct Lzw<R> {
    input: R,
    /// Whether codes become longer one code before they must.
    is_early: bool,
    bits: u32,
    bit_count: u32,
    /// For every code above the bytes, the code before it and its last byte.
    table: Vec<(u16, u8)>,
    previous: Option<u16>,
    /// What is decoded and not yet given out, the next byte last.
    ready: Vec<u8>,
    is_over: bool,
}

impl<R: Read> Lzw<R> {
    pub(super) fn new(input: R, is_early: bool) -> Self {
        Self {
            input,
            is_early,
            bits: 0,
            bit_count: 0,
            table: Vec::new(),
            previous: None,
            ready: Vec::new(),
            is_over: false,
        }
    }

    /// The next code.
    fn code(&mut self) -> io::Result<u16> {
        let next = self.table.len().saturating_add(FIRST);
        let reached = next.saturating_add(usize::from(self.is_early));
        let width = match reached {
            0..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        while self.bit_count < width {
            self.bits = self.bits << 8 | u32::from(byte(&mut self.input)?);
            self.bit_count = self.bit_count.saturating_add(8);
        }
        self.bit_count = self.bit_count.saturating_sub(width);
        let code = self.bits >> self.bit_count & (1_u32 << width).wrapping_sub(1);
        Ok(u16::try_from(code).unwrap_or(END))
    }

    fn step(&mut self) -> io::Result<()> {
        match self.code()? {
            END => self.is_over = true,
            CLEAR => {
                self.table.clear();
                self.previous = None;
            }
            code => self.expand(code)?,
        }
        Ok(())
    }

    fn expand(&mut self, code: u16) -> io::Result<()> {
        let corrupt = || io::Error::other(Reason::corrupt("LZW data"));
        let known = self.table.len().saturating_add(FIRST);
        match self.previous {
            // The code that is made only now: what came before, and its first byte again.
            Some(previous) if usize::from(code) == known => {
                self.ready.push(0);
                let first = self.spell(previous).ok_or_else(corrupt)?;
                if let Some(last) = self.ready.first_mut() {
                    *last = first;
                }
                self.learn(previous, first);
            }
            previous => {
                let first = self.spell(code).ok_or_else(corrupt)?;
                if let Some(previous) = previous {
                    self.learn(previous, first);
                }
            }
        }
        self.previous = Some(code);
        Ok(())
    }

    /// Makes the bytes of a code ready, from the last to the first; the first one.
    fn spell(&mut self, mut code: u16) -> Option<u8> {
        // A code is made of ones before it, so this ends.
        while let Some(index) = usize::from(code).checked_sub(FIRST) {
            let (before, last) = *self.table.get(index)?;
            self.ready.push(last);
            code = before;
        }
        let first = u8::try_from(code).ok()?;
        self.ready.push(first);
        Some(first)
    }

    fn learn(&mut self, previous: u16, first: u8) {
        if self.table.len() < MAX_TABLE {
            self.table.push((previous, first));
        }
    }
}

impl<R: Read> NextByte for Lzw<R> {
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        while self.ready.is_empty() && !self.is_over {
            self.step()?;
        }
        Ok(self.ready.pop())
    }
}

const CLEAR: u16 = 256;
const END: u16 = 257;
/// The first code that data make.
const FIRST: usize = 258;
const MAX_TABLE: usize = 4096 - FIRST;

#[cfg(test)]
mod tests {
    use super::super::filter::Bytewise;
    use super::*;
    use crate::decode::head;

    #[test]
    fn decodes_the_example_of_the_standard() {
        let bytes = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        let decoded = head(&mut Bytewise::new(Lzw::new(&bytes[..], true)), 1000);
        assert_eq!(decoded, [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
    }
}
