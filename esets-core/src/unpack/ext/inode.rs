//! Inodes of ext2-4: in a map of blocks, in a tree of extents, or with the data inside.

use super::volume::Volume;
use crate::cursor::{Cursor, Truncated};
use crate::decode::Run;
use crate::verdict::Reason;

/// What an inode is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Other,
}

pub(super) struct Inode<'a> {
    /// Where it is in the image.
    at: u64,
    bytes: &'a [u8],
    pub(super) kind: Kind,
    pub(super) size: u64,
    pub(super) links: u16,
    flags: u32,
}

impl<'a> Inode<'a> {
    pub(super) fn read(image: &'a [u8], at: u64, size: u64) -> Result<Self, Truncated> {
        let bytes = Cursor::at(image, at)?.take(usize::try_from(size).map_err(|_| Truncated)?)?;
        let word = |offset| Cursor::at(bytes, offset)?.u32_le();
        let half = |offset| Cursor::at(bytes, offset)?.u16_le();
        let kind = match half(0)? & 0xf000 {
            0x4000 => Kind::Folder,
            0x8000 => Kind::File,
            _ => Kind::Other,
        };
        let size = u64::from(word(108)?) << 32 | u64::from(word(4)?);
        Ok(Self { at, bytes, kind, size, links: half(26)?, flags: word(32)? })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// The 60 bytes that hold the data, or say where it is.
    fn field(&self) -> &'a [u8] {
        self.bytes.get(40..100).unwrap_or_default()
    }

    /// The data inside: in the field, and behind it among the attributes. A folder begins with
    /// the number of its parent.
    fn inside(&self) -> impl Iterator<Item = Run> {
        let field = Run::Stored { at: self.at.saturating_add(40), length: 60 };
        let field = field.behind(if self.kind == Kind::Folder { 4 } else { 0 });
        let more = self.attribute().ok().flatten();
        let more =
            more.map(|(offset, length)| Run::Stored { at: self.at.saturating_add(offset), length });
        [field].into_iter().chain(more)
    }

    /// Offset and length of the attribute `system.data`.
    fn attribute(&self) -> Result<Option<(u64, u64)>, Truncated> {
        let start = 132_u64.saturating_add(Cursor::at(self.bytes, 128)?.u16_le()?.into());
        if Cursor::at(self.bytes, start.saturating_sub(4))?.u32_le()? != ATTRIBUTES {
            return Ok(None);
        }
        let cursor = &mut Cursor::at(self.bytes, start)?;
        loop {
            let name_length = cursor.u8()?;
            let kind = cursor.u8()?;
            let offset = u64::from(cursor.u16_le()?);
            if name_length == 0 && kind == 0 && offset == 0 {
                return Ok(None);
            }
            cursor.take(4)?; // inode of the value
            let length = u64::from(cursor.u32_le()?);
            cursor.take(4)?; // hash
            let name = cursor.take(name_length.into())?;
            if kind == SYSTEM && name == b"data" {
                return Ok(Some((start.saturating_add(offset), length)));
            }
            cursor.take_up_to(u64::from(name_length.wrapping_neg() & 3));
        }
    }
}

impl<'a> Volume<'a> {
    /// Where the data of an inode is; zeros without end behind it.
    pub(super) fn runs(
        self,
        inode: &Inode<'a>,
    ) -> Box<dyn Iterator<Item = Result<Run, Reason>> + 'a> {
        let field = inode.field();
        if inode.flags & INSIDE != 0 {
            let runs: Vec<_> = inode.inside().map(Ok).collect();
            Box::new(runs.into_iter())
        } else if inode.flags & EXTENTS != 0 {
            let tree = Tree::new(self, field);
            Box::new(tree.chain([Ok(Run::Hole(u64::MAX))]))
        } else {
            Box::new(self.map(field))
        }
    }

    /// The blocks of a map, one after the other.
    fn map(self, field: &'a [u8]) -> impl Iterator<Item = Result<Run, Reason>> + use<'a> {
        let mut index = Some(0_u64);
        std::iter::from_fn(move || {
            let run = self.mapped(field, index?);
            let count = match &run {
                Ok(run) => run.length().checked_div(self.table.block()),
                Err(_) => None,
            };
            index = count.and_then(|count| index?.checked_add(count));
            Some(run)
        })
    }

    /// Where the block of that number is, or how long the hole there is.
    fn mapped(&self, field: &[u8], index: u64) -> Result<Run, Reason> {
        let block = self.table.block();
        let in_block = block / 4;
        let (mut slot, mut span, mut inside) = (index, 1, 0);
        if let Some(mut left) = index.checked_sub(DIRECT) {
            slot = DIRECT;
            span = in_block;
            while left >= span {
                left = left.saturating_sub(span);
                span = span.saturating_mul(in_block);
                slot = slot.saturating_add(1);
            }
            inside = left;
        }
        if slot > DIRECT + 2 {
            return Err(Reason::corrupt("map of blocks"));
        }
        let mut pointer = Cursor::at(field, slot.saturating_mul(4))?.u32_le()?;
        while span > 1 && pointer != 0 {
            span = span.checked_div(in_block).unwrap_or(1);
            let place = inside.checked_div(span).unwrap_or(0).saturating_mul(4);
            inside = inside.checked_rem(span).unwrap_or(0);
            let at = u64::from(pointer).saturating_mul(block).saturating_add(place);
            pointer = Cursor::at(self.image, at)?.u32_le()?;
        }
        Ok(match pointer {
            0 => Run::Hole(span.saturating_sub(inside).saturating_mul(block)),
            _ => Run::Stored { at: u64::from(pointer).saturating_mul(block), length: block },
        })
    }
}

/// The leaves of a tree of extents, in order, and the holes between them.
struct Tree<'a> {
    volume: Volume<'a>,
    /// The way to the next leaf: the height of a node, and its entries still to come.
    nodes: Vec<(u16, &'a [[u8; 12]])>,
    broken: bool,
    /// The block of the file that comes next.
    position: u64,
    /// What lies behind the hole that was yielded.
    behind: Option<Run>,
}

impl<'a> Tree<'a> {
    fn new(volume: Volume<'a>, root: &'a [u8]) -> Self {
        let node = node(root);
        let broken = node.is_err();
        let nodes = node.into_iter().collect();
        Self { volume, nodes, broken, position: 0, behind: None }
    }

    fn step(&mut self) -> Result<Option<Run>, Reason> {
        if self.broken {
            return Err(Reason::corrupt("tree of extents"));
        }
        if let Some(run) = self.behind.take() {
            return Ok(Some(run));
        }
        while let Some((height, entries)) = self.nodes.last_mut() {
            let Some((entry, rest)) = entries.split_first() else {
                self.nodes.pop();
                continue;
            };
            *entries = rest;
            let height = *height;
            if height == 0 {
                return self.leaf(entry).map(Some);
            }
            let child = self.child(entry)?;
            // A lower height at every step and no empty node: so every step leads to a leaf.
            if child.0.saturating_add(1) != height || child.1.is_empty() {
                return Err(Reason::corrupt("tree of extents"));
            }
            self.nodes.push(child);
        }
        Ok(None)
    }

    fn child(&self, entry: &[u8; 12]) -> Result<(u16, &'a [[u8; 12]]), Reason> {
        let cursor = &mut Cursor::at(entry, 4)?;
        let low = u64::from(cursor.u32_le()?);
        let block = u64::from(cursor.u16_le()?) << 32 | low;
        let length = self.volume.table.block();
        let at = block.saturating_mul(length);
        node(Cursor::at(self.volume.image, at)?.take_up_to(length))
    }

    fn leaf(&mut self, entry: &[u8; 12]) -> Result<Run, Reason> {
        let cursor = &mut Cursor::new(entry);
        let first = u64::from(cursor.u32_le()?);
        let count = u64::from(cursor.u16_le()?);
        let high = u64::from(cursor.u16_le()?);
        let start = high << 32 | u64::from(cursor.u32_le()?);
        let block = self.volume.table.block();
        let gap = first.checked_sub(self.position).filter(|_| count > 0);
        let gap = gap.ok_or(Reason::corrupt("tree of extents"))?.saturating_mul(block);
        let is_written = count <= MOST_WRITTEN;
        let count = if is_written { count } else { count.saturating_sub(MOST_WRITTEN) };
        self.position = first.saturating_add(count);
        let length = count.saturating_mul(block);
        let run = match is_written {
            true => Run::Stored { at: start.saturating_mul(block), length },
            false => Run::Hole(length),
        };
        if gap == 0 {
            return Ok(run);
        }
        self.behind = Some(run);
        Ok(Run::Hole(gap))
    }
}

impl Iterator for Tree<'_> {
    type Item = Result<Run, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        let run = self.step().transpose();
        if let Some(Err(_)) = run {
            self.broken = false;
            self.nodes.clear();
        }
        run
    }
}

/// The height and the entries of a node.
fn node(bytes: &[u8]) -> Result<(u16, &[[u8; 12]]), Reason> {
    let cursor = &mut Cursor::new(bytes);
    let magic = cursor.u16_le()?;
    let count = usize::from(cursor.u16_le()?);
    cursor.take(2)?; // most entries
    let height = cursor.u16_le()?;
    cursor.take(4)?; // generation
    let entries = cursor.rest().as_chunks().0.get(..count);
    let entries = entries.filter(|_| magic == NODE && height <= 5);
    Ok((height, entries.ok_or(Reason::corrupt("tree of extents"))?))
}

const ATTRIBUTES: u32 = 0xea02_0000;
const DIRECT: u64 = 12;
const ENCRYPTED: u32 = 0x800;
const EXTENTS: u32 = 0x8_0000;
const INSIDE: u32 = 0x1000_0000;
/// Extents longer than this are reserved, and read as zeros.
const MOST_WRITTEN: u64 = 32768;
const NODE: u16 = 0xf30a;
/// The kind of attribute that data inside is.
const SYSTEM: u8 = 7;
