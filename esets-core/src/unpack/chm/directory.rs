//! The directory of a help file: which files there are, and where.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// One file.
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) section: u64,
    /// From the start of its section.
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// What the listing says, as far as it can be read.
pub(super) struct Directory<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// Why there may be more.
    pub(super) flaw: Option<Reason>,
}

impl<'a> Directory<'a> {
    /// Reads all chunks of listings, in the order in which they lie.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Reason> {
        let cursor = &mut Cursor::new(bytes);
        if cursor.array()? != *b"ITSP" {
            return Err(Reason::corrupt("directory"));
        }
        cursor.take(4)?; // version
        let header = cursor.u32_le()?;
        cursor.take(4)?; // unknown
        let chunk_size = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
        cursor.take(24)?; // density of the index, depth, root, first, last, unknown
        let count = cursor.u32_le()?;
        if chunk_size < MIN_CHUNK {
            return Err(Reason::corrupt("directory"));
        }
        let mut cursor = Cursor::at(bytes, header.into())?;
        let mut directory = Self { entries: Vec::new(), flaw: None };
        for _ in 0..count {
            match cursor.take(chunk_size) {
                Ok(chunk) => directory.add(chunk),
                Err(truncated) => {
                    directory.add(cursor.rest());
                    directory.flaw = Some(truncated.into());
                    break;
                }
            }
        }
        Ok(directory)
    }

    /// Adds what a chunk lists.
    fn add(&mut self, chunk: &'a [u8]) {
        let cursor = &mut Cursor::new(chunk);
        if cursor.array().ok() != Some(*b"PMGL") {
            return; // an index
        }
        let Ok(free) = cursor.u32_le() else { return };
        let free = usize::try_from(free).unwrap_or(usize::MAX);
        let listed = chunk.len().checked_sub(free).and_then(|end| chunk.get(..end));
        let Ok(mut cursor) = Cursor::at(listed.unwrap_or(chunk), LISTING) else {
            self.flaw = Some(Reason::corrupt("directory"));
            return;
        };
        if listed.is_none() {
            self.flaw = Some(Reason::corrupt("directory"));
        }
        while !cursor.is_empty() {
            match Entry::read(&mut cursor) {
                Ok(entry) => self.entries.push(entry),
                Err(_) => {
                    self.flaw = Some(Reason::corrupt("directory"));
                    return;
                }
            }
        }
    }

    /// Where the file `name` is.
    pub(super) fn find(&self, name: &[u8]) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

impl<'a> Entry<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Truncated> {
        let length = usize::try_from(number(cursor)?).map_err(|_| Truncated)?;
        let name = cursor.take(length)?;
        let (section, offset) = (number(cursor)?, number(cursor)?);
        Ok(Self { name, section, offset, size: number(cursor)? })
    }

    /// What the entry is about, in the bytes of its section.
    pub(super) fn of(&self, section: &'a [u8]) -> &'a [u8] {
        let Ok(mut cursor) = Cursor::at(section, self.offset) else { return &[] };
        cursor.take_up_to(self.size)
    }
}

/// A number in groups of seven bits, the highest first.
fn number(cursor: &mut Cursor<'_>) -> Result<u64, Truncated> {
    let mut value = 0_u64;
    for _ in 0..MAX_GROUPS {
        let byte = cursor.u8()?;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Truncated)
}

/// The header of a chunk of listings.
const LISTING: u64 = 20;
/// No chunk with less than this lists anything.
const MIN_CHUNK: usize = 32;
const MAX_GROUPS: u8 = 9;
