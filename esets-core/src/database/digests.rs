//! A section of digests of one algorithm, block-listed with size and name.
//!
//! Of each digest 10 bytes are kept, with the size mixed in, so that no entry states its size.
//! Layout: bytes of the fan (1), whether sizes may be any (1), 2 zeros, number of bits of the size
//! filter as a power of two (4), the filter, the fan (4 for each value of its bytes and one more:
//! the first entry), the entries: key without the bytes of the fan, number of the name (4).

use std::collections::BTreeSet;

use crate::cursor::{Cursor, Truncated};

/// An entry as it is collected: key and name.
pub(super) type Entry = ([u8; KEY], u32);

/// The key of a digest with a size; `None` is any size.
pub(super) fn key(digest: &[u8], size: Option<u64>) -> [u8; KEY] {
    let mut key = [0; KEY];
    key.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
    let mixed = size.map_or(0, |size| mix(size) | 1);
    // The first bytes stay as they are: the fan is by them.
    key.iter_mut().skip(2).zip(mixed.to_le_bytes()).for_each(|(to, from)| *to ^= from);
    key
}

/// Spreads sizes, which come in rows, over all bits.
fn mix(size: u64) -> u64 {
    let spread = (size ^ size >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (spread ^ spread >> 27).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// The section of `entries`, which states that objects of `sizes` may be among them.
pub(super) fn build(mut entries: Vec<Entry>, sizes: &BTreeSet<u64>, any_size: bool) -> Vec<u8> {
    entries.sort_unstable();
    entries.dedup_by_key(|(key, _)| *key);
    if entries.is_empty() {
        return Vec::new();
    }
    let fan = match entries.len() {
        0..0x800 => 0,
        0x800..0x8_0000 => 1,
        _ => 2_usize,
    };
    let bits = sizes.len().saturating_mul(8).next_power_of_two().max(64).ilog2().min(28);
    let mut section = vec![u8::try_from(fan).unwrap_or_default(), u8::from(any_size), 0, 0];
    section.extend(bits.to_le_bytes());
    section.extend(filter(sizes, bits));
    section.extend(fan_of(&entries, fan));
    for (key, name) in &entries {
        section.extend(key.get(fan..).unwrap_or_default());
        section.extend(name.to_le_bytes());
    }
    section
}

fn filter(sizes: &BTreeSet<u64>, bits: u32) -> Vec<u8> {
    let mut filter = vec![0_u8; 1 << bits.saturating_sub(3)];
    for size in sizes {
        let (byte, bit) = cell(*size, bits);
        if let Some(byte) = filter.get_mut(byte) {
            *byte |= bit;
        }
    }
    filter
}

/// The byte and the bit of a size in the filter.
fn cell(size: u64, bits: u32) -> (usize, u8) {
    let cell = mix(size).checked_shr(64_u32.saturating_sub(bits)).unwrap_or_default();
    (usize::try_from(cell >> 3).unwrap_or_default(), 1 << (cell & 7))
}

fn fan_of(entries: &[Entry], fan: usize) -> Vec<u8> {
    let mut table = Vec::new();
    let count = 1_usize << fan.saturating_mul(8);
    for value in 0..=count {
        let first = entries.partition_point(|(key, _)| bucket(key, fan) < value);
        table.extend(u32::try_from(first).unwrap_or(u32::MAX).to_le_bytes());
    }
    table
}

fn bucket(key: &[u8], fan: usize) -> usize {
    key.iter().take(fan).fold(0, |bucket, byte| bucket << 8 | usize::from(*byte))
}

/// A section, read in place.
pub(super) struct Digests<'f> {
    fan: usize,
    any_size: bool,
    bits: u32,
    filter: &'f [u8],
    table: &'f [u8],
    entries: &'f [u8],
}

impl<'f> Digests<'f> {
    /// The section, or `None` if it is empty or damaged.
    pub(super) fn read(section: &'f [u8]) -> Option<Self> {
        Self::parse(section).ok().filter(|digests| digests.fan <= 2 && digests.bits <= 28)
    }

    fn parse(section: &'f [u8]) -> Result<Self, Truncated> {
        let mut cursor = Cursor::new(section);
        let [fan, any_size, _, _] = cursor.array()?;
        let (fan, bits) = (usize::from(fan.min(2)), cursor.u32_le()?.clamp(3, 28));
        let filter = cursor.take(1 << bits.saturating_sub(3))?;
        let rows = (1_usize << fan.saturating_mul(8)).saturating_add(1);
        let table = cursor.take(rows.saturating_mul(4))?;
        let entries = cursor.rest();
        Ok(Self { fan, any_size: any_size != 0, bits, filter, table, entries })
    }

    /// Whether an object of this size may be listed.
    pub(super) fn may_hold(&self, size: u64) -> bool {
        let (byte, bit) = cell(size, self.bits);
        self.any_size || self.filter.get(byte).is_some_and(|byte| byte & bit != 0)
    }

    /// The numbers of the names under which an object is listed.
    pub(super) fn find(&self, digest: &[u8], size: u64) -> impl Iterator<Item = u32> {
        let sized = self.lookup(&key(digest, Some(size)));
        let any = self.any_size.then(|| self.lookup(&key(digest, None)));
        sized.into_iter().chain(any.flatten())
    }

    fn lookup(&self, key: &[u8; KEY]) -> Option<u32> {
        let bucket = bucket(key, self.fan);
        let tail = key.get(self.fan..)?;
        let (mut low, mut high) = (self.first(bucket)?, self.first(bucket.checked_add(1)?)?);
        while low < high {
            let middle = low.midpoint(high);
            let (there, name) = self.entry(middle)?;
            match there.cmp(tail) {
                std::cmp::Ordering::Equal => return Some(name),
                std::cmp::Ordering::Less => low = middle.checked_add(1)?,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The first entry of a bucket.
    fn first(&self, bucket: usize) -> Option<usize> {
        let row = self.table.get(bucket.checked_mul(4)?..)?;
        usize::try_from(Cursor::new(row).u32_le().ok()?).ok()
    }

    fn entry(&self, index: usize) -> Option<(&'f [u8], u32)> {
        let width = KEY.checked_sub(self.fan)?;
        let start = index.checked_mul(width.checked_add(4)?)?;
        let mut cursor = Cursor::new(self.entries.get(start..)?);
        Some((cursor.take(width).ok()?, cursor.u32_le().ok()?))
    }
}

/// Bytes kept of each digest.
pub(super) const KEY: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(index: u64) -> [u8; 16] {
        u128::from(mix(index)).wrapping_mul(0x1234_5678_9abc_def1_2345_6789).to_le_bytes()
    }

    #[test]
    fn every_digest_is_found_with_its_size_only() {
        for count in [1, 100, 5_000, 600_000_u64] {
            let sizes: BTreeSet<u64> = (0..count).map(|index| index % 1000).collect();
            let entries = (0..count)
                .map(|index| {
                    (key(&digest(index), Some(index % 1000)), u32::try_from(index).unwrap())
                })
                .collect();
            let section = build(entries, &sizes, false);
            let digests = Digests::read(&section).unwrap();
            for index in (0..count).step_by(37) {
                assert!(digests.may_hold(index % 1000));
                let found: Vec<_> = digests.find(&digest(index), index % 1000).collect();
                assert_eq!(found, [u32::try_from(index).unwrap()]);
                assert_eq!(digests.find(&digest(index), index % 1000 + 1).count(), 0);
            }
            let wrong = (1_000_000..1_001_000).filter(|size| digests.may_hold(*size)).count();
            assert!(wrong < 200, "{wrong} of 1000 sizes pass the filter");
        }
    }

    #[test]
    fn a_digest_of_any_size_is_found_with_all() {
        let section = build(vec![(key(&digest(7), None), 3)], &BTreeSet::new(), true);
        let digests = Digests::read(&section).unwrap();
        assert!(digests.may_hold(99));
        assert_eq!(digests.find(&digest(7), 99).collect::<Vec<_>>(), [3]);
        assert_eq!(digests.find(&digest(8), 99).count(), 0);
    }
}
