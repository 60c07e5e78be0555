//! Canonical Huffman codes, as LZX, XPRESS and LZMS use them: shorter codes come before longer
//! ones, codes of one length stand in the order of their symbols.

use crate::verdict::Reason;

/// A code of up to 16 bits, for the symbols 0 to 4095.
#[derive(Debug)]
pub(crate) struct Huffman {
    /// Symbol and length for each beginning of a code, length 0 where that is not enough to tell.
    quick: Vec<(u16, u8)>,
    /// How many codes there are of each length.
    counts: [u16; 17],
    /// The symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl Huffman {
    /// The code in which symbol n has `lengths[n]` bits, or does not occur if that is 0.
    ///
    /// # Errors
    /// [`Reason::Corrupt`] if there are more codes than those lengths have room for.
    pub(crate) fn new(lengths: &[u8]) -> Result<Self, Reason> {
        let mut counts = [0_u16; 17];
        for length in lengths {
            let count = counts.get_mut(usize::from(*length)).ok_or(DAMAGE)?;
            *count = count.saturating_add(1);
        }
        counts[0] = 0;
        let mut symbols: Vec<u16> = (0..).take(lengths.len()).collect();
        let length = |symbol: u16| lengths.get(usize::from(symbol)).copied().unwrap_or_default();
        symbols.retain(|symbol| length(*symbol) > 0);
        symbols.sort_by_key(|symbol| length(*symbol));
        let mut quick = Vec::new();
        let mut room = 1_u32 << 16;
        for symbol in &symbols {
            let length = length(*symbol);
            let share = 1_u32 << 16_u32.saturating_sub(length.into());
            room = room.checked_sub(share).ok_or(DAMAGE)?;
            if u32::from(length) <= QUICK {
                let places = 1_usize << QUICK.saturating_sub(length.into());
                quick.resize(quick.len().saturating_add(places), (*symbol, length));
            }
        }
        quick.resize(QUICK_SIZE, (0, 0));
        Ok(Self { quick, counts, symbols })
    }

    /// The symbol that the next bits, the first of which is the highest, begin with, and its
    /// length; `None` if there is none.
    pub(crate) fn decode(&self, bits: u16) -> Option<(u16, u32)> {
        match self.quick.get(usize::from(bits >> (16 - QUICK))) {
            Some((symbol, length @ 1..)) => Some((*symbol, (*length).into())),
            _ => self.search(bits),
        }
    }

    fn search(&self, bits: u16) -> Option<(u16, u32)> {
        let (mut first, mut index) = (0_u32, 0_usize);
        for (length, count) in (0_u32..).zip(&self.counts) {
            let code = u32::from(bits) >> 16_u32.saturating_sub(length);
            let place = code.checked_sub(first)?;
            if place < u32::from(*count) {
                let symbol = self.symbols.get(index.saturating_add(usize::try_from(place).ok()?));
                return symbol.map(|symbol| (*symbol, length));
            }
            first = first.saturating_add((*count).into()) << 1;
            index = index.saturating_add((*count).into());
        }
        None
    }
}

/// Codes of up to so many bits are found in one step.
const QUICK: u32 = 9;
const QUICK_SIZE: usize = 1 << QUICK;
const DAMAGE: Reason = Reason::corrupt("Huffman code");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_codes_are_told_apart() {
        let lengths: Vec<u8> = (1..=15).chain([15]).collect();
        let code = Huffman::new(&lengths).unwrap();
        assert_eq!(code.decode(0), Some((0, 1)));
        assert_eq!(code.decode(0b1111_1111_1111_1100), Some((14, 15)));
        assert_eq!(code.decode(0b1111_1111_1111_1111), Some((15, 15)));
    }

    #[test]
    fn what_no_code_begins_is_no_symbol() {
        let code = Huffman::new(&[0, 2, 0, 2]).unwrap();
        assert_eq!(code.decode(0x4000), Some((3, 2)));
        assert_eq!(code.decode(0x8000), None);
        assert_eq!(Huffman::new(&[]).unwrap().decode(0), None);
    }

    #[test]
    fn too_many_codes_are_refused() {
        assert!(Huffman::new(&[1, 1, 1]).is_err());
        assert!(Huffman::new(&[17]).is_err());
    }
}
