//! ext2, ext3 and ext4, as in the Linux kernel's Documentation/filesystems/ext4.

mod folder;
mod inode;
mod volume;

use std::collections::HashSet;

use self::inode::{Inode, Kind};
use self::volume::{Super, Volume};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Run, Walk, Way, offer_runs};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Ext;

impl Unpacker for Ext {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// The magic is short, so the rest of the superblock must make sense.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        FORMAT.matches(subject.bytes())
            && Super::read(subject.bytes()).is_ok_and(|volume| volume.is_sound())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let volume = Volume { image: subject.bytes(), table: Super::read(subject.bytes())? };
        if volume.table.is_compressed() {
            children.not_scanned(Reason::unsupported("files packed by e2compr"));
        }
        let walk = Walk::new(subject.bytes().len() as u64, ROOT, ROOT);
        let mut tree = Tree { volume, walk, met: HashSet::from([ROOT]) };
        tree.folders(children)?;
        tree.orphans(children)
    }
}

/// What is left to walk of a file system, and which inodes were met.
struct Tree<'a> {
    volume: Volume<'a>,
    walk: Walk<u64>,
    met: HashSet<u64>,
}

impl Tree<'_> {
    /// Walks the folders. What breaks one is said, and the others are walked all the same.
    fn folders(&mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        while let Some((number, way)) = self.walk.next() {
            match self.folder(number, &way, children) {
                Err(UnpackError::Reason(reason)) => children.not_scanned(reason),
                other => other?,
            }
        }
        Ok(())
    }

    fn folder(
        &mut self,
        number: u64,
        way: &Way,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let volume = self.volume;
        let folder = volume.inode(number)?;
        if folder.kind != Kind::Folder {
            return Err(Reason::corrupt("folder").into());
        }
        let mut left = folder.size;
        for run in volume.runs(&folder) {
            if left == 0 {
                break;
            }
            let run = run?;
            if let Run::Hole(_) = run {
                self.walk.take(volume.table.block())?;
            }
            if let Run::Stored { at, length } = run {
                let length = length.min(left);
                let bytes = Cursor::at(volume.image, at)?.take_up_to(length);
                self.walk.take(bytes.len() as u64)?;
                self.blocks(bytes, way, children)?;
                if (bytes.len() as u64) < length {
                    return Err(Reason::Truncated.into());
                }
            }
            left = left.saturating_sub(run.length());
        }
        Ok(())
    }

    /// The entries in some blocks of a folder; none crosses a block.
    fn blocks(
        &mut self,
        bytes: &[u8],
        way: &Way,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        for block in bytes.chunks(self.volume.table.block_length()) {
            for entry in folder::entries(block) {
                match entry {
                    Ok((number, name)) => self.entry(number, name, way, children)?,
                    Err(reason) => children.not_scanned(reason),
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        number: u64,
        name: &[u8],
        way: &Way,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        match self.volume.inode(number) {
            Err(reason) => Ok(children.skip(Member::named(way.to(name)), reason)?),
            Ok(inode) if inode.kind == Kind::Folder => {
                self.met.insert(number);
                self.walk.add(number, number, way, name);
                Ok(())
            }
            Ok(inode) => self.file(number, &inode, way.to(name), children),
        }
    }

    /// Offers a file under the first of its names.
    fn file(
        &mut self,
        number: u64,
        inode: &Inode<'_>,
        name: Vec<u8>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        if inode.kind != Kind::File || !self.met.insert(number) {
            return Ok(());
        }
        let member = Member { size: Some(inode.size), ..Member::named(name) };
        if inode.is_encrypted() {
            return Ok(children.skip(Member { encrypted: true, ..member }, Reason::Encrypted)?);
        }
        let runs = self.volume.runs(inode);
        Ok(offer_runs(self.volume.image, runs, inode.size, member, children)?)
    }

    /// What is in use but in no folder: behind a broken one, or open when the system went down.
    fn orphans(&mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let mut left = self.volume.most_inodes();
        for numbers in self.volume.numbers() {
            for number in numbers? {
                let inode = match self.volume.inode(number) {
                    Ok(inode) => inode,
                    Err(reason) => {
                        children.not_scanned(reason);
                        break;
                    }
                };
                left = left.checked_sub(1).ok_or(Reason::corrupt("tables of inodes"))?;
                if inode.links == 0 || self.met.contains(&number) {
                    continue;
                }
                let name = format!("inode@{number}").into_bytes();
                if inode.kind == Kind::Folder {
                    self.met.insert(number);
                    self.walk.add(number, number, &Way::default(), &name);
                    self.folders(children)?;
                } else {
                    self.file(number, &inode, name, children)?;
                }
            }
        }
        Ok(())
    }
}

/// The inode of the root.
const ROOT: u64 = 2;

static FORMAT: Format = Format {
    name: "ext",
    about: "ext2, ext3 or ext4 file system",
    extensions: &["img", "ext2", "ext3", "ext4"],
    magic: &[Magic::at(1080, b"\x53\xef")],
    specification: &["Linux, Documentation/filesystems/ext4"],
    limitations: &[
        "deleted files",
        "what only the journal holds",
        "a file system of which the first superblock is lost",
        "e2compr",
    ],
};
