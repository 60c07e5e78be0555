//! HFS+ and HFSX, as in Apple's Technical Note TN1150.

mod packed;

use std::collections::HashMap;

use self::packed::Packed;
use super::hfs::tree::{Blocks, Folders, Fork, ForkId, Places, Stretch, Tree, overflow, to_size};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Codec, utf16_be};
use crate::subject::Subject;

pub(super) struct HfsPlus;

impl Unpacker for HfsPlus {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        FORMAT.matches(subject.bytes())
            && Volume::read(subject.bytes()).is_ok_and(|volume| volume.is_plausible())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let image = subject.bytes();
        let volume = Volume::read(image)?;
        let [extents, catalog, attributes] = &volume.trees;
        let tables = volume.trees.iter().map(|tree| tree.size).fold(0, u64::saturating_add);
        let tables = tables.min(image.len() as u64).saturating_mul(3);
        let _memory = children.lease(tables.saturating_add(Codec::MEMORY))?;
        let mut blocks = Blocks { image, at: 0, size: volume.block, overflow: HashMap::new() };
        let (more, flaw) = overflow(&blocks, extents, &stretch_record);
        blocks.overflow = more;
        flaw.into_iter().for_each(|flaw| children.not_scanned(flaw));
        let (packed, flaw) = packed::attributes(&blocks, attributes);
        flaw.into_iter().for_each(|flaw| children.not_scanned(flaw));
        Contents { blocks, packed }.offer(catalog, children)
    }
}

/// What is in the volume.
struct Contents<'a> {
    blocks: Blocks<'a>,
    /// The files that the system has packed, by number.
    packed: HashMap<u32, Packed>,
}

impl Contents<'_> {
    fn offer(&self, catalog: &Fork, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let catalog = Tree::open(&self.blocks, catalog)?;
        let mut folders = Folders::default();
        let listed = catalog.records(&mut |record| {
            if let Entry { parent, name, kind: Kind::Folder(id) } = Entry::read(record)? {
                folders.add(id, parent, name.into_bytes());
            }
            Ok(())
        });
        // What is wrong with the tree is met again, with the files.
        drop(listed);
        let mut met = Chain::default();
        catalog.records(&mut |record| {
            let Entry { parent, name, kind: Kind::File(mut forks) } = Entry::read(record)? else {
                return Ok(());
            };
            Fork::only_once(&mut forks, &mut met);
            let [data, resources] = forks;
            let path = folders.path(parent, name.as_bytes());
            match self.packed.get(&data.id.0).filter(|_| data.size == 0) {
                Some(packed) => packed.offer(&self.blocks, &resources, path, children),
                None => {
                    self.blocks.offer(&data, &path, children)?;
                    self.blocks.offer(&resources, &path, children)
                }
            }
        })
    }
}

/// The volume header.
struct Volume {
    version: u16,
    block: u64,
    /// Of extents, the catalog, and of attributes.
    trees: [Fork; 3],
}

impl Volume {
    fn read(image: &[u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(image, 1024 + 2)?;
        let version = cursor.u16_be()?;
        cursor.take(36)?; // attributes, times, counts
        let block = u64::from(cursor.u32_be()?);
        cursor.take(68 + 80)?; // numbers, the Finder's, the file of free blocks
        let trees = [Fork::plus(3, cursor)?, Fork::plus(4, cursor)?, Fork::plus(8, cursor)?];
        Ok(Self { version, block, trees })
    }

    fn is_plausible(&self) -> bool {
        matches!(self.version, 4 | 5) && self.block.is_power_of_two() && self.block >= 512
    }
}

impl Fork {
    /// The length, and the first eight stretches.
    fn plus(id: u32, cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let size = cursor.u64_be()?;
        cursor.take(8)?; // clump size, count of blocks
        Ok(Self { id: (id, false), size, stretches: stretches(cursor)? })
    }
}

fn stretches(cursor: &mut Cursor<'_>) -> Result<Vec<Stretch>, Truncated> {
    (0..8).map(|_| Ok((cursor.u32_be()?, cursor.u32_be()?))).collect()
}

/// A record of the tree of extents.
fn stretch_record(record: &[u8]) -> Result<(ForkId, Vec<Stretch>), Truncated> {
    let cursor = &mut Cursor::at(record, 2)?;
    let is_resources = cursor.u8()? != 0;
    cursor.take(1)?;
    let id = cursor.u32_be()?;
    cursor.take(4)?; // which block of the file is the first
    Ok(((id, is_resources), stretches(cursor)?))
}

/// A record of the catalog.
struct Entry {
    parent: u32,
    name: String,
    kind: Kind,
}

enum Kind {
    Folder(u32),
    /// Data and resources.
    File([Fork; 2]),
    /// A thread, which leads from a number to a name.
    Other,
}

impl Entry {
    fn read(record: &[u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::new(record);
        let length = u64::from(cursor.u16_be()?);
        let parent = cursor.u32_be()?;
        let units = usize::from(cursor.u16_be()?);
        let name = utf16_be(cursor.take(units.saturating_mul(2))?);
        let cursor = &mut Cursor::at(record, length.saturating_add(2).next_multiple_of(2))?;
        let kind = match cursor.u16_be()? {
            1 => {
                cursor.take(6)?; // flags, count
                Kind::Folder(cursor.u32_be()?)
            }
            2 => {
                cursor.take(6)?; // flags
                let id = cursor.u32_be()?;
                cursor.take(76)?; // times, permissions, the Finder's
                let (data, mut resources) = (Fork::plus(id, cursor)?, Fork::plus(id, cursor)?);
                resources.id = (id, true);
                Kind::File([data, resources])
            }
            _ => Kind::Other,
        };
        Ok(Self { parent, name, kind })
    }
}

static FORMAT: Format = Format {
    name: "hfsplus",
    about: "HFS+ file system image (Mac OS Extended), with its compressed files",
    extensions: &["hfs", "hfsx", "img", "dmg"],
    magic: &[Magic::at(1024, b"H+"), Magic::at(1024, b"HX")],
    specification: &["Apple, Technical Note TN1150"],
    limitations: &[
        "extended attributes but those of compressed files",
        "files compressed by LZBITMAP",
        "the journal is not replayed",
    ],
};
