//! HFS, as in Inside Macintosh: Files, chapter 2, "File Manager".

pub(super) mod tree;

use std::collections::HashMap;

use self::tree::{Blocks, Folders, Fork, ForkId, Stretch, Tree, overflow};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::offer_partition;
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Hfs;

impl Unpacker for Hfs {
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
        if let Some((start, count)) = volume.embedded {
            let place = |blocks: u32| u64::from(blocks).saturating_mul(volume.block);
            let range = (volume.at.saturating_add(place(start)), place(count));
            return offer_partition(image, range, Member::from("(HFS+)"), children);
        }
        let tables = volume.extents.size.saturating_add(volume.catalog.size);
        let _memory = children.lease(tables.min(image.len() as u64).saturating_mul(3))?;
        let mut blocks =
            Blocks { image, at: volume.at, size: volume.block, overflow: HashMap::new() };
        let (more, flaw) = overflow(&blocks, &volume.extents, &extents);
        blocks.overflow = more;
        if let Some(flaw) = flaw {
            children.not_scanned(flaw);
        }
        let catalog = Tree::open(&blocks, &volume.catalog)?;
        let mut folders = Folders::default();
        let listed = catalog.records(&mut |record| {
            if let Entry { parent, name, kind: Kind::Folder(id) } = Entry::read(record)? {
                folders.add(id, parent, name.to_vec());
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
            let path = folders.path(parent, name);
            forks.iter().try_for_each(|fork| blocks.offer(fork, &path, children))
        })
    }
}

/// The master directory block.
struct Volume {
    /// Bytes in an allocation block, and where the first is.
    block: u64,
    at: u64,
    /// Where the HFS+ volume is that this one is wrapped around.
    embedded: Option<Stretch>,
    extents: Fork,
    catalog: Fork,
}

impl Volume {
    fn read(image: &[u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(image, 1024 + 20)?;
        let block = u64::from(cursor.u32_be()?);
        cursor.take(4)?; // clump size
        let at = u64::from(cursor.u16_be()?).saturating_mul(512);
        cursor.take(94)?; // numbers, name, times, counts, the Finder's
        let is_wrapper = cursor.take(2)? == b"H+";
        let embedded = (cursor.u16_be()?.into(), cursor.u16_be()?.into());
        let extents = Fork::read(EXTENTS, cursor)?;
        let catalog = Fork::read(CATALOG, cursor)?;
        Ok(Self { block, at, embedded: is_wrapper.then_some(embedded), extents, catalog })
    }

    fn is_plausible(&self) -> bool {
        self.block > 0 && self.block.is_multiple_of(512) && self.at > 1024
    }
}

impl Fork {
    /// The length, and the first three stretches.
    fn read(id: u32, cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let size = cursor.u32_be()?.into();
        Ok(Self { id: (id, false), size, stretches: stretches(cursor)? })
    }
}

fn stretches(cursor: &mut Cursor<'_>) -> Result<Vec<Stretch>, Truncated> {
    (0..3).map(|_| Ok((cursor.u16_be()?.into(), cursor.u16_be()?.into()))).collect()
}

/// A record of the tree of extents.
fn extents(record: &[u8]) -> Result<(ForkId, Vec<Stretch>), Truncated> {
    let cursor = &mut Cursor::at(record, 1)?;
    let is_resources = cursor.u8()? != 0;
    let id = cursor.u32_be()?;
    cursor.take(2)?; // which block of the file is the first
    Ok(((id, is_resources), stretches(cursor)?))
}

/// A record of the catalog.
struct Entry<'r> {
    parent: u32,
    name: &'r [u8],
    kind: Kind,
}

enum Kind {
    Folder(u32),
    /// Data and resources.
    File([Fork; 2]),
    /// A thread, which leads from a number to a name.
    Other,
}

impl<'r> Entry<'r> {
    fn read(record: &'r [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::new(record);
        let length = u64::from(cursor.u8()?);
        cursor.take(1)?;
        let parent = cursor.u32_be()?;
        let size = cursor.u8()?;
        let name = cursor.take(size.into())?;
        let cursor = &mut Cursor::at(record, length.saturating_add(1).next_multiple_of(2))?;
        let kind = cursor.u8()?;
        cursor.take(1)?;
        let kind = match kind {
            1 => {
                cursor.take(4)?; // flags, count
                Kind::Folder(cursor.u32_be()?)
            }
            2 => Kind::File(files(cursor)?),
            _ => Kind::Other,
        };
        Ok(Self { parent, name, kind })
    }
}

/// The forks of a file, from behind the kind of its record.
fn files(cursor: &mut Cursor<'_>) -> Result<[Fork; 2], Truncated> {
    cursor.take(18)?; // flags, the Finder's
    let id = cursor.u32_be()?;
    cursor.take(2)?; // first block
    let data = cursor.u32_be()?.into();
    cursor.take(6)?; // allocated size, first block
    let resources = cursor.u32_be()?.into();
    cursor.take(34)?; // allocated size, times, the Finder's, clump size
    let stretches = [stretches(cursor)?, stretches(cursor)?];
    let [of_data, of_resources] = stretches;
    Ok([
        Fork { id: (id, false), size: data, stretches: of_data },
        Fork { id: (id, true), size: resources, stretches: of_resources },
    ])
}

/// The numbers of the files that the trees are.
const EXTENTS: u32 = 3;
const CATALOG: u32 = 4;

static FORMAT: Format = Format {
    name: "hfs",
    about: "HFS file system image (Mac OS Standard)",
    extensions: &["hfs", "img", "dsk", "iso"],
    magic: &[Magic::at(1024, b"BD")],
    specification: &["Inside Macintosh: Files, chapter 2"],
    limitations: &["MFS, the flat file system before it", "names stay in their Mac encoding"],
};
