//! Metadata blocks: inodes, folders and the table of fragments, packed 8 KiB at a time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use super::inode::Place;
use super::to_size;
use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::decode::Codec;
use crate::verdict::{Limit, Reason};

/// The metadata blocks that have been unpacked, each once, by where they begin.
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    codec: Codec,
    blocks: HashMap<u64, Result<Block, Reason>>,
    lease: Lease,
    unpacked: u64,
}

#[derive(Clone)]
struct Block {
    content: Rc<[u8]>,
    /// Where the block behind it begins.
    next: u64,
}

impl<'a> Table<'a> {
    pub(super) fn new(bytes: &'a [u8], codec: Codec, lease: Lease) -> Self {
        Self { bytes, codec, blocks: HashMap::new(), lease, unpacked: 0 }
    }

    /// How many bytes the blocks met so far have.
    pub(super) fn unpacked(&self) -> u64 {
        self.unpacked
    }

    fn block(&mut self, at: u64) -> Result<Block, Reason> {
        match self.blocks.entry(at) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                if !self.lease.grow(SIZE as u64) {
                    return Err(Reason::Limit(Limit::Memory));
                }
                let block = unpack(self.bytes, self.codec, at);
                let length = block.as_ref().map_or(0, |block| block.content.len());
                self.unpacked = self.unpacked.saturating_add(length as u64);
                place.insert(block).clone()
            }
        }
    }
}

/// The block at `at`, behind two bytes that say how large it is and whether it is packed.
fn unpack(bytes: &[u8], codec: Codec, at: u64) -> Result<Block, Reason> {
    let cursor = &mut Cursor::at(bytes, at)?;
    let header = usize::from(cursor.u16_le()?);
    let packed = cursor.take(header & 0x7fff)?;
    let content = match header & STORED {
        0 => codec.unpack(packed, SIZE).map_err(|_| Reason::corrupt("metadata block"))?,
        _ => packed.to_vec(),
    };
    // A block without content would let a walk stand still.
    if content.is_empty() || content.len() > SIZE {
        return Err(Reason::corrupt("metadata block"));
    }
    Ok(Block { content: content.into(), next: cursor.position() as u64 })
}

/// Reads over the borders of blocks.
pub(super) struct Reader<'t, 'a> {
    table: &'t mut Table<'a>,
    place: Place,
}

impl<'t, 'a> Reader<'t, 'a> {
    pub(super) fn new(table: &'t mut Table<'a>, place: Place) -> Self {
        Self { table, place }
    }

    /// Where the reader stands.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Reason> {
        let mut bytes = Vec::new();
        while let Some(left @ 1..) = count.checked_sub(bytes.len() as u64) {
            let block = self.table.block(self.place.block)?;
            let size = block.content.len() as u64;
            if self.place.offset >= size {
                let offset = self.place.offset.saturating_sub(size);
                self.place = Place { block: block.next, offset };
                continue;
            }
            let rest = block.content.get(to_size(self.place.offset)..).unwrap_or_default();
            let taken = rest.get(..to_size(left)).unwrap_or(rest);
            bytes.extend_from_slice(taken);
            self.place = self.place.plus(taken.len() as u64);
        }
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let bytes = self.bytes(N as u64)?;
        <[u8; N]>::try_from(bytes).map_err(|_| Reason::Truncated)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Reason> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Reason> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Reason> {
        self.array().map(u64::from_le_bytes)
    }
}

const SIZE: usize = 8 << 10;
const STORED: usize = 0x8000;
