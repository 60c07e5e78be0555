//! Files that the system has packed: an attribute `com.apple.decmpfs` says how, and holds what is
//! small; the rest is in blocks in the resource fork.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Blocks, Fork, Places, Tree, to_size};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{self, Block, Codec};
use crate::object::Member;
use crate::unpack::UnpackError;
use crate::verdict::Reason;

/// The attribute of one file, behind its magic.
pub(super) struct Packed {
    kind: u32,
    size: u64,
    data: Vec<u8>,
}

/// The attributes of packed files, by number, and what was wrong with the tree of attributes.
pub(super) fn attributes(
    blocks: &Blocks<'_>,
    fork: &Fork,
) -> (HashMap<u32, Packed>, Option<Reason>) {
    let mut packed = HashMap::new();
    if fork.size == 0 {
        return (packed, None);
    }
    let mut each = |record: &[u8]| {
        if let Ok(Some((id, attribute))) = read(record) {
            packed.insert(id, attribute);
        }
        Ok(())
    };
    let outcome = match Tree::open(blocks, fork) {
        Ok(tree) => tree.records(&mut each),
        Err(reason) => Err(reason.into()),
    };
    let flaw = match outcome {
        Err(UnpackError::Reason(reason)) => Some(reason),
        Ok(()) | Err(UnpackError::Stop(_)) => None,
    };
    (packed, flaw)
}

/// A record of the tree: whose attribute it is, if it is the one that is looked for.
fn read(record: &[u8]) -> Result<Option<(u32, Packed)>, Truncated> {
    let cursor = &mut Cursor::new(record);
    let length = u64::from(cursor.u16_be()?);
    cursor.take(2)?;
    let id = cursor.u32_be()?;
    cursor.take(4)?; // first block
    let units = usize::from(cursor.u16_be()?);
    let name = decode::utf16_be(cursor.take(units.saturating_mul(2))?);
    let cursor = &mut Cursor::at(record, length.saturating_add(2))?;
    let is_inline = cursor.u32_be()? == INLINE;
    cursor.take(8)?;
    let size = cursor.u32_be()?;
    let value = &mut Cursor::new(cursor.take_up_to(size.into()));
    if name != NAME || !is_inline || value.take(4)? != MAGIC {
        return Ok(None);
    }
    let (kind, size) = (value.u32_le()?, value.u64_le()?);
    Ok(Some((id, Packed { kind, size, data: value.rest().to_vec() })))
}

impl Packed {
    /// Offers the file under its name.
    pub(super) fn offer(
        &self,
        blocks: &Blocks<'_>,
        resources: &Fork,
        path: Vec<u8>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let member = Member { size: Some(self.size), ..Member::named(path) };
        let is_inline = matches!(self.kind, 1 | 3 | 7 | 9 | 11);
        let codec = match self.kind {
            1 | 9 | 10 => None,
            3 | 4 => Some(Codec::Zlib),
            7 | 8 => Some(Codec::Lzvn),
            11 | 12 => Some(Codec::Lzfse),
            _ => return Ok(children.skip(member, Reason::unsupported("compression of a file"))?),
        };
        let length = self.size.min(BLOCK);
        if is_inline {
            let block = open(codec, &self.data, length, self.kind == 1);
            let blocks = std::iter::once(block.map(|block| Block::Bytes(Cow::Owned(block))));
            return Ok(children.stream(member, &mut decode::Blocks::new(blocks))?);
        }
        let fork = Places::of(blocks, resources);
        let pieces = (0..self.size.div_ceil(BLOCK)).map(|index| {
            let length = self.size.saturating_sub(index.saturating_mul(BLOCK)).min(BLOCK);
            let packed = if self.kind == 4 { numbered(&fork, index) } else { listed(&fork, index) };
            let block = open(codec, &packed?, length, false)?;
            // A short block would cost more time than its content is worth.
            let is_whole = block.len() as u64 == length;
            let block = is_whole.then_some(block).ok_or(Reason::corrupt("block size"))?;
            Ok(Block::Bytes(Cow::Owned(block)))
        });
        Ok(children.stream(member, &mut decode::Blocks::new(pieces))?)
    }
}

/// One block of `length` bytes. A first byte that no packed one begins with says that it is stored.
fn open(
    codec: Option<Codec>,
    packed: &[u8],
    length: u64,
    is_plain: bool,
) -> Result<Vec<u8>, Reason> {
    let (first, rest) = packed.split_first().ok_or(Truncated)?;
    let is_stored = match codec {
        None => true,
        Some(Codec::Zlib) => first & 0x0f == 0x0f,
        Some(Codec::Lzvn) => *first == 0x06,
        Some(_) => !packed.starts_with(b"bvx"),
    };
    match codec {
        Some(codec) if !is_stored => codec.unpack(packed, to_size(length)),
        _ if is_plain => Ok(packed.to_vec()),
        _ => Ok(rest.to_vec()),
    }
}

/// Block `index` where the first resource begins with their number, then the place and the length
/// of each.
fn numbered(fork: &Places<'_>, index: u64) -> Result<Vec<u8>, Reason> {
    let resource = u64::from(Cursor::new(&fork.part(0, 4)?).u32_be()?).saturating_add(4);
    let entry = resource.saturating_add(4).saturating_add(index.saturating_mul(8));
    let (offset, length) = pair(fork, entry)?;
    block(fork, resource.saturating_add(offset), length)
}

/// Block `index` where the fork begins with the places of all of them, and of their end.
fn listed(fork: &Places<'_>, index: u64) -> Result<Vec<u8>, Reason> {
    let (start, end) = pair(fork, index.saturating_mul(4))?;
    block(fork, start, end.checked_sub(start).ok_or(Reason::corrupt("block table"))?)
}

/// Two numbers of 32 bits.
fn pair(fork: &Places<'_>, at: u64) -> Result<(u64, u64), Truncated> {
    let pair = fork.part(at, 8)?;
    let cursor = &mut Cursor::new(&pair);
    Ok((cursor.u32_le()?.into(), cursor.u32_le()?.into()))
}

fn block(fork: &Places<'_>, start: u64, length: u64) -> Result<Vec<u8>, Reason> {
    if length > MOST_PACKED {
        return Err(Reason::corrupt("block table"));
    }
    Ok(fork.part(start, length)?)
}

const NAME: &str = "com.apple.decmpfs";
const MAGIC: &[u8] = b"fpmc";
const INLINE: u32 = 0x10;
const BLOCK: u64 = 64 << 10;
/// No packer lets a block grow more.
const MOST_PACKED: u64 = 2 * BLOCK;
