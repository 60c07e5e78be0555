//! The superblock of ext2-4, and where it says that inodes are.

use std::ops::Range;

use super::inode::Inode;
use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// What the superblock says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Super {
    inodes: u64,
    first_block: u64,
    block_shift: u32,
    group_blocks: u64,
    group_inodes: u64,
    first_inode: u64,
    inode_size: u64,
    incompatible: u32,
    read_only: u32,
    descriptor: u64,
    first_meta_group: u64,
}

impl Super {
    pub(super) fn read(image: &[u8]) -> Result<Self, Truncated> {
        let field = |offset: u64| Cursor::at(image, offset.saturating_add(1024));
        let word = |offset| field(offset)?.u32_le();
        let half = |offset| field(offset)?.u16_le();
        let is_old = word(76)? == 0;
        let incompatible = word(96)?;
        Ok(Self {
            inodes: word(0)?.into(),
            first_block: word(20)?.into(),
            block_shift: word(24)?.saturating_add(10),
            group_blocks: word(32)?.into(),
            group_inodes: word(40)?.into(),
            first_inode: if is_old { 11 } else { word(84)?.into() },
            inode_size: if is_old { 128 } else { half(88)?.into() },
            incompatible,
            read_only: word(100)?,
            descriptor: if incompatible & WIDE == 0 { 32 } else { half(254)?.into() },
            first_meta_group: word(260)?.into(),
        })
    }

    pub(super) fn is_sound(&self) -> bool {
        (10..=16).contains(&self.block_shift)
            && self.group_blocks > 0
            && self.group_inodes > 0
            && self.inode_size.is_power_of_two()
            && (128..=self.block()).contains(&self.inode_size)
            && (32..=self.block()).contains(&self.descriptor)
            && self.incompatible & JOURNAL_DEVICE == 0
    }

    /// Bytes in a block.
    pub(super) fn block(&self) -> u64 {
        1 << self.block_shift.min(16)
    }

    /// The same, as the length of a slice.
    pub(super) fn block_length(&self) -> usize {
        1 << self.block_shift.min(16)
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.incompatible & COMPRESSION != 0
    }

    /// Where the descriptor of a group is.
    fn descriptor_at(&self, group: u64) -> u64 {
        let in_block = self.block().checked_div(self.descriptor).unwrap_or(1).max(1);
        let index = group.checked_div(in_block).unwrap_or(0);
        let inside = group.checked_rem(in_block).unwrap_or(0).saturating_mul(self.descriptor);
        let block = if self.incompatible & META_GROUPS != 0 && index >= self.first_meta_group {
            let first = index.saturating_mul(in_block);
            let start = first.saturating_mul(self.group_blocks);
            start.saturating_add(u64::from(self.has_copy(first)))
        } else {
            index.saturating_add(1)
        };
        let block = block.saturating_add(self.first_block);
        block.saturating_mul(self.block()).saturating_add(inside)
    }

    /// Whether a group begins with a copy of the superblock.
    fn has_copy(&self, group: u64) -> bool {
        let is_power = |base: u64| {
            std::iter::successors(Some(base), |power| power.checked_mul(base))
                .take_while(|power| *power <= group)
                .any(|power| power == group)
        };
        self.read_only & SPARSE_COPIES == 0 || group < 2 || [3, 5, 7].into_iter().any(is_power)
    }
}

/// A file system in an image.
#[derive(Clone, Copy)]
pub(super) struct Volume<'a> {
    pub(super) image: &'a [u8],
    pub(super) table: Super,
}

/// What a group of blocks says of its inodes.
struct Group {
    /// The first block of their table.
    table: u64,
    /// How many at the end were never used.
    unused: u64,
}

impl<'a> Volume<'a> {
    /// The inode of that number, which counts from 1.
    pub(super) fn inode(&self, number: u64) -> Result<Inode<'a>, Reason> {
        let index = number.checked_sub(1).filter(|index| *index < self.table.inodes);
        let index = index.ok_or(Reason::corrupt("number of an inode"))?;
        let group = index.checked_div(self.table.group_inodes).unwrap_or(0);
        let inside = index.checked_rem(self.table.group_inodes).unwrap_or(0);
        let table = self.group(group)?.table.saturating_mul(self.table.block());
        let at = table.saturating_add(inside.saturating_mul(self.table.inode_size));
        Ok(Inode::read(self.image, at, self.table.inode_size)?)
    }

    /// How many inodes the image has room for.
    pub(super) fn most_inodes(&self) -> u64 {
        let room = (self.image.len() as u64).checked_div(self.table.inode_size);
        room.unwrap_or(0)
    }

    /// The numbers of the inodes that may be in use, group by group.
    pub(super) fn numbers(self) -> impl Iterator<Item = Result<Range<u64>, Reason>> + use<'a> {
        let groups = self.table.inodes.div_ceil(self.table.group_inodes.max(1));
        let mut is_broken = false;
        (0..groups).map_while(move |group| {
            if is_broken {
                return None;
            }
            let numbers = self.numbers_of(group);
            is_broken = numbers.is_err();
            Some(numbers)
        })
    }

    fn numbers_of(&self, group: u64) -> Result<Range<u64>, Reason> {
        let unused = self.group(group)?.unused;
        let first = group.saturating_mul(self.table.group_inodes).saturating_add(1);
        let count = self.table.group_inodes.saturating_sub(unused);
        let end = first.saturating_add(count).min(self.table.inodes.saturating_add(1));
        Ok(first.max(self.table.first_inode)..end)
    }

    fn group(&self, group: u64) -> Result<Group, Truncated> {
        let at = self.table.descriptor_at(group);
        let bytes = Cursor::at(self.image, at)?.take_up_to(self.table.descriptor);
        let half = |offset| Cursor::at(bytes, offset)?.u16_le().map(u64::from);
        let word = |offset| Cursor::at(bytes, offset)?.u32_le().map(u64::from);
        let is_wide = self.table.descriptor >= 64;
        let high = if is_wide { word(40)? } else { 0 };
        let unused = match self.table.read_only & CHECKSUMS {
            0 => 0,
            _ if half(18)? & UNUSED_TABLE != 0 => self.table.group_inodes,
            _ => half(28)? | if is_wide { half(50)? << 16 } else { 0 },
        };
        Ok(Group { table: high << 32 | word(8)?, unused })
    }
}

const COMPRESSION: u32 = 0x1;
const JOURNAL_DEVICE: u32 = 0x8;
const META_GROUPS: u32 = 0x10;
const WIDE: u32 = 0x80;
const SPARSE_COPIES: u32 = 0x1;
/// Either of the features with which groups say what they do not use.
const CHECKSUMS: u32 = 0x410;
const UNUSED_TABLE: u64 = 1;
