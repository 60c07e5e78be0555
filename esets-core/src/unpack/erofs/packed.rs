//! Packed files: an index with one entry for each cluster of the content says where the packed
//! ones begin.

use std::borrow::Cow;

use super::{COMPACT, Inode};
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Block, Codec};
use crate::verdict::Reason;

/// The clusters of one file.
#[derive(Clone)]
pub(super) struct Clusters<'a> {
    image: &'a [u8],
    /// Bytes in a block and in a cluster, as powers of two.
    block: u32,
    cluster: u32,
    size: u64,
    count: u64,
    is_compact: bool,
    has_large: bool,
    /// Where the index begins, and how many of its entries are of each width.
    index: u64,
    first: u64,
    narrow: u64,
    /// How long the last packed cluster is, if it lies behind the index.
    inline: Option<u64>,
}

/// What the index says of a cluster.
#[derive(Clone, Copy)]
enum Entry {
    /// A packed one begins in it, at this offset and in this block of the image.
    Head { offset: u64, block: u64, is_stored: bool },
    /// All of it belongs to the one before; it may say how many blocks that takes.
    Inner { blocks: Option<u64> },
}

impl<'a> Clusters<'a> {
    pub(super) fn open(image: &'a [u8], block: u32, inode: &Inode) -> Result<Self, Reason> {
        let header = inode.end.next_multiple_of(8);
        let cursor = &mut Cursor::at(image, header)?;
        cursor.take(2)?;
        let inline = u64::from(cursor.u16_le()?);
        let advice = cursor.u16_le()?;
        let (algorithms, bits) = (cursor.u8()?, cursor.u8()?);
        if algorithms != 0 {
            return Err(Reason::unsupported("compression of a file"));
        }
        if advice & !(NARROW | LARGE | INLINE) != 0 || bits & 0x80 != 0 {
            return Err(Reason::unsupported("fragments"));
        }
        let cluster = block.saturating_add(u32::from(bits & 7));
        let is_compact = inode.layout == COMPACT;
        let count = inode.size.div_ceil(1 << cluster);
        let index = header.saturating_add(if is_compact { 8 } else { 16 });
        // Narrow entries stand where they are aligned to 32 bytes.
        let first = (32_u64.saturating_sub(index % 32) / 4 % 8).min(count);
        let narrow = if advice & NARROW == 0 { 0 } else { count.saturating_sub(first) & !15 };
        Ok(Self {
            image,
            block,
            cluster,
            size: inode.size,
            count,
            is_compact,
            has_large: advice & LARGE != 0,
            index,
            first,
            narrow,
            inline: (advice & INLINE != 0).then_some(inline),
        })
    }

    /// The content, one packed cluster after the other.
    pub(super) fn blocks(self) -> impl Iterator<Item = Result<Block<'a>, Reason>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let head = at;
            (at < self.count).then(|| {
                let entry = self.entry(head)?;
                let Entry::Head { offset, block, is_stored } = entry else {
                    return Err(Reason::corrupt("index of clusters"));
                };
                let mut blocks = 1;
                at = at.saturating_add(1);
                let end = loop {
                    if at >= self.count {
                        break self.size;
                    }
                    match self.entry(at)? {
                        Entry::Head { offset, .. } => {
                            let next = (at << self.cluster).saturating_add(offset);
                            if next < self.size {
                                break next;
                            }
                            at = self.count; // It only marks the end of the file.
                            break self.size;
                        }
                        Entry::Inner { blocks: Some(count) } => blocks = count,
                        Entry::Inner { blocks: None } => {}
                    }
                    at = at.saturating_add(1);
                };
                let start = (head << self.cluster).saturating_add(offset);
                let length = end.checked_sub(start).ok_or(Reason::corrupt("index of clusters"))?;
                let packed = match self.inline.filter(|_| at >= self.count) {
                    Some(size) => self.take(self.index_end(), size),
                    None => self.take(block << self.block, blocks << self.block),
                };
                open(packed?, length, is_stored)
            })
        })
    }

    fn take(&self, at: u64, length: u64) -> Result<&'a [u8], Truncated> {
        Cursor::at(self.image, at)?.take(usize::try_from(length).map_err(|_| Truncated)?)
    }

    fn entry(&self, at: u64) -> Result<Entry, Reason> {
        if self.is_compact { self.compact(at) } else { self.full(at) }
    }

    /// Eight bytes for each cluster.
    fn full(&self, at: u64) -> Result<Entry, Reason> {
        let place = self.index.saturating_add(at.saturating_mul(8));
        let cursor = &mut Cursor::at(self.image, place)?;
        let (kind, offset) = (cursor.u16_le()? & 3, cursor.u16_le()?);
        let word = cursor.u32_le()?;
        if kind == INNER {
            let blocks = u64::from(word & (COUNT - 1));
            let is_count = self.has_large && word & COUNT != 0;
            return Ok(Entry::Inner { blocks: is_count.then_some(blocks) });
        }
        self.head(kind, offset.into(), word.into())
    }

    fn head(&self, kind: u16, offset: u64, block: u64) -> Result<Entry, Reason> {
        if kind > 1 {
            return Err(Reason::unsupported("a second compression of a file"));
        }
        Ok(Entry::Head { offset, block, is_stored: kind == 0 })
    }

    /// Packs of two or sixteen entries, with the block of the first packed cluster behind them.
    fn compact(&self, at: u64) -> Result<Entry, Reason> {
        let pack = self.pack(at);
        let (kind, low) = self.bits(&pack, pack.at)?;
        if kind == INNER {
            let is_count = self.has_large && low & COUNT != 0;
            let blocks = u64::from(low & (COUNT - 1));
            return Ok(Entry::Inner { blocks: is_count.then_some(blocks) });
        }
        let end = pack.start.saturating_add(pack.size).saturating_sub(4);
        let mut block = u64::from(Cursor::at(self.image, end)?.u32_le()?);
        let mut was_head = false;
        for before in 0..pack.at {
            let (kind, low) = self.bits(&pack, before)?;
            let is_count = self.has_large && kind == INNER && low & COUNT != 0;
            // A head counts for one block, unless the entry behind it says for how many.
            if is_count {
                block = block.saturating_add((low & (COUNT - 1)).into());
            } else if was_head {
                block = block.saturating_add(1);
            }
            was_head = kind != INNER;
        }
        let last = u64::from(was_head).saturating_add(u64::from(!self.has_large));
        self.head(kind, low.into(), block.saturating_add(last))
    }

    /// The pack with the entry of cluster `at`.
    fn pack(&self, at: u64) -> Pack {
        let wide = |start: u64, at: u64| {
            let start = start.saturating_add((at / 2).saturating_mul(8));
            Pack { start, size: 8, width: 16, at: at % 2 }
        };
        let narrow_at = self.index.saturating_add(self.first.saturating_mul(4));
        if at < self.first {
            return wide(self.index, at);
        }
        let at = at.saturating_sub(self.first);
        if at < self.narrow {
            let start = narrow_at.saturating_add((at / 16).saturating_mul(32));
            return Pack { start, size: 32, width: 14, at: at % 16 };
        }
        let behind = narrow_at.saturating_add(self.narrow.saturating_mul(2));
        wide(behind, at.saturating_sub(self.narrow))
    }

    /// The kind and the other bits of an entry.
    fn bits(&self, pack: &Pack, at: u64) -> Result<(u16, u32), Reason> {
        let bit = at.saturating_mul(pack.width);
        let word = Cursor::at(self.image, pack.start.saturating_add(bit / 8))?.u32_le()?;
        let word = word >> (bit % 8);
        let low = word & (1_u32 << self.cluster.clamp(12, 30)).saturating_sub(1);
        let kind = word >> self.cluster.clamp(12, 30) & 3;
        Ok((u16::try_from(kind).unwrap_or_default(), low))
    }

    /// Where the index ends.
    fn index_end(&self) -> u64 {
        if !self.is_compact {
            return self.index.saturating_add(self.count.saturating_mul(8));
        }
        let last = self.pack(self.count.saturating_sub(1));
        last.start.saturating_add(last.size)
    }
}

/// Some entries of a compact index.
struct Pack {
    start: u64,
    size: u64,
    /// Bits in an entry.
    width: u64,
    /// Which entry is meant.
    at: u64,
}

/// A packed cluster, which ends where its blocks end; zeros fill them up in front.
fn open(packed: &[u8], length: u64, is_stored: bool) -> Result<Block<'_>, Reason> {
    let limit = length.min(MOST).min((packed.len() as u64).saturating_mul(255));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if is_stored {
        let stored = packed.get(..limit).ok_or(Truncated)?;
        return Ok(Block::Bytes(Cow::Borrowed(stored)));
    }
    let zeros = packed.iter().take_while(|byte| **byte == 0).count();
    let content = Codec::Lz4.unpack(packed.get(zeros..).unwrap_or_default(), limit)?;
    if content.len() as u64 != length {
        return Err(Reason::corrupt("size of a cluster"));
    }
    Ok(Block::Bytes(Cow::Owned(content)))
}

/// The longest content that is unpacked at a time: 32 MiB.
pub(super) const MOST: u64 = 32 << 20;
/// Advice: entries may be narrow, clusters may take several blocks, the last one is inline.
const NARROW: u16 = 1;
const LARGE: u16 = 2 | 4;
const INLINE: u16 = 8;
const INNER: u16 = 2;
const COUNT: u32 = 1 << 11;
