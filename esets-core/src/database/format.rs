//! The layout of a compiled database: a header, a table of sections, the sections.
//!
//! All numbers are little-endian. The header is [`HEADER`] bytes: magic (8), format version (4),
//! number of sections (4), length of the file (8), SHA-256 of the file with this field left out
//! (32). Each row of the table is [`ROW`] bytes: section (4), offset (8), length (8). Sections begin at multiples of [`ALIGNMENT`].

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::error::DatabaseError;
use crate::cursor::{Cursor, Truncated};

/// A section of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Meta = 0,
    Names = 1,
    Md5 = 2,
    Sha1 = 3,
    Sha256 = 4,
    Allowed = 5,
    Patterns = 6,
    Offsets = 7,
    Users = 8,
    Programs = 9,
    Prefilter = 10,
    Keys8 = 11,
    Keys4 = 12,
    Lists = 13,
    Unanchored = 14,
    LogicalPlaces = 15,
    Logicals = 16,
    Unconditional = 17,
    PartMd5 = 18,
    PartSha1 = 19,
    PartSha256 = 20,
    ImportsMd5 = 21,
    Passwords = 22,
    Specials = 32,
    Groups = 33,
    Views = 34,
    Members = 35,
    MemberKeys = 36,
    KindBytes = 37,
    KindPatterns = 38,
    Links = 39,
}

impl Section {
    /// How many kinds of sections there are.
    const COUNT: usize = 40;

    fn index(self) -> usize {
        self as usize
    }
}

/// Where the sections lie; every range lies in the file.
#[derive(Clone, Debug)]
pub(super) struct Layout([Range<usize>; Section::COUNT]);

impl Default for Layout {
    fn default() -> Self {
        Self(std::array::from_fn(|_| 0..0))
    }
}

impl Layout {
    /// Checks header and section table, nothing else.
    pub(super) fn read(file: &[u8]) -> Result<Self, DatabaseError> {
        if !file.starts_with(MAGIC) {
            return Err(DatabaseError::Foreign);
        }
        let header = Header::read(file).map_err(|_| DatabaseError::Truncated)?;
        if header.version != VERSION {
            return Err(DatabaseError::Version { found: header.version, supported: VERSION });
        }
        if (file.len() as u64) < header.length {
            return Err(DatabaseError::Truncated);
        }
        if file.len() as u64 != header.length {
            return Err(DatabaseError::Damaged("length"));
        }
        table(file, header.sections)
    }

    /// A section of `file`; empty if the file has none.
    pub(super) fn section<'f>(&self, file: &'f [u8], section: Section) -> &'f [u8] {
        let range = self.0.get(section.index()).cloned().unwrap_or_default();
        file.get(range).unwrap_or_default()
    }
}

/// What stands before the section table.
struct Header {
    version: u32,
    sections: u32,
    length: u64,
    digest: [u8; 32],
}

impl Header {
    fn read(file: &[u8]) -> Result<Self, Truncated> {
        let mut cursor = Cursor::at(file, MAGIC.len() as u64)?;
        Ok(Self {
            version: cursor.u32_le()?,
            sections: cursor.u32_le()?,
            length: cursor.u64_le()?,
            digest: cursor.array()?,
        })
    }
}

fn table(file: &[u8], sections: u32) -> Result<Layout, DatabaseError> {
    const DAMAGED: DatabaseError = DatabaseError::Damaged("section table");
    let mut layout = Layout::default();
    let mut cursor = Cursor::at(file, HEADER as u64).map_err(|_| DAMAGED)?;
    for _ in 0..sections {
        let (section, range) = row(&mut cursor).map_err(|_| DAMAGED)?.ok_or(DAMAGED)?;
        let is_inside = file.get(range.clone()).is_some();
        let slot = layout.0.get_mut(usize::try_from(section).map_err(|_| DAMAGED)?);
        *slot.filter(|slot| is_inside && **slot == (0..0)).ok_or(DAMAGED)? = range;
    }
    Ok(layout)
}

fn row(cursor: &mut Cursor<'_>) -> Result<Option<(u32, Range<usize>)>, Truncated> {
    let section = cursor.u32_le()?;
    let (offset, length) = (cursor.u64_le()?, cursor.u64_le()?);
    let start = usize::try_from(offset).ok();
    let end = offset.checked_add(length).and_then(|end| usize::try_from(end).ok());
    Ok(start.zip(end).map(|(start, end)| (section, start..end)))
}

/// Checks that not a bit of the file has changed since it was built.
pub(super) fn verify(file: &[u8]) -> Result<(), DatabaseError> {
    let header = Header::read(file).map_err(|_| DatabaseError::Truncated)?;
    if digest(file) == header.digest { Ok(()) } else { Err(DatabaseError::Damaged("digest")) }
}

fn digest(file: &[u8]) -> [u8; 32] {
    let (before, rest) = file.split_at_checked(DIGEST).unwrap_or((file, b""));
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(rest.get(32..).unwrap_or_default());
    hasher.finalize().into()
}

/// Puts the file together.
pub(super) fn assemble(sections: &[(Section, Vec<u8>)]) -> Vec<u8> {
    let sections: Vec<_> = sections.iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
    let mut rows = Vec::new();
    let mut bodies = Vec::new();
    let front = HEADER.saturating_add(ROW.saturating_mul(sections.len()));
    let pad = |length: usize| length.next_multiple_of(ALIGNMENT).saturating_sub(length);
    for (section, bytes) in &sections {
        let length = front.saturating_add(bodies.len());
        bodies.resize(bodies.len().saturating_add(pad(length)), 0);
        let offset = front.saturating_add(bodies.len()) as u64;
        rows.extend((*section as u32).to_le_bytes());
        rows.extend(offset.to_le_bytes());
        rows.extend((bytes.len() as u64).to_le_bytes());
        bodies.extend(bytes);
    }
    let mut file = MAGIC.to_vec();
    file.extend(VERSION.to_le_bytes());
    file.extend(u32::try_from(sections.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend((front.saturating_add(bodies.len()) as u64).to_le_bytes());
    file.extend([0; 32]);
    file.extend(rows);
    file.extend(bodies);
    let digest = digest(&file);
    file.iter_mut().skip(DIGEST).zip(digest).for_each(|(to, from)| *to = from);
    file
}

const MAGIC: &[u8; 8] = b"EM002\r\n\x1a";
/// The one version that is written and read; it grows with every change of the layout.
pub(super) const VERSION: u32 = 2;
const HEADER: usize = 56;
const DIGEST: usize = 24;
const ROW: usize = 20;
const ALIGNMENT: usize = 64;
