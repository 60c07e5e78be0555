//! Squashfs 4.0, as in the Linux kernel's Documentation/filesystems/squashfs.rst.

mod data;
mod inode;
mod meta;

use self::inode::{Folder, Inode, Place};
use self::meta::{Reader, Table};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Blocks, Codec, below};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Squashfs;

impl Unpacker for Squashfs {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        FORMAT.matches(subject.bytes()) && is_plausible(subject.bytes())
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let super_block = SuperBlock::read(bytes)?;
        if super_block.size > bytes.len() as u64 {
            children.not_scanned(Reason::Truncated);
        }
        let codec = super_block.codec()?;
        let _memory = children.lease(Codec::MEMORY)?;
        let table = Table::new(bytes, codec, children.lease(0)?);
        Image { bytes, codec, super_block, table, inodes: Chain::default(), listed: 0 }
            .walk(children)
    }
}

/// The superblock, without what no reader needs.
struct SuperBlock {
    fragments: u32,
    block: usize,
    compression: u16,
    root: u64,
    size: u64,
    inode_table: u64,
    folder_table: u64,
    fragment_table: u64,
}

impl SuperBlock {
    fn read(bytes: &[u8]) -> Result<Self, Reason> {
        let (major, _) = version(bytes)?;
        if major != 4 {
            return Err(Reason::unsupported("squashfs before version 4"));
        }
        let cursor = &mut Cursor::at(bytes, 12)?;
        let block = to_size(cursor.u32_le()?.into());
        let fragments = cursor.u32_le()?;
        let compression = cursor.u16_le()?;
        cursor.take(10)?; // size of blocks again, flags, users, version
        let (root, size) = (cursor.u64_le()?, cursor.u64_le()?);
        cursor.take(16)?; // users, extended attributes
        let (inode_table, folder_table) = (cursor.u64_le()?, cursor.u64_le()?);
        let fragment_table = cursor.u64_le()?;
        if !block.is_power_of_two() || !(LEAST_BLOCK..=MOST_BLOCK).contains(&block) {
            return Err(Reason::corrupt("block size"));
        }
        Ok(Self {
            fragments,
            block,
            compression,
            root,
            size,
            inode_table,
            folder_table,
            fragment_table,
        })
    }

    fn codec(&self) -> Result<Codec, Reason> {
        Ok(match self.compression {
            1 => Codec::Zlib,
            2 => Codec::Lzma,
            3 => Codec::Lzo,
            4 => Codec::Xz,
            5 => Codec::Lz4,
            6 => Codec::Zstd,
            _ => return Err(Reason::unsupported("compression")),
        })
    }
}

/// The version, which all of them have in the same place, and the size of blocks as a power of 2.
fn version(bytes: &[u8]) -> Result<(u16, u16), Truncated> {
    let is_big = bytes.starts_with(BIG);
    let word = |at: u64| {
        let mut cursor = Cursor::at(bytes, at)?;
        if is_big { cursor.u16_be() } else { cursor.u16_le() }
    };
    let major = word(28)?;
    Ok((major, word(if major == 4 { 22 } else { 34 })?))
}

/// Whether what is behind the magic can be a superblock: four letters alone are in many texts.
fn is_plausible(bytes: &[u8]) -> bool {
    match version(bytes) {
        Ok((4, bits)) => !bytes.starts_with(BIG) && (12..=20).contains(&bits),
        Ok((1..=3, bits)) => (9..=20).contains(&bits),
        Ok(_) | Err(Truncated) => false,
    }
}

/// An image and what has been met in it.
struct Image<'a> {
    bytes: &'a [u8],
    codec: Codec,
    super_block: SuperBlock,
    table: Table<'a>,
    inodes: Chain,
    /// How many bytes of folders have been read.
    listed: u64,
}

impl Image<'_> {
    /// Walks the folders without recursion; one that was met before is not entered again.
    fn walk(&mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let mut data = data::Data::new(self.bytes, self.codec, self.super_block.block);
        let Inode::Folder(root) = self.inode(self.super_block.root)? else {
            return Err(Reason::corrupt("root folder").into());
        };
        let mut waiting = vec![(root, Vec::new())];
        while let Some((folder, path)) = waiting.pop() {
            let mut entries = Vec::new();
            if let Err(reason) = self.list(&folder, &mut entries) {
                children.not_scanned(reason);
            }
            for Entry { inode, name } in entries {
                let path = below(&path, &name);
                if !self.inodes.step(inode) {
                    continue; // Another name of what has been met.
                }
                match self.inode(inode) {
                    Ok(Inode::Folder(folder)) => waiting.push((folder, path)),
                    Ok(Inode::File(file)) => {
                        let member =
                            Member { size: Some(file.size), ..Member::named(path.as_slice()) };
                        let fragment = self.fragment(&file);
                        let list = Reader::new(&mut self.table, file.list);
                        let blocks = data.blocks(&file, fragment, list);
                        children.stream(member, &mut Blocks::new(blocks))?;
                    }
                    Ok(Inode::Other) => {}
                    Err(reason) => children.skip(Member::named(path), reason)?,
                }
            }
        }
        Ok(())
    }

    fn inode(&mut self, reference: u64) -> Result<Inode, Reason> {
        let place = Place::of(self.super_block.inode_table, reference >> 16, reference & 0xffff);
        Inode::read(&mut Reader::new(&mut self.table, place), self.super_block.block)
    }

    /// The entries of a folder: headers, each before a run of entries.
    fn list(&mut self, folder: &Folder, entries: &mut Vec<Entry>) -> Result<(), Reason> {
        let place = Place::of(self.super_block.folder_table, folder.block, folder.offset);
        let mut left = folder.size;
        while left > 0 {
            // No two folders share their listing, so no more is listed than was unpacked.
            if self.listed > self.table.unpacked().saturating_add(SLACK) {
                return Err(Reason::corrupt("directory table"));
            }
            let place = place.plus(folder.size.saturating_sub(left));
            let listed = run(&mut Reader::new(&mut self.table, place), left, entries)?;
            self.listed = self.listed.saturating_add(listed);
            left = left.saturating_sub(listed);
        }
        Ok(())
    }

    /// The block in which the end of a file is, with those of other files.
    fn fragment(&mut self, file: &inode::File) -> Option<Result<data::Packed, Reason>> {
        let index = file.fragment?;
        if index >= self.super_block.fragments {
            return Some(Err(Reason::corrupt("fragment index")));
        }
        let pointer_at = u64::from(index / IN_BLOCK).saturating_mul(8);
        let pointer_at = self.super_block.fragment_table.saturating_add(pointer_at);
        let pointer = Cursor::at(self.bytes, pointer_at).and_then(|mut cursor| cursor.u64_le());
        let place = pointer.map(|block| Place { block, offset: u64::from(index % IN_BLOCK) * 16 });
        Some(place.map_err(Reason::from).and_then(|place| {
            let mut reader = Reader::new(&mut self.table, place);
            Ok(data::Packed { start: reader.u64()?, size: reader.u32()? })
        }))
    }
}

/// A name in a folder.
struct Entry {
    inode: u64,
    name: Vec<u8>,
}

/// One header and its entries; how many of at most `left` bytes they take.
fn run(reader: &mut Reader<'_, '_>, left: u64, entries: &mut Vec<Entry>) -> Result<u64, Reason> {
    let count = reader.u32()?.saturating_add(1);
    let block = u64::from(reader.u32()?);
    reader.u32()?; // number of the first inode
    if count > MOST_IN_RUN {
        return Err(Reason::corrupt("directory table"));
    }
    let mut listed = 12_u64;
    for _ in 0..count {
        if listed >= left {
            break;
        }
        let offset = u64::from(reader.u16()?);
        reader.u32()?; // number and kind of the inode
        let length = u64::from(reader.u16()?).saturating_add(1);
        if length > LONGEST_NAME {
            return Err(Reason::corrupt("directory table"));
        }
        let name = reader.bytes(length)?;
        listed = listed.saturating_add(8).saturating_add(length);
        entries.push(Entry { inode: block << 16 | offset, name });
    }
    Ok(listed)
}

fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

const LITTLE: &[u8] = b"hsqs";
const BIG: &[u8] = b"sqsh";
const LEAST_BLOCK: usize = 4 << 10;
const MOST_BLOCK: usize = 1 << 20;
/// Fragments, 16 bytes each, in one block of their table.
const IN_BLOCK: u32 = 512;
const MOST_IN_RUN: u32 = 256;
const LONGEST_NAME: u64 = 256;
/// Folders of damaged images may share a little.
const SLACK: u64 = 1 << 20;

static FORMAT: Format = Format {
    name: "squashfs",
    about: "squashfs file system image",
    extensions: &["sqsh", "squashfs", "sfs", "snap"],
    magic: &[Magic::start(LITTLE), Magic::start(BIG)],
    specification: &["Linux kernel, Documentation/filesystems/squashfs.rst"],
    limitations: &["versions before 4.0", "extended attributes", "targets of symbolic links"],
};
