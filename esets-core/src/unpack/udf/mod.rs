//! UDF (ECMA-167): discs and drives, also with virtual, sparable and metadata partitions.

mod entry;
mod volume;

use std::collections::HashSet;

use self::entry::{Entry, Name, names};
use self::volume::{Address, Volume};
use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Extents, Walk, Way, extents, head, offer_runs};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Udf;

impl Unpacker for Udf {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// Looks for the descriptor of the standard among those from byte 32768 on (2/8.3).
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        (0..MOST_DESCRIPTORS).any(|index| {
            let at = FIRST_DESCRIPTOR.saturating_add(index.saturating_mul(2048));
            let descriptor = Cursor::at(subject.bytes(), at).map(|mut bytes| bytes.take_up_to(6));
            matches!(descriptor, Ok(b"\0NSR02" | b"\0NSR03"))
        })
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let volume = Volume::open(subject.bytes())?;
        let sets = volume.sets()?;
        let size = subject.bytes().len() as u64;
        for root in sets {
            let walk = Walk::new(size, root.key(), root);
            let mut tree = Tree { volume: &volume, walk, met: HashSet::new() };
            tree.folders(children)?;
        }
        Ok(())
    }
}

/// What is left to walk of a set of files, and what was met.
struct Tree<'v, 'a> {
    volume: &'v Volume<'a>,
    walk: Walk<Address>,
    met: HashSet<u64>,
}

impl Tree<'_, '_> {
    /// Walks the folders. What breaks one is said, and the others are walked all the same.
    fn folders(&mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        while let Some((address, way)) = self.walk.next() {
            match self.folder(address, &way, children) {
                Err(UnpackError::Reason(reason)) => children.not_scanned(reason),
                other => other?,
            }
        }
        Ok(())
    }

    fn folder(
        &mut self,
        address: Address,
        way: &Way,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let volume = self.volume;
        let folder = volume.entry(address)?;
        self.walk.take(folder.size)?;
        let lease = children.lease(folder.size)?;
        let limit = usize::try_from(folder.size).unwrap_or(usize::MAX);
        let mut reader = Extents::new(extents(volume.image, volume.data(&folder), folder.size));
        let content = head(&mut reader, limit);
        for name in names(&content) {
            self.name(&name?, way, children)?;
        }
        drop(lease);
        if content.len() < limit { Err(Reason::corrupt("folder").into()) } else { Ok(()) }
    }

    fn name(
        &mut self,
        name: &Name,
        way: &Way,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        if name.is_folder {
            self.walk.add(name.address.key(), name.address, way, &name.name);
            return Ok(());
        }
        if !self.met.insert(name.address.key()) {
            return Ok(());
        }
        let member = Member::named(way.to(&name.name));
        match self.volume.entry(name.address) {
            Err(reason) => Ok(children.skip(member, reason)?),
            Ok(entry) => {
                if let Some(streams) = entry.streams {
                    self.walk.add(streams.key(), streams, way, &name.name);
                }
                self.file(&entry, member, children)
            }
        }
    }

    fn file(
        &self,
        entry: &Entry<'_>,
        member: Member<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        if !entry.is_file() {
            return Ok(());
        }
        let member = Member { size: Some(entry.size), ..member };
        let runs = self.volume.data(entry);
        Ok(offer_runs(self.volume.image, runs, entry.size, member, children)?)
    }
}

const FIRST_DESCRIPTOR: u64 = 32768;
const MOST_DESCRIPTORS: u64 = 64;

static FORMAT: Format = Format {
    name: "udf",
    about: "UDF disc image",
    extensions: &["iso", "udf", "img"],
    magic: &[],
    specification: &["ECMA-167", "OSTA Universal Disk Format 2.60"],
    limitations: &["entries that were overwritten on discs written once (strategy 4096)"],
};
