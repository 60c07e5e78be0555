//! The contents of files: blocks of their own, and a share of a fragment at the end.

use std::borrow::Cow;
use std::rc::Rc;

use super::inode::File;
use super::meta::Reader;
use super::to_size;
use crate::cursor::Cursor;
use crate::decode::{Block, Codec};
use crate::verdict::{Limit, Reason};

/// Where a block is, and how large it is; one bit of that says that it is stored as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) start: u64,
    pub(super) size: u32,
}

impl Packed {
    /// How many bytes it takes in the image.
    fn length(self) -> u64 {
        u64::from(self.size & (STORED - 1))
    }
}

/// Opens blocks, and keeps the fragment of the last file for the next.
pub(super) struct Data<'a> {
    bytes: &'a [u8],
    codec: Codec,
    block: usize,
    fragment: Option<(Packed, Rc<[u8]>)>,
    /// Bytes of fragments that were unpacked, less those that files had in them.
    wasted: u64,
}

impl<'a> Data<'a> {
    pub(super) fn new(bytes: &'a [u8], codec: Codec, block: usize) -> Self {
        Self { bytes, codec, block, fragment: None, wasted: 0 }
    }

    /// The blocks of `file`, whose sizes `list` yields, and the end from `fragment`.
    pub(super) fn blocks(
        &mut self,
        file: &File,
        mut fragment: Option<Result<Packed, Reason>>,
        mut list: Reader<'_, '_>,
    ) -> impl Iterator<Item = Result<Block<'a>, Reason>> {
        let (mut start, mut left, mut blocks) = (file.start, file.size, file.blocks);
        let offset = file.offset;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let length = (self.block as u64).min(left);
            left = left.saturating_sub(length);
            if blocks == 0 {
                left = 0;
                let fragment = fragment.take()?;
                return Some(fragment.and_then(|place| self.end(place, offset, length)));
            }
            blocks = blocks.saturating_sub(1);
            let size = match list.u32() {
                Ok(size) => size,
                Err(reason) => return Some(Err(reason)),
            };
            let packed = Packed { start, size };
            start = start.saturating_add(packed.length());
            Some(match size {
                0 => Ok(Block::Zeros(length)),
                _ => self.open(packed).map(|block| filled(block, length)),
            })
        })
    }

    fn open(&self, packed: Packed) -> Result<Cow<'a, [u8]>, Reason> {
        let body = Cursor::at(self.bytes, packed.start)?.take(to_size(packed.length()))?;
        match packed.size & STORED {
            0 => self.codec.unpack(body, self.block).map(Cow::Owned),
            _ if body.len() > self.block => Err(Reason::corrupt("block size")),
            _ => Ok(Cow::Borrowed(body)),
        }
    }

    /// The end of a file, `length` bytes at `offset` of a fragment.
    fn end(&mut self, place: Packed, offset: u32, length: u64) -> Result<Block<'a>, Reason> {
        let fragment = match &self.fragment {
            Some((known, fragment)) if *known == place => Rc::clone(fragment),
            _ => {
                // A fragment is full of ends: one for each small file would be made to cost time.
                if self.wasted > MOST_WASTED {
                    return Err(Reason::Limit(Limit::Ratio));
                }
                let fragment: Rc<[u8]> = self.open(place)?.into();
                self.wasted = self.wasted.saturating_add(fragment.len() as u64);
                self.fragment = Some((place, Rc::clone(&fragment)));
                fragment
            }
        };
        self.wasted = self.wasted.saturating_sub(length);
        let end = Cursor::at(&fragment, offset.into())?.take(to_size(length))?;
        Ok(Block::Bytes(Cow::Owned(end.to_vec())))
    }
}

/// The block with zeros behind it, if it is shorter than its place in the file.
fn filled(block: Cow<'_, [u8]>, length: u64) -> Block<'_> {
    if block.len() as u64 == length {
        return Block::Bytes(block);
    }
    let mut block = block.into_owned();
    block.resize(to_size(length), 0);
    Block::Bytes(Cow::Owned(block))
}

const STORED: u32 = 1 << 24;
const MOST_WASTED: u64 = 128 << 20;
