//! The directory of an InstallShield cabinet, and the headers of its volumes.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// One file as the directory describes it.
pub(super) struct File<'a> {
    pub(super) folder: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) index: u32,
    pub(super) flags: u16,
    pub(super) size: u64,
    pub(super) packed_size: u64,
    pub(super) offset: u64,
    /// The number of its volume, if the directory says it.
    pub(super) volume: Option<u32>,
    /// Whether it has the data of another file.
    pub(super) is_linked: bool,
}

/// One file of data.
pub(super) struct Volume<'a> {
    pub(super) number: u32,
    pub(super) bytes: &'a [u8],
    pub(super) first: Piece,
    pub(super) last: Piece,
}

/// What a volume says of its first or last file, of which it may have only a part.
#[derive(Clone, Copy, Default)]
pub(super) struct Piece {
    pub(super) index: u32,
    pub(super) offset: u64,
    pub(super) packed_size: u64,
}

/// What the directory says, as far as it can be read.
pub(super) struct Directory<'a> {
    pub(super) files: Vec<File<'a>>,
    /// Why there may be more.
    pub(super) flaw: Option<Reason>,
}

/// Where a directory is.
struct Place<'a> {
    major: u32,
    /// The table of names and files.
    table: &'a [u8],
    folders: u32,
    files: u32,
    /// Where in the table files are described, from version 6 on.
    files_at: u32,
}

/// The major version, from the number at the start of each file.
fn major(version: u32) -> u32 {
    match (version >> 24, version & 0xffff) {
        (1, _) => version >> 12 & 0x0f,
        (_, 0) => 0,
        (_, version) => version / 100,
    }
}

/// Whether a file has a directory in it.
pub(super) fn has_directory(bytes: &[u8]) -> bool {
    let size = Cursor::at(bytes, 16).and_then(|mut cursor| cursor.u32_le());
    size.is_ok_and(|size| size > 0)
}

/// The memory that the list of files takes.
pub(super) fn memory(bytes: &[u8]) -> u64 {
    let stated = Place::read(bytes).map_or(0, |place| u64::from(place.files));
    // No file takes less than a place in a list.
    stated.min(bytes.len() as u64 / 4).saturating_mul(size_of::<File<'_>>() as u64)
}

impl<'a> Directory<'a> {
    /// Reads as many files as there are.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Truncated> {
        let place = Place::read(bytes)?;
        let mut directory = Self { files: Vec::new(), flaw: None };
        for index in 0..place.files {
            match place.file(index) {
                Ok(file) => directory.files.push(file),
                Err(truncated) => {
                    directory.flaw = Some(truncated.into());
                    break;
                }
            }
        }
        Ok(directory)
    }
}

impl<'a> Place<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(bytes, 4)?;
        let major = major(cursor.u32_le()?);
        cursor.take(4)?; // flags of the volume
        let at = u64::from(cursor.u32_le()?);
        let cursor = &mut Cursor::at(bytes, at.saturating_add(12))?;
        let table = at.saturating_add(cursor.u32_le()?.into());
        cursor.take(12)?; // unknown, the sizes of the table
        let folders = cursor.u32_le()?;
        cursor.take(8)?;
        let (files, files_at) = (cursor.u32_le()?, cursor.u32_le()?);
        let table = Cursor::at(bytes, table)?.rest();
        Ok(Self { major, table, folders, files, files_at })
    }

    fn file(&self, index: u32) -> Result<File<'a>, Truncated> {
        if self.major >= 6 { self.new_file(index) } else { self.old_file(index) }
    }

    /// A file of version 5 and before: found by a list of places.
    fn old_file(&self, index: u32) -> Result<File<'a>, Truncated> {
        let at = self.entry(self.folders.saturating_add(index))?;
        let cursor = &mut Cursor::at(self.table, at.into())?;
        let (name, folder, flags) = (cursor.u32_le()?, cursor.u32_le()?, cursor.u16_le()?);
        let (size, packed_size) = (cursor.u32_le()?.into(), cursor.u32_le()?.into());
        cursor.take(20)?;
        Ok(File {
            folder: self.folder(folder),
            name: self.text(name),
            index,
            flags,
            size,
            packed_size,
            offset: cursor.u32_le()?.into(),
            volume: None,
            is_linked: false,
        })
    }

    /// A file of version 6 and later: one record behind the other.
    fn new_file(&self, index: u32) -> Result<File<'a>, Truncated> {
        let at = u64::from(index).saturating_mul(RECORD).saturating_add(self.files_at.into());
        let cursor = &mut Cursor::at(self.table, at)?;
        let flags = cursor.u16_le()?;
        let (size, packed_size, offset) = (cursor.u64_le()?, cursor.u64_le()?, cursor.u64_le()?);
        cursor.take(32)?; // MD5, unknown
        let (name, folder) = (cursor.u32_le()?, cursor.u16_le()?);
        cursor.take(20)?; // unknown, links to the files before and behind
        let is_linked = cursor.u8()? & LINKED != 0;
        Ok(File {
            folder: self.folder(folder.into()),
            name: self.text(name),
            index,
            flags,
            size,
            packed_size,
            offset,
            volume: Some(cursor.u16_le()?.into()),
            is_linked,
        })
    }

    fn entry(&self, place: u32) -> Result<u32, Truncated> {
        Cursor::at(self.table, u64::from(place).saturating_mul(4))?.u32_le()
    }

    fn folder(&self, index: u32) -> &'a [u8] {
        let at = (index < self.folders).then(|| self.entry(index).ok()).flatten();
        at.map_or(&[], |at| self.text(at))
    }

    /// Text up to a zero; it may be in UTF-16, and is taken as it is then.
    fn text(&self, at: u32) -> &'a [u8] {
        let rest = Cursor::at(self.table, at.into()).map(|cursor| cursor.rest());
        let rest = rest.unwrap_or_default();
        let rest = rest.get(..MOST_TEXT).unwrap_or(rest);
        match rest {
            [_, 0, _, 0, ..] => {
                let end = rest.chunks_exact(2).take_while(|pair| *pair != [0, 0]).count();
                rest.get(..end.saturating_mul(2)).unwrap_or_default()
            }
            _ => rest.split(|byte| *byte == 0).next().unwrap_or_default(),
        }
    }
}

impl<'a> Volume<'a> {
    pub(super) fn read(number: u32, bytes: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(bytes, 4)?;
        let is_new = major(cursor.u32_le()?) >= 6;
        cursor.take(12)?; // flags, the place and size of the directory
        cursor.take(8)?; // where data begins
        let mut volume = Self { number, bytes, first: Piece::default(), last: Piece::default() };
        (volume.first.index, volume.last.index) = (cursor.u32_le()?, cursor.u32_le()?);
        for piece in [&mut volume.first, &mut volume.last] {
            let mut number =
                || if is_new { cursor.u64_le() } else { cursor.u32_le().map(u64::from) };
            piece.offset = number()?;
            number()?; // size
            piece.packed_size = number()?;
        }
        Ok(volume)
    }
}

/// The size of the record of a file.
const RECORD: u64 = 0x57;
const LINKED: u8 = 1;
/// How long a name may be.
const MOST_TEXT: usize = 1024;
