//! The Huffman codes of LZMS, which follow what was decoded, and the numbers they stand for.

use crate::cursor::Truncated;
use crate::decode::Huffman;
use crate::verdict::Reason;

/// Reads words from the last on, the highest bit of each first.
pub(super) struct Backwards<'a> {
    words: std::iter::Rev<std::slice::Iter<'a, [u8; 2]>>,
    missing: u32,
    bits: u64,
    count: u32,
}

impl<'a> Backwards<'a> {
    pub(super) fn new(words: &'a [[u8; 2]]) -> Self {
        Self { words: words.iter().rev(), missing: 0, bits: 0, count: 0 }
    }

    /// At least `count` of the next bits, from the highest on.
    fn peek(&mut self, count: u32) -> Result<u64, Truncated> {
        while self.count < count {
            let word = self.words.next();
            self.missing = self.missing.saturating_add(u32::from(word.is_none()));
            let word = word.map_or(0, |word| u64::from(u16::from_le_bytes(*word)));
            self.bits |= word << 48_u32.saturating_sub(self.count);
            self.count = self.count.saturating_add(16);
        }
        if self.missing > 1 { Err(Truncated) } else { Ok(self.bits) }
    }

    fn drop(&mut self, count: u32) {
        self.bits <<= count;
        self.count = self.count.saturating_sub(count);
    }

    /// The next bits, up to 32, as a number.
    fn number(&mut self, count: u32) -> Result<u32, Truncated> {
        let bits = self.peek(count)?.checked_shr(64_u32.saturating_sub(count)).unwrap_or_default();
        self.drop(count);
        Ok(u32::try_from(bits).unwrap_or_default())
    }
}

/// A code that is made anew, from how often its symbols came, every so many symbols.
pub(super) struct Adaptive {
    code: Huffman,
    counts: Vec<u32>,
    left: u32,
    every: u32,
}

impl Adaptive {
    pub(super) fn new(symbols: usize, every: u32) -> Result<Self, Reason> {
        let counts = vec![1; symbols];
        Ok(Self { code: Huffman::new(&lengths(&counts))?, counts, left: every, every })
    }

    pub(super) fn next(&mut self, bits: &mut Backwards<'_>) -> Result<u16, Reason> {
        let peeked = bits.peek(16)? >> 48;
        let decoded = self.code.decode(u16::try_from(peeked).unwrap_or_default());
        let (symbol, length) = decoded.ok_or(Reason::corrupt("Huffman code"))?;
        bits.drop(length);
        if let Some(count) = self.counts.get_mut(usize::from(symbol)) {
            *count = count.saturating_add(1);
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.left = self.every;
            self.code = Huffman::new(&lengths(&self.counts))?;
            self.counts.iter_mut().for_each(|count| *count = (*count / 2).saturating_add(1));
        }
        Ok(symbol)
    }
}

/// The number that a symbol of `codes` and the bits behind it stand for.
pub(super) fn number(
    codes: &mut Adaptive,
    slots: &[(u32, u32)],
    bits: &mut Backwards<'_>,
) -> Result<u32, Reason> {
    let slot = usize::from(codes.next(bits)?);
    let (first, extra) = slots.get(slot).copied().unwrap_or_default();
    Ok(first.saturating_add(bits.number(extra)?))
}

/// The lengths of a Huffman code. Both sides must make the same of many possible ones: what is
/// joined first are, among equals, symbols, and of these the lower ones.
fn lengths(counts: &[u32]) -> Vec<u8> {
    let mut symbols: Vec<usize> = (0..counts.len()).collect();
    symbols.sort_by_key(|symbol| counts.get(*symbol));
    let leaves = symbols.iter().filter_map(|symbol| counts.get(*symbol)).copied();
    let mut lengths = vec![0; counts.len()];
    let mut of_length = depths(leaves.collect());
    let mut length = LONGEST;
    for symbol in symbols {
        while length > 1 && of_length.get(length) == Some(&0) {
            length = length.saturating_sub(1);
        }
        if let Some(count) = of_length.get_mut(length) {
            *count = count.saturating_sub(1);
        }
        if let Some(place) = lengths.get_mut(symbol) {
            *place = u8::try_from(length).unwrap_or_default();
        }
    }
    lengths
}

/// How many codes of each length there are, for symbols with these ascending `weights`.
fn depths(weights: Vec<u32>) -> [u32; LONGEST + 2] {
    let parents = join(weights);
    let mut of_length = [0_u32; LONGEST + 2];
    of_length[1] = 2;
    let mut depths = vec![0_usize; parents.len().saturating_add(1)];
    for (node, parent) in parents.iter().enumerate().rev() {
        let depth = depths.get(*parent).copied().unwrap_or_default().saturating_add(1);
        if let Some(place) = depths.get_mut(node) {
            *place = depth;
        }
        // What would be too deep takes the place of the deepest symbol that is not.
        let mut depth = depth.min(LONGEST);
        if depth == LONGEST {
            depth = LONGEST.saturating_sub(1);
            while depth > 1 && of_length.get(depth) == Some(&0) {
                depth = depth.saturating_sub(1);
            }
        }
        if let Some([here, below]) =
            of_length.get_mut(depth..=depth.saturating_add(1)).and_then(|pair| pair.as_mut_array())
        {
            *here = here.saturating_sub(1);
            *below = below.saturating_add(2);
        }
    }
    of_length
}

/// Joins the two lightest until there is one, and says for each pair but that which pair it is
/// in. Pairs are numbered as they are made.
fn join(weights: Vec<u32>) -> Vec<usize> {
    let mut leaves = weights.into_iter().peekable();
    let mut pairs: Vec<u32> = Vec::new();
    let mut parents = Vec::new();
    loop {
        let mut sum = 0_u32;
        let mut taken = 0_u32;
        while taken < 2 {
            let pair = pairs.get(parents.len()).copied();
            let weight = match (leaves.peek(), pair) {
                (Some(leaf), Some(pair)) if *leaf > pair => None,
                (Some(_), _) => leaves.next(),
                (None, _) => None,
            };
            let Some(weight) = weight.or_else(|| pair.inspect(|_| parents.push(pairs.len())))
            else {
                parents.pop(); // All are joined: the last pair is in none.
                return parents;
            };
            sum = sum.saturating_add(weight);
            taken = taken.saturating_add(1);
        }
        pairs.push(sum);
    }
}

const LONGEST: usize = 15;

/// The first of each slot of distances, and how many bits are added.
pub(super) static DISTANCES: [(u32, u32); 799] = slots(
    &[9, 0, 9, 7, 10, 15, 15, 20, 20, 30, 33, 40, 42, 45, 60, 73, 80, 85, 95, 105, 6],
    0x7fff_ffff,
);
/// The same of lengths.
pub(super) static LENGTHS: [(u32, u32); 54] =
    slots(&[27, 4, 6, 4, 5, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1], 0x4001_08ab);

/// Slots of which `runs[n]` are 2^n apart from the one before.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "it runs when it is compiled, where what goes wrong does not compile"
)]
const fn slots<const N: usize, const R: usize>(runs: &[u32; R], end: u32) -> [(u32, u32); N] {
    let mut slots = [(0, 0); N];
    let (mut slot, mut base, mut run) = (0, 0, 0);
    while run < R {
        let mut left = runs[run];
        while left > 0 {
            base += 1 << run;
            slots[slot].0 = base;
            if slot > 0 {
                slots[slot - 1].1 = run as u32;
            }
            slot += 1;
            left -= 1;
        }
        run += 1;
    }
    slots[slot - 1].1 = (end - base).ilog2();
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slots_begin_and_end_where_they_should() {
        assert_eq!(LENGTHS[..3], [(1, 0), (2, 0), (3, 0)]);
        assert_eq!(LENGTHS[53], (0x1_08ab, 30));
        assert_eq!(DISTANCES[8..11], [(9, 2), (13, 2), (17, 2)]);
    }

    #[test]
    fn a_code_is_as_short_as_can_be() {
        assert_eq!(lengths(&[1, 1, 1, 1]), [2, 2, 2, 2]);
        assert_eq!(lengths(&[8, 1, 4, 1]), [1, 3, 2, 3]);
        assert_eq!(lengths(&[5]), [1]);
    }

    #[test]
    fn no_code_is_too_long() {
        let fibonacci =
            [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765];
        let lengths = lengths(&fibonacci);
        assert_eq!(lengths.iter().max(), Some(&15));
        assert!(Huffman::new(&lengths).is_ok());
    }
}
