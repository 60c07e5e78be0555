//! The entries of a FAT folder, and the long names in front of them.

use crate::cursor::{Cursor, Truncated};
use crate::decode::utf16_le;

/// A file or a folder.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) is_folder: bool,
    /// Its first cluster.
    pub(super) first: u64,
    /// Its length in bytes; 0 for a folder.
    pub(super) size: u64,
}

/// Reads entry after entry.
pub(super) struct Entries {
    /// Whether numbers of clusters have an upper half.
    pub(super) is_wide: bool,
    /// The pieces of a long name that were met, the last one first, and the sum of the short one.
    pub(super) long: Vec<([u8; 26], u8)>,
}

impl Entries {
    /// The file or folder that the record is about; a piece of a name is kept for the next.
    pub(super) fn read(&mut self, record: &[u8; 32]) -> Option<Entry> {
        let [first, .., _] = *record;
        let attributes = *record.get(11)?;
        if first == UNUSED || first == DELETED {
            self.long.clear();
            return None;
        }
        if attributes & 0x3f == LONG_NAME {
            if first & LAST_PIECE != 0 || self.long.len() >= MOST_PIECES {
                self.long.clear();
            }
            self.long.extend(piece(record).ok());
            return None;
        }
        let long = std::mem::take(&mut self.long);
        if attributes & LABEL != 0 || record.starts_with(b".  ") || record.starts_with(b".. ") {
            return None;
        }
        self.entry(record, &long).ok()
    }

    fn entry(&self, record: &[u8; 32], long: &[([u8; 26], u8)]) -> Result<Entry, Truncated> {
        let cursor = &mut Cursor::new(record);
        let short: [u8; 11] = cursor.array()?;
        let is_folder = cursor.u8()? & FOLDER != 0;
        let case = cursor.u8()?;
        cursor.take(7)?; // times
        let high = u64::from(cursor.u16_le()?);
        cursor.take(4)?; // time
        let low = u64::from(cursor.u16_le()?);
        let size = if is_folder { 0 } else { cursor.u32_le()?.into() };
        let first = if self.is_wide { high << 16 | low } else { low };
        let name = long_name(long, &short).unwrap_or_else(|| short_name(&short, case));
        Ok(Entry { name, is_folder, first, size })
    }
}

/// The 13 units of a name that a record holds, and the sum of the short name.
fn piece(record: &[u8; 32]) -> Result<([u8; 26], u8), Truncated> {
    let cursor = &mut Cursor::at(record, 1)?;
    let first = cursor.take(10)?;
    cursor.take(2)?; // attributes, type
    let sum = cursor.u8()?;
    let second = cursor.take(12)?;
    cursor.take(2)?; // cluster
    let units = [first, second, cursor.take(4)?].concat();
    Ok((units.try_into().map_err(|_| Truncated)?, sum))
}

/// The long name, if there is one that belongs to the short one.
fn long_name(pieces: &[([u8; 26], u8)], short: &[u8; 11]) -> Option<Vec<u8>> {
    let sum = short.iter().fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    if pieces.is_empty() || pieces.iter().any(|(_, stated)| *stated != sum) {
        return None;
    }
    let units: Vec<u8> = pieces.iter().rev().flat_map(|(units, _)| *units).collect();
    let length = units.as_chunks::<2>().0.iter().take_while(|unit| **unit != [0, 0]).count();
    let name = utf16_le(units.get(..length.saturating_mul(2))?);
    Some(name.into_bytes())
}

/// `NAME.EXT`; Windows notes in two bits that a half of it is in lower case.
fn short_name(short: &[u8; 11], case: u8) -> Vec<u8> {
    let (stem, extension) = short.split_at(8);
    let mut stem = lowered(stem.trim_ascii_end(), case & 0x08 != 0);
    if let Some(first @ 0x05) = stem.first_mut() {
        *first = DELETED; // a letter in Japanese
    }
    let extension = lowered(extension.trim_ascii_end(), case & 0x10 != 0);
    let dot: &[u8] = if extension.is_empty() { b"" } else { b"." };
    [&stem, dot, &extension].concat()
}

fn lowered(name: &[u8], is_low: bool) -> Vec<u8> {
    if is_low { name.to_ascii_lowercase() } else { name.to_vec() }
}

/// The length of an entry.
pub(super) const ENTRY: u64 = 32;

const UNUSED: u8 = 0x00;
const DELETED: u8 = 0xe5;
const LABEL: u8 = 0x08;
const FOLDER: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;
const LAST_PIECE: u8 = 0x40;
const MOST_PIECES: usize = 20;
