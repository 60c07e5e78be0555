//! LZW as ShrinkIt has it: blocks of 4096 bytes, runs packed first and then, if it helps, codes of
//! 9 to 12 bits, the lowest bit first.

use std::io::{self, Read};

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// Reads blocks one behind the other.
pub(super) struct Blocks<'a> {
    data: &'a [u8],
    /// Whether codes go on from block to block, and clear the table by one of them.
    is_second: bool,
    /// What a run begins with.
    mark: u8,
    table: Table,
    block: Vec<u8>,
    at: usize,
}

impl<'a> Blocks<'a> {
    /// LZW/1: a checksum stands in front, and each block has a table of its own.
    pub(super) fn first(data: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::new(data);
        cursor.take(3)?; // checksum, volume
        Self::open(cursor, false)
    }

    /// LZW/2.
    pub(super) fn second(data: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::new(data);
        cursor.take(1)?; // volume
        Self::open(cursor, true)
    }

    fn open(cursor: &mut Cursor<'a>, is_second: bool) -> Result<Self, Truncated> {
        let mark = cursor.u8()?;
        Ok(Self {
            data: cursor.rest(),
            is_second,
            mark,
            table: Table::new(),
            block: Vec::new(),
            at: 0,
        })
    }

    fn next_block(&mut self) -> Result<(), Reason> {
        let cursor = &mut Cursor::new(self.data);
        let word = cursor.u16_le()?;
        let (size, is_packed) = match self.is_second {
            true => (word & 0x1fff, word & 0x8000 != 0),
            false => (word, cursor.u8()? != 0),
        };
        let size = usize::from(size);
        if size > BLOCK {
            return Err(Reason::corrupt("block size"));
        }
        let packed = if !is_packed {
            self.table.clear();
            cursor.take(size)?.to_vec()
        } else if self.is_second {
            // The length counts the header.
            let length = cursor.u16_le()?.saturating_sub(4);
            let codes = cursor.take(length.into())?;
            let mut bits = Bits { data: codes, at: 0 };
            let packed = self.table.decode(&mut bits, size, true)?;
            self.table.clear_behind(&mut bits);
            packed
        } else {
            self.table.clear();
            let mut bits = Bits { data: cursor.rest(), at: 0 };
            let packed = self.table.decode(&mut bits, size, false)?;
            cursor.take(bits.at.div_ceil(8))?;
            packed
        };
        self.data = cursor.rest();
        self.at = 0;
        self.block = if size == BLOCK { packed } else { runs(&packed, self.mark)? };
        Ok(())
    }
}

impl Read for Blocks<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.block.len() && !output.is_empty() {
            if self.data.is_empty() {
                return Ok(0);
            }
            self.next_block().map_err(io::Error::other)?;
        }
        let count = self.block.get(self.at..).unwrap_or_default().read(output)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// Unpacks runs: the mark, a byte, and how often it is repeated.
fn runs(packed: &[u8], mark: u8) -> Result<Vec<u8>, Reason> {
    let cursor = &mut Cursor::new(packed);
    let mut output = Vec::new();
    while let Ok(byte) = cursor.u8() {
        let (byte, count) = match byte == mark {
            true => (cursor.u8()?, usize::from(cursor.u8()?).saturating_add(1)),
            false => (byte, 1),
        };
        output.resize(output.len().saturating_add(count), byte);
    }
    // Blocks are of one length, and the last one is filled up.
    if output.len() == BLOCK { Ok(output) } else { Err(Reason::corrupt("block size")) }
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn code(&mut self, width: u32) -> Option<u16> {
        let end = self.at.saturating_add(usize::try_from(width).ok()?);
        let mut word = [0; 4];
        let bytes = self.data.get(self.at / 8..end.div_ceil(8))?;
        word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let code = u32::from_le_bytes(word) >> (self.at % 8) & !(u32::MAX << width);
        self.at = end;
        u16::try_from(code).ok()
    }
}

/// The strings that codes stand for: each is an older one and a byte.
struct Table {
    prefixes: Vec<u16>,
    bytes: Vec<u8>,
    /// The code before, and the first byte of its string.
    last: Option<(u16, u8)>,
}

impl Table {
    fn new() -> Self {
        let mut table = Self { prefixes: Vec::new(), bytes: Vec::new(), last: None };
        table.clear();
        table
    }

    fn clear(&mut self) {
        self.prefixes.clear();
        self.prefixes.resize(FIRST, 0);
        self.bytes = (0..=255).chain([0]).collect();
        self.last = None;
    }

    /// How wide the next code is: wide enough for the one behind the newest.
    fn width(&self) -> u32 {
        let most = self.prefixes.len().saturating_add(1);
        usize::BITS.saturating_sub(most.leading_zeros()).clamp(9, 12)
    }

    /// Clears the table if that is all that is left to do in a block.
    fn clear_behind(&mut self, bits: &mut Bits<'_>) {
        if bits.code(self.width()) == Some(CLEAR) {
            self.clear();
        }
    }

    fn decode(
        &mut self,
        bits: &mut Bits<'_>,
        size: usize,
        clears: bool,
    ) -> Result<Vec<u8>, Reason> {
        let mut output = Vec::new();
        while output.len() < size {
            let code = bits.code(self.width()).ok_or(Reason::Truncated)?;
            if clears && code == CLEAR {
                self.clear();
                continue;
            }
            self.step(code, &mut output)?;
        }
        if output.len() > size { Err(Reason::corrupt("block size")) } else { Ok(output) }
    }

    fn step(&mut self, code: u16, output: &mut Vec<u8>) -> Result<(), Reason> {
        let known = self.prefixes.len();
        let mut string = Vec::new();
        let mut at = code;
        if usize::from(code) >= known {
            let (last, first) = self.last.filter(|_| usize::from(code) == known).ok_or(DAMAGE)?;
            string.push(first);
            at = last;
        }
        // A prefix is older than its string, so this ends.
        while at > 255 {
            string.push(self.bytes.get(usize::from(at)).copied().ok_or(DAMAGE)?);
            at = self.prefixes.get(usize::from(at)).copied().ok_or(DAMAGE)?;
        }
        let first = at.to_le_bytes()[0];
        string.push(first);
        if let Some((last, _)) = self.last
            && known < MOST
        {
            self.prefixes.push(last);
            self.bytes.push(first);
        }
        self.last = Some((code, first));
        output.extend(string.iter().rev());
        Ok(())
    }
}

const BLOCK: usize = 4096;
const CLEAR: u16 = 256;
const FIRST: usize = 257;
const MOST: usize = 4096;
const DAMAGE: Reason = Reason::corrupt("code");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_unpacked_to_a_whole_block() {
        let packed: Vec<u8> = [0xdb, b'a', 255].repeat(16);
        assert_eq!(runs(&packed, 0xdb), Ok(vec![b'a'; BLOCK]));
        assert!(runs(b"abc", 0xdb).is_err());
    }

    #[test]
    fn a_code_that_is_not_yet_known_is_refused() {
        assert_eq!(Table::new().step(257, &mut Vec::new()), Err(DAMAGE));
    }
}
