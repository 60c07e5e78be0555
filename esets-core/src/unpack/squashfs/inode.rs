//! Inodes: what a name in a folder stands for.

use super::meta::Reader;
use crate::verdict::Reason;

/// A place in the metadata.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Where the block begins in the image.
    pub(super) block: u64,
    /// How many unpacked bytes lie before it, from there.
    pub(super) offset: u64,
}

impl Place {
    /// The place that a reference into a table names.
    pub(super) fn of(table: u64, block: u64, offset: u64) -> Self {
        Self { block: table.saturating_add(block), offset }
    }

    pub(super) fn plus(self, count: u64) -> Self {
        Self { offset: self.offset.saturating_add(count), ..self }
    }
}

pub(super) enum Inode {
    Folder(Folder),
    File(File),
    /// A link or a device, which has no content.
    Other,
}

/// Where the entries of a folder are.
pub(super) struct Folder {
    pub(super) block: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// Where the content of a file is.
pub(super) struct File {
    pub(super) start: u64,
    pub(super) size: u64,
    /// The fragment that holds the end of the file.
    pub(super) fragment: Option<u32>,
    /// Where in the fragment it begins.
    pub(super) offset: u32,
    /// How many blocks the file has.
    pub(super) blocks: u64,
    /// Where the sizes of its blocks are listed.
    pub(super) list: Place,
}

impl Inode {
    /// The inode at the reader; files have blocks of `block` bytes.
    pub(super) fn read(reader: &mut Reader<'_, '_>, block: usize) -> Result<Self, Reason> {
        let kind = reader.u16()?;
        reader.bytes(14)?; // mode, owner, time, number
        Ok(match kind {
            1 => {
                let start = reader.u32()?;
                reader.u32()?; // links
                let (size, offset) = (reader.u16()?, reader.u16()?);
                Self::Folder(Folder::new(start, offset, size.into()))
            }
            8 => {
                reader.u32()?; // links
                let (size, start) = (reader.u32()?, reader.u32()?);
                reader.bytes(6)?; // parent, size of an index
                Self::Folder(Folder::new(start, reader.u16()?, size))
            }
            2 => {
                let start = reader.u32()?.into();
                let (fragment, offset) = (reader.u32()?, reader.u32()?);
                let size = reader.u32()?.into();
                Self::File(File::new((start, size), (fragment, offset), block, reader.place()))
            }
            9 => {
                let (start, size) = (reader.u64()?, reader.u64()?);
                reader.bytes(12)?; // bytes in holes, links
                let (fragment, offset) = (reader.u32()?, reader.u32()?);
                reader.u32()?; // extended attributes
                Self::File(File::new((start, size), (fragment, offset), block, reader.place()))
            }
            3..=7 | 10..=14 => Self::Other,
            _ => return Err(Reason::corrupt("inode")),
        })
    }
}

impl Folder {
    /// The size counts three bytes for the folder itself and its parent, which are not listed.
    fn new(block: u32, offset: u16, size: u32) -> Self {
        let size = u64::from(size.saturating_sub(3));
        Self { block: block.into(), offset: offset.into(), size }
    }
}

impl File {
    fn new(
        (start, size): (u64, u64),
        (fragment, offset): (u32, u32),
        block: usize,
        list: Place,
    ) -> Self {
        let fragment = Some(fragment).filter(|fragment| *fragment != u32::MAX);
        let full = size.checked_div(block as u64).unwrap_or_default();
        let blocks = if fragment.is_some() { full } else { size.div_ceil((block as u64).max(1)) };
        Self { start, size, fragment, offset, blocks, list }
    }
}
