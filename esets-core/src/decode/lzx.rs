//! LZX as WIM images and packed files of NTFS have it: chunk by chunk, each with a window of its
//! own (Microsoft, "Windows Imaging File Format"; MS-PATCH for what it shares with cabinets).

use super::adc::copy;
use super::{Huffman, Words};
use crate::cursor::Cursor;
use crate::verdict::Reason;

/// Unpacks a chunk to `size` bytes; a whole one has 2^`order` bytes.
///
/// # Errors
/// [`Reason::Corrupt`] or [`Reason::Truncated`] if it is not as long, or no LZX.
pub(crate) fn lzx(packed: &[u8], order: u32, size: usize) -> Result<Vec<u8>, Reason> {
    let mut lzx = Lzx::new(packed, order)?;
    while lzx.output.len() < size {
        lzx.block(size)?;
    }
    let mut output = lzx.output;
    translate(&mut output);
    Ok(output)
}

struct Lzx<'a> {
    words: Words<'a>,
    order: u32,
    /// How long the codes of the symbols and of the long lengths are; blocks state the changes.
    symbols: Vec<u8>,
    lengths: Vec<u8>,
    /// The distances of the last three matches, the last one first.
    recent: [u32; 3],
    output: Vec<u8>,
}

/// The codes of one block.
struct Codes {
    symbols: Huffman,
    lengths: Huffman,
    /// For the three lowest bits of distances, in aligned blocks.
    aligned: Option<Huffman>,
}

impl<'a> Lzx<'a> {
    fn new(packed: &'a [u8], order: u32) -> Result<Self, Reason> {
        let slots = match order {
            15..=19 => order.saturating_mul(2),
            20 => 42,
            21 => 50,
            _ => return Err(Reason::corrupt("LZX window")),
        };
        let symbols = slots.saturating_mul(8).saturating_add(256);
        Ok(Self {
            words: Words::new(packed),
            order,
            symbols: vec![0; symbols as usize],
            lengths: vec![0; LENGTHS],
            recent: [1; 3],
            output: Vec::new(),
        })
    }

    fn block(&mut self, limit: usize) -> Result<(), Reason> {
        let kind = self.words.bits(3)?;
        let size = match self.words.bits(1)? {
            1 => 32 << 10,
            _ if self.order < 16 => self.words.bits(16)?,
            _ => self.words.bits(16)? << 8 | self.words.bits(8)?,
        };
        let room = limit.saturating_sub(self.output.len());
        let size = size as usize;
        if size == 0 || size > room {
            return Err(Reason::corrupt("LZX block size"));
        }
        let end = self.output.len().saturating_add(size);
        match kind {
            1 | 2 => {
                let codes = self.codes(kind == 2)?;
                while self.output.len() < end {
                    self.step(&codes, end)?;
                }
                Ok(())
            }
            3 => self.stored(size),
            _ => Err(Reason::corrupt("LZX block")),
        }
    }

    fn stored(&mut self, size: usize) -> Result<(), Reason> {
        self.words.align();
        let recent = &mut Cursor::new(self.words.bytes(12)?);
        self.recent = [recent.u32_le()?, recent.u32_le()?, recent.u32_le()?];
        self.output.extend_from_slice(self.words.bytes(size)?);
        if size % 2 == 1 && self.words.bytes(1).is_err() {
            return Ok(()); // Nothing needs the padding of the last block.
        }
        Ok(())
    }

    fn codes(&mut self, is_aligned: bool) -> Result<Codes, Reason> {
        let words = &mut self.words;
        let aligned = if is_aligned {
            let mut lengths = [0; 8];
            for length in &mut lengths {
                *length = short(words.bits(3)?);
            }
            Some(Huffman::new(&lengths)?)
        } else {
            None
        };
        let (literals, matches) = self.symbols.split_at_mut_checked(256).unwrap_or_default();
        update(literals, words)?;
        update(matches, words)?;
        update(&mut self.lengths, words)?;
        let symbols = Huffman::new(&self.symbols)?;
        Ok(Codes { symbols, lengths: Huffman::new(&self.lengths)?, aligned })
    }

    /// A literal, or a match.
    fn step(&mut self, codes: &Codes, end: usize) -> Result<(), Reason> {
        let symbol = self.words.symbol(&codes.symbols)?;
        let Some(symbol) = symbol.checked_sub(256) else {
            self.output.push(symbol.to_le_bytes()[0]);
            return Ok(());
        };
        let length = match symbol & 7 {
            7 => self.words.symbol(&codes.lengths)?.saturating_add(9),
            length => length.saturating_add(2),
        };
        let distance = match usize::from(symbol >> 3) {
            slot @ 0..=2 => {
                self.recent.swap(0, slot);
                self.recent[0]
            }
            slot => {
                let distance = self.distance(slot, codes)?;
                self.recent = [distance, self.recent[0], self.recent[1]];
                distance
            }
        };
        if usize::from(length) > end.saturating_sub(self.output.len()) {
            return Err(Reason::corrupt("LZX length"));
        }
        copy(&mut self.output, distance as usize, length.into())
    }

    fn distance(&mut self, slot: usize, codes: &Codes) -> Result<u32, Reason> {
        let (base, extra) = SLOTS.get(slot).copied().unwrap_or_default();
        let words = &mut self.words;
        let bits = match (&codes.aligned, extra.checked_sub(3)) {
            (Some(aligned), Some(high)) => {
                let bits = high_bits(words, high)?;
                bits << 3 | u32::from(words.symbol(aligned)?)
            }
            _ => high_bits(words, extra)?,
        };
        Ok(base.saturating_add(bits).saturating_sub(2))
    }
}

/// Up to 17 bits.
fn high_bits(words: &mut Words<'_>, count: u32) -> Result<u32, Reason> {
    match count.checked_sub(16) {
        Some(low @ 1..) => Ok(words.bits(16)? << low | words.bits(low)?),
        _ => words.bits(count),
    }
}

/// Reads changes to the lengths of codes, packed with a code of their own.
fn update(lengths: &mut [u8], words: &mut Words<'_>) -> Result<(), Reason> {
    let mut of_changes = [0; 20];
    for length in &mut of_changes {
        *length = short(words.bits(4)?);
    }
    let changes = Huffman::new(&of_changes)?;
    let mut lengths = lengths.iter_mut();
    while !lengths.as_slice().is_empty() {
        let symbol = words.symbol(&changes)?;
        let (run, change) = match symbol {
            17 => (words.bits(4)?.saturating_add(4), None),
            18 => (words.bits(5)?.saturating_add(20), None),
            19 => {
                let run = words.bits(1)?.saturating_add(4);
                (run, Some(words.symbol(&changes)?))
            }
            _ => (1, Some(symbol)),
        };
        // All of a run get what its first one does.
        let first = lengths.as_slice().first().copied().unwrap_or_default();
        let length = change.map_or(0, |change| less(first, change));
        lengths.by_ref().take(run as usize).for_each(|to| *to = length);
    }
    Ok(())
}

/// `length` less `change`, around 17.
fn less(length: u8, change: u16) -> u8 {
    short(u32::from(length).saturating_add(17).saturating_sub(change.into()) % 17)
}

fn short(bits: u32) -> u8 {
    bits.to_le_bytes()[0]
}

/// Undoes what is done to calls of x86 programs: the distance to what is called had been made a
/// place in a file of 12 000 000 bytes.
fn translate(output: &mut [u8]) {
    let end = output.len().saturating_sub(10);
    let mut at = 0;
    while let Some(found) = output.get(at..end).and_then(|rest| memchr::memchr(0xe8, rest)) {
        let call = at.saturating_add(found);
        at = call.saturating_add(5);
        let Some(field) = output.get_mut(call.saturating_add(1)..at) else { return };
        let Ok(bytes) = <[u8; 4]>::try_from(&*field) else { return };
        let place = i64::from(i32::from_le_bytes(bytes));
        let here = i64::try_from(call).unwrap_or_default();
        let relative = match place {
            0..FILE => place.saturating_sub(here),
            _ if place < 0 && place >= here.saturating_neg() => place.saturating_add(FILE),
            _ => continue,
        };
        let relative = i32::try_from(relative).unwrap_or_default().to_le_bytes();
        field.iter_mut().zip(relative).for_each(|(to, from)| *to = from);
    }
}

const LENGTHS: usize = 249;
const FILE: i64 = 12_000_000;

/// The first distance of each slot, and how many bits are added to it.
#[expect(clippy::indexing_slicing, reason = "an index past the end does not compile")]
static SLOTS: [(u32, u32); 50] = {
    let mut slots = [(0, 0); 50];
    let (mut slot, mut base) = (0_u32, 0);
    while slot < 50 {
        let extra = match slot {
            0..4 => 0,
            36.. => 17,
            _ => slot / 2 - 1,
        };
        slots[slot as usize] = (base, extra);
        base += 1 << extra;
        slot += 1;
    }
    slots
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slots_are_those_of_the_specification() {
        assert_eq!(SLOTS[3..6], [(3, 0), (4, 1), (6, 1)]);
        assert_eq!(SLOTS[36], (262_144, 17));
        assert_eq!(SLOTS[49], (1_966_080, 17));
    }

    #[test]
    fn a_stored_block_is_read_from_the_next_word() {
        let mut packed = b"\x00\x60\x00\x30".to_vec(); // kind 3, a size of 3
        packed.extend_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
        packed.extend_from_slice(b"abc");
        assert_eq!(lzx(&packed, 15, 3), Ok(b"abc".to_vec()));
    }

    #[test]
    fn calls_are_made_relative_again() {
        let mut code = *b"\xe8\x05\0\0\0\xe8\x05\0\0\0..........";
        translate(&mut code);
        assert_eq!(code, *b"\xe8\x05\0\0\0\xe8\0\0\0\0..........");
    }
}
