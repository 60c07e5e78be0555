//! How common four bytes in a row are in clean objects.
//!
//! `rarity.dat` holds 2^18 cells, two in a byte, the first in the low bits. The cell of four bytes
//! is [`cell`] with 18 bits; its value v says that one of 2^(7+v) places or fewer has such bytes.
//! `cargo xtask rarity` counts it anew.

static TABLE: &[u8] = include_bytes!("rarity.dat");

/// Four bytes as they are hashed: letters in either case are the same.
pub(super) fn fold(word: u32) -> u32 {
    word | 0x2020_2020
}

/// The cell of four bytes (little-endian) among 2^`bits`.
pub(super) fn cell(word: u32, bits: u32) -> u32 {
    let hash = fold(word).wrapping_mul(SPREAD);
    hash.checked_shr(32_u32.saturating_sub(bits)).unwrap_or_default()
}

/// How rare four bytes are: 0 (one place of 128) to 15 (one of four millions).
pub(super) fn rarity(word: u32) -> u8 {
    let cell = usize::try_from(cell(word, 18)).unwrap_or_default();
    let byte = TABLE.get(cell >> 1).copied().unwrap_or_default();
    if cell & 1 == 0 { byte & 15 } else { byte >> 4 }
}

/// The four bytes at each place of a run.
pub(super) fn words(run: &[u8]) -> impl Iterator<Item = u32> {
    run.array_windows().map(|word| u32::from_le_bytes(*word))
}

/// Knuth's multiplier: 2^32 divided by the golden ratio.
pub(super) const SPREAD: u32 = 0x9e37_79b1;
/// Less rare words than this are never searched for: each place that passes costs more than the
/// whole rest of the search.
pub(super) const RARE: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_what_is_common() {
        assert_eq!(TABLE.len(), 1 << 17);
        let rarity = |bytes: &[u8; 4]| rarity(u32::from_le_bytes(*bytes));
        assert!(rarity(b"\0\0\0\0") < RARE);
        assert!(rarity(b"    ") < rarity(b"\x8b\x45\x08\x50"));
        assert!(rarity(b"xq9z") > 10);
    }
}
