//! EROFS, as in the Linux kernel's Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h.

mod packed;

use self::packed::Clusters;
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Blocks, Run, Walk, offer_runs};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Erofs;

impl Unpacker for Erofs {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let volume = Volume::read(subject.bytes())?;
        let _memory = children.lease(packed::MOST)?;
        volume.walk(children)
    }
}

/// The superblock.
struct Volume<'a> {
    image: &'a [u8],
    /// Bytes in a block, as a power of two.
    bits: u32,
    root: u64,
    /// Where inodes are counted from.
    inodes: u64,
}

impl<'a> Volume<'a> {
    fn read(image: &'a [u8]) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(image, 1024 + 12)?;
        let bits = u32::from(cursor.u8()?);
        cursor.take(1)?;
        let root = u64::from(cursor.u16_le()?);
        cursor.take(24)?; // counts, times, blocks
        let inodes = u64::from(cursor.u32_le()?);
        if !(9..=16).contains(&bits) {
            return Err(Reason::corrupt("block size"));
        }
        Ok(Self { image, bits, root, inodes: inodes << bits })
    }

    fn block(&self) -> u64 {
        1 << self.bits
    }

    fn walk(&self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let root = self.inode(self.root)?;
        let mut walk = Walk::new(self.image.len() as u64, self.root, root);
        let mut met = Chain::default();
        while let Some((folder, way)) = walk.next() {
            // Its content, and a name for each twelve bytes of that.
            let _folder =
                children.lease(folder.size.min(self.image.len() as u64).saturating_mul(4))?;
            let entries = match walk.take(folder.size).and_then(|()| self.list(&folder)) {
                Ok(entries) => entries,
                Err(reason) => {
                    children.not_scanned(reason);
                    continue;
                }
            };
            for (number, name) in entries {
                let inode = match self.inode(number) {
                    Ok(inode) if inode.mode & KIND == FOLDER => {
                        walk.add(number, inode, &way, &name);
                        continue;
                    }
                    inode => inode,
                };
                let path = way.to(&name);
                match inode {
                    // Another name of what has been met is not offered again.
                    Ok(inode) if inode.mode & KIND == FILE && met.step(number) => {
                        self.file(&inode, path, children)?;
                    }
                    Ok(_) => {}
                    Err(reason) => children.skip(Member::named(path), reason.into())?,
                }
            }
        }
        Ok(())
    }

    fn inode(&self, number: u64) -> Result<Inode, Truncated> {
        let at = self.inodes.saturating_add(number.saturating_mul(32));
        let cursor = &mut Cursor::at(self.image, at)?;
        let format = cursor.u16_le()?;
        let attributes = match u64::from(cursor.u16_le()?) {
            0 => 0,
            count => count.saturating_sub(1).saturating_mul(4).saturating_add(12),
        };
        let mode = cursor.u16_le()?;
        cursor.take(2)?; // links
        let is_long = format & 1 != 0;
        let size = if is_long { cursor.u64_le()? } else { cursor.u32_le()?.into() };
        if !is_long {
            cursor.take(4)?;
        }
        let place = cursor.u32_le()?;
        let length = if is_long { 64 } else { 32 };
        let end = at.saturating_add(length).saturating_add(attributes);
        Ok(Inode { layout: format >> 1 & 7, mode, size, place, end })
    }

    /// The numbers and names in a folder, block by block.
    fn list(&self, folder: &Inode) -> Result<Vec<(u64, Vec<u8>)>, Reason> {
        let mut entries = Vec::new();
        let content = self.content(folder)?;
        let block = usize::try_from(self.block()).unwrap_or(usize::MAX);
        for block in content.chunks(block) {
            let first = usize::from(Cursor::at(block, 8)?.u16_le()?);
            let (table, _) = block.get(..first).unwrap_or_default().as_chunks::<12>();
            let start =
                |entry: &[u8; 12]| Ok::<_, Truncated>(usize::from(Cursor::at(entry, 8)?.u16_le()?));
            for (at, entry) in table.iter().enumerate() {
                let next = table.get(at.saturating_add(1)).map(start).transpose()?;
                let start = start(entry)?;
                let name = block.get(start..next.unwrap_or(block.len()));
                let name = name.ok_or(Reason::corrupt("folder"))?;
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                if name != b"." && name != b".." {
                    entries.push((Cursor::new(entry).u64_le()?, name.to_vec()));
                }
            }
        }
        Ok(entries)
    }

    /// The content of a folder, which is not longer than the image.
    fn content(&self, folder: &Inode) -> Result<Vec<u8>, Reason> {
        let mut content = Vec::new();
        for run in self.runs(folder)? {
            let left = folder.size.saturating_sub(content.len() as u64);
            let Run::Stored { at, length } = run? else {
                return Err(Reason::corrupt("folder"));
            };
            let length = usize::try_from(length.min(left)).map_err(|_| Truncated)?;
            content.extend_from_slice(Cursor::at(self.image, at)?.take(length)?);
        }
        Ok(content)
    }

    fn file(
        &self,
        inode: &Inode,
        path: Vec<u8>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let member = Member { size: Some(inode.size), ..Member::named(path) };
        if matches!(inode.layout, FULL | COMPACT) {
            match Clusters::open(self.image, self.bits, inode) {
                Ok(clusters) => children.stream(member, &mut Blocks::new(clusters.blocks()))?,
                Err(reason) => children.skip(member, reason)?,
            }
            return Ok(());
        }
        match self.runs(inode) {
            Ok(runs) => offer_runs(self.image, runs, inode.size, member, children)?,
            Err(reason) => children.skip(member, reason)?,
        }
        Ok(())
    }

    /// Where a content lies that is not packed.
    fn runs(
        &self,
        inode: &Inode,
    ) -> Result<Box<dyn Iterator<Item = Result<Run, Reason>> + 'a>, Reason> {
        let at = u64::from(inode.place) << self.bits;
        let whole = inode.size.saturating_sub(1) & !self.block().saturating_sub(1);
        Ok(match inode.layout {
            PLAIN => Box::new(std::iter::once(Ok(Run::Stored { at, length: inode.size }))),
            INLINE => {
                let end = inode.size.saturating_sub(whole);
                let runs =
                    [Run::Stored { at, length: whole }, Run::Stored { at: inode.end, length: end }];
                Box::new(runs.into_iter().filter(|run| run.length() > 0).map(Ok))
            }
            CHUNKS => Box::new(self.chunks(inode)),
            FULL | COMPACT => return Err(Reason::unsupported("a folder that is packed")),
            _ => return Err(Reason::corrupt("inode")),
        })
    }

    /// Chunks of equal size, each with its first block in a table behind the inode.
    fn chunks(&self, inode: &Inode) -> impl Iterator<Item = Result<Run, Reason>> + use<'a> {
        let (image, bits) = (self.image, self.bits);
        let has_devices = inode.place & 0x20 != 0;
        let width = if has_devices { 8 } else { 4 };
        let table = inode.end.next_multiple_of(width);
        let length = 1_u64 << bits.saturating_add(inode.place & 0x1f).min(62);
        (0..inode.size.div_ceil(length)).map(move |index| {
            let at = table.saturating_add(index.saturating_mul(width));
            let entry = &mut Cursor::at(image, at)?;
            if has_devices && entry.u32_le()? >> 16 != 0 {
                return Err(Reason::unsupported("content on another device"));
            }
            Ok(match entry.u32_le()? {
                u32::MAX => Run::Hole(length),
                block => Run::Stored { at: u64::from(block) << bits, length },
            })
        })
    }
}

struct Inode {
    layout: u16,
    mode: u16,
    size: u64,
    /// What this says depends on the layout.
    place: u32,
    /// Where the inode and its attributes end.
    end: u64,
}

/// Layouts.
const PLAIN: u16 = 0;
const FULL: u16 = 1;
const INLINE: u16 = 2;
const COMPACT: u16 = 3;
const CHUNKS: u16 = 4;
const KIND: u16 = 0xf000;
const FOLDER: u16 = 0x4000;
const FILE: u16 = 0x8000;

static FORMAT: Format = Format {
    name: "erofs",
    about: "EROFS file system image",
    extensions: &["erofs", "img"],
    magic: &[Magic::at(1024, b"\xe2\xe1\xf5\xe0")],
    specification: &["Linux kernel, Documentation/filesystems/erofs.rst"],
    limitations: &[
        "packed otherwise than by LZ4: LZMA, DEFLATE, Zstandard",
        "fragments, packed folders, images of several devices",
        "extended attributes",
        "targets of symbolic links",
    ],
};
