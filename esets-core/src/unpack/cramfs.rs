//! cramfs, as in the Linux kernel's fs/cramfs/README and its header of the format.

use std::borrow::Cow;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Block, Blocks, Codec, below};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Cramfs;

impl Unpacker for Cramfs {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        Image::find(subject.bytes()).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let Some((start, image)) = Image::find(bytes) else { return Ok(()) };
        if image.size()? > bytes.len() as u64 {
            children.not_scanned(Reason::Truncated);
        }
        let root = image.inode(start.saturating_add(ROOT))?;
        image.walk(&root, children)
    }
}

/// An image; numbers are in the order of the machine that wrote it.
struct Image<'a> {
    bytes: &'a [u8],
    start: u64,
    is_big: bool,
}

/// Twelve bytes for a file or a folder, before its name.
struct Inode {
    mode: u16,
    size: u64,
    /// How many bytes its name has, with zeros behind it.
    name: u64,
    /// Where its content or its entries begin.
    offset: u64,
}

impl<'a> Image<'a> {
    /// The superblock, at the start or behind 512 bytes for a boot loader.
    fn find(bytes: &'a [u8]) -> Option<(u64, Self)> {
        [0, 512].into_iter().find_map(|start| {
            let mut cursor = Cursor::at(bytes, start).ok()?;
            let magic = cursor.take(4).ok()?;
            cursor.take(12).ok()?; // size, flags, future
            let is_ours = [LITTLE, BIG].contains(&magic) && cursor.take(16).ok()? == SIGNATURE;
            is_ours.then_some((start, Self { bytes, start, is_big: magic == BIG }))
        })
    }

    fn u32(&self, at: u64) -> Result<u32, Truncated> {
        let mut cursor = Cursor::at(self.bytes, at)?;
        if self.is_big { cursor.u32_be() } else { cursor.u32_le() }
    }

    /// How large the image says to be, without what is before the superblock.
    fn size(&self) -> Result<u64, Truncated> {
        let has_size = self.u32(self.start.saturating_add(8))? & HAS_SIZE != 0;
        let size = self.u32(self.start.saturating_add(4))?;
        Ok(if has_size { size.into() } else { 0 })
    }

    /// The fields are bit fields of a C compiler: the first is at the low end of a little-endian
    /// word and at the high end of a big-endian one.
    fn inode(&self, at: u64) -> Result<Inode, Truncated> {
        let word = |index: u64| self.u32(at.saturating_add(index.saturating_mul(4)));
        let (first, second, third) = (word(0)?, word(1)?, word(2)?);
        Ok(if self.is_big {
            let [high, low, ..] = first.to_be_bytes();
            Inode {
                mode: u16::from_be_bytes([high, low]),
                size: (second >> 8).into(),
                name: u64::from(third >> 26).saturating_mul(4),
                offset: u64::from(third & 0x03ff_ffff).saturating_mul(4),
            }
        } else {
            let [low, high, ..] = first.to_le_bytes();
            Inode {
                mode: u16::from_le_bytes([low, high]),
                size: (second & 0x00ff_ffff).into(),
                name: u64::from(third & 0x3f).saturating_mul(4),
                offset: u64::from(third >> 6).saturating_mul(4),
            }
        })
    }

    /// Walks the folders without recursion; one that was met before is not entered again.
    fn walk(&self, root: &Inode, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let mut met = Chain::default();
        let mut waiting = vec![(root.offset, root.size, Vec::new())];
        while let Some((start, size, path)) = waiting.pop() {
            let mut at = start;
            let end = start.saturating_add(size);
            // An entry that was met begins what has been listed already.
            while at < end && met.step(at) {
                let Ok(inode) = self.inode(at) else {
                    children.not_scanned(Reason::Truncated);
                    break;
                };
                let name = Cursor::at(self.bytes, at.saturating_add(12)).unwrap_or_default();
                let name = name.clone().take_up_to(inode.name);
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                let path = below(&path, name);
                match inode.mode & KIND {
                    FOLDER => waiting.push((inode.offset, inode.size, path)),
                    FILE if inode.offset == 0 && inode.size > 0 => {
                        children.skip(Member::named(path), Reason::corrupt("inode"))?;
                    }
                    FILE => self.file(&inode, path, children)?,
                    _ => {}
                }
                at = at.saturating_add(12).saturating_add(inode.name);
            }
        }
        Ok(())
    }

    fn file(
        &self,
        inode: &Inode,
        path: Vec<u8>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let member = Member { size: Some(inode.size), ..Member::named(path) };
        Ok(children.stream(member, &mut Blocks::new(self.blocks(inode)))?)
    }

    /// The pages of a file, behind the table of where each ends.
    fn blocks(&self, inode: &Inode) -> impl Iterator<Item = Result<Block<'a>, Reason>> + '_ {
        let count = inode.size.div_ceil(PAGE);
        let (table, size) = (inode.offset, inode.size);
        let mut end_before = table.saturating_add(count.saturating_mul(4));
        (0..count).map(move |index| {
            let length = PAGE.min(size.saturating_sub(index.saturating_mul(PAGE)));
            let pointer = self.u32(table.saturating_add(index.saturating_mul(4)))?;
            if pointer & (STORED | DIRECT) != 0 {
                let (block, end) = self.extended(pointer, end_before, length)?;
                end_before = end;
                return Ok(block);
            }
            let start = std::mem::replace(&mut end_before, pointer.into());
            self.page(start, pointer.into(), length)
        })
    }

    /// A page that is packed, or is all zeros and not there.
    fn page(&self, start: u64, end: u64, length: u64) -> Result<Block<'a>, Reason> {
        if start == end {
            return Ok(Block::Zeros(length));
        }
        let size = end.checked_sub(start).ok_or(Reason::corrupt("block pointer"))?;
        let packed = Cursor::at(self.bytes, start)?.take(to_size(size))?;
        let mut page = Codec::Zlib.unpack(packed, to_size(PAGE))?;
        page.resize(to_size(length), 0);
        Ok(Block::Bytes(Cow::Owned(page)))
    }

    /// A page as newer kernels have it, stored as it is or anywhere; and where the next begins.
    fn extended(
        &self,
        pointer: u32,
        end_before: u64,
        length: u64,
    ) -> Result<(Block<'a>, u64), Reason> {
        let place = u64::from(pointer & !(STORED | DIRECT));
        let is_stored = pointer & STORED != 0;
        if pointer & DIRECT == 0 {
            let stored = Cursor::at(self.bytes, end_before)?.take(to_size(length))?;
            return Ok((Block::Bytes(Cow::Borrowed(stored)), place));
        }
        let start = place.saturating_mul(4);
        if is_stored {
            let stored = Cursor::at(self.bytes, start)?.take(to_size(length))?;
            return Ok((Block::Bytes(Cow::Borrowed(stored)), start.saturating_add(length)));
        }
        let size = Cursor::at(self.bytes, start)?;
        let size = { size }.u16_le()?;
        let end = start.saturating_add(2).saturating_add(size.into());
        Ok((self.page(start.saturating_add(2), end, length)?, end))
    }
}

fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

const LITTLE: &[u8] = b"\x45\x3d\xcd\x28";
const BIG: &[u8] = b"\x28\xcd\x3d\x45";
const SIGNATURE: &[u8] = b"Compressed ROMFS";
/// Where the inode of the root is in the superblock.
const ROOT: u64 = 64;
const HAS_SIZE: u32 = 1;
const PAGE: u64 = 4096;
const KIND: u16 = 0xf000;
const FOLDER: u16 = 0x4000;
const FILE: u16 = 0x8000;
/// Flags of a block pointer.
const STORED: u32 = 1 << 31;
const DIRECT: u32 = 1 << 30;

static FORMAT: Format = Format {
    name: "cramfs",
    about: "cramfs file system image",
    extensions: &["cramfs"],
    magic: &[Magic::start(LITTLE), Magic::start(BIG)],
    specification: &["Linux kernel, fs/cramfs/README"],
    limitations: &["blocks of another size than 4096 bytes", "targets of symbolic links"],
};
