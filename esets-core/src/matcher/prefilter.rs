//! Which places of an object may begin with four bytes that are searched for: a bitmap that stays
//! in the cache, asked at every byte.

use pulp::Arch;

use super::rarity::SPREAD;

/// The bitmap: one bit for each of 2^N cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefilter<'f>(&'f [u8]);

impl<'f> Prefilter<'f> {
    /// The bitmap, if its size is one of [`SIZES`].
    pub(crate) fn read(section: &'f [u8]) -> Option<Self> {
        SIZES.contains(&section.len()).then_some(Self(section))
    }

    /// Puts the places of `block` where four bytes pass, from its start on, into `places`.
    ///
    /// Its last three bytes begin no four, so blocks should overlap by that much. A block is at
    /// most 64 KiB long.
    pub(crate) fn search(&self, block: &[u8], places: &mut Vec<u16>) {
        places.clear();
        // Each size has a copy of the loop in which no bound is left to check.
        match self.0.len() {
            0x400 => dispatch::<0x400, 19>(self.0, block, places),
            0x2000 => dispatch::<0x2000, 16>(self.0, block, places),
            0x8000 => dispatch::<0x8000, 14>(self.0, block, places),
            0x1_0000 => dispatch::<0x1_0000, 13>(self.0, block, places),
            0x2_0000 => dispatch::<0x2_0000, 12>(self.0, block, places),
            0x4_0000 => dispatch::<0x4_0000, 11>(self.0, block, places),
            _ => {}
        }
    }
}

/// How many bits number the cells for so many patterns.
pub(super) fn bits(patterns: usize) -> u32 {
    match patterns {
        0..=200 => 13,
        201..=2_000 => 16,
        2_001..=12_000 => 18,
        12_001..=40_000 => 19,
        40_001..=150_000 => 20,
        _ => 21,
    }
}

/// The bitmap in which these cells are set.
pub(super) fn build(cells: impl IntoIterator<Item = u32>, bits: u32) -> Vec<u8> {
    let mut bitmap = vec![0; 1 << bits.saturating_sub(3)];
    for cell in cells {
        let byte = usize::try_from(cell >> 3).ok().and_then(|at| bitmap.get_mut(at));
        if let Some(byte) = byte {
            *byte |= 1 << (cell & 7);
        }
    }
    bitmap
}

fn dispatch<const BYTES: usize, const SHIFT: u32>(
    bitmap: &[u8],
    block: &[u8],
    places: &mut Vec<u16>,
) {
    if let Ok(bitmap) = <&[u8; BYTES]>::try_from(bitmap) {
        Arch::new().dispatch(
            #[inline(always)]
            || scan::<BYTES, SHIFT>(bitmap, block, places),
        );
    }
}

#[inline(always)]
fn scan<const BYTES: usize, const SHIFT: u32>(
    bitmap: &[u8; BYTES],
    block: &[u8],
    places: &mut Vec<u16>,
) {
    let mut base = 0_u16;
    let mut rest = block;
    while let Some(stripe) = rest.first_chunk::<STRIPE>() {
        let mask = mask::<BYTES, SHIFT>(bitmap, stripe);
        push(mask, base, places);
        base = base.wrapping_add(64);
        rest = rest.get(64..).unwrap_or_default();
    }
    let mut last = [0; STRIPE];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    // The rest is at most 66 bytes long.
    let left = u32::try_from(rest.len().saturating_sub(3)).unwrap_or_default().min(63);
    let is_there = 1_u64.wrapping_shl(left).wrapping_sub(1);
    push(mask::<BYTES, SHIFT>(bitmap, &last) & is_there, base, places);
}

/// One bit for each of the first 64 places of a stripe.
#[inline(always)]
fn mask<const BYTES: usize, const SHIFT: u32>(bitmap: &[u8; BYTES], stripe: &[u8; STRIPE]) -> u64 {
    let mut hashes = [[0_u32; 16]; 4];
    for (phase, hashes) in hashes.iter_mut().enumerate() {
        // Words that do not overlap are loaded together.
        let (words, _) = stripe.get(phase..).unwrap_or_default().as_chunks::<4>();
        for (hash, word) in hashes.iter_mut().zip(words) {
            *hash = (u32::from_le_bytes(*word) | 0x2020_2020).wrapping_mul(SPREAD);
        }
    }
    let mut mask = 0_u64;
    for (phase, hashes) in hashes.iter().enumerate() {
        for (word, hash) in hashes.iter().enumerate() {
            let cell = *hash >> SHIFT;
            let byte = bitmap.get((cell >> 3) as usize).copied().unwrap_or_default();
            let bit = u64::from(byte >> (cell & 7) & 1);
            mask |= bit << (word << 2 | phase);
        }
    }
    mask
}

#[inline(always)]
fn push(mut mask: u64, base: u16, places: &mut Vec<u16>) {
    while mask != 0 {
        // At most 63.
        let place = u16::try_from(mask.trailing_zeros()).unwrap_or_default();
        places.push(base.wrapping_add(place));
        mask &= mask.wrapping_sub(1);
    }
}

/// The sizes that a bitmap may have, in bytes.
const SIZES: [usize; 6] = [0x400, 0x2000, 0x8000, 0x1_0000, 0x2_0000, 0x4_0000];
/// 64 places and what the last of them needs.
const STRIPE: usize = 67;

#[cfg(test)]
mod tests {
    use super::super::rarity::cell;
    use super::*;

    #[test]
    fn every_place_is_asked_once_whatever_the_length() {
        for length in 0..300_u16 {
            let block: Vec<u8> = (0..length).map(|at| (at * 37 % 251).to_le_bytes()[0]).collect();
            let words: Vec<u32> = block.array_windows().map(|w| u32::from_le_bytes(*w)).collect();
            let bitmap = build(words.iter().map(|word| cell(*word, 16)), 16);
            let mut places = Vec::new();
            Prefilter::read(&bitmap).unwrap().search(&block, &mut places);
            let all: Vec<u16> = (0..length.saturating_sub(3)).collect();
            assert_eq!(places, all);
        }
    }
}
