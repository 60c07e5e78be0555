//! Contents packed block by block, as file systems and disk images keep them.

use std::borrow::Cow;
use std::io::{self, Read};

use lzma_rust2::{LzmaReader, XzReader};

use super::adc::adc;
use super::lzfse::lzfse;
use super::lzvn::lzvn;
use super::{Inflate, lzo1x};
use crate::cursor::Cursor;
use crate::unpack::zstd;
use crate::verdict::Reason;

/// How one block is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Apple Data Compression.
    Adc,
    /// A bzip2 stream.
    Bzip2,
    /// An LZ4 block.
    Lz4,
    /// Blocks of LZFSE up to the one that ends them.
    Lzfse,
    /// LZMA behind the header of `.lzma` files.
    Lzma,
    /// LZVN alone.
    Lzvn,
    /// An LZO1X block.
    Lzo,
    /// An xz stream.
    Xz,
    /// A zlib stream (RFC 1950).
    Zlib,
    /// A Zstandard frame (RFC 8878).
    Zstd,
}

impl Codec {
    /// What the decoder of a block may take beside its output, in bytes; to be leased once, as
    /// there is one decoder at a time.
    pub(crate) const MEMORY: u64 = (DICTIONARY as u64) << 10;

    /// Unpacks one block into at most `limit` bytes.
    ///
    /// # Errors
    /// [`Reason::Corrupt`] or [`Reason::Truncated`] if it does not end well, or is longer.
    pub(crate) fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, Reason> {
        match self {
            Self::Adc => adc(packed, limit),
            Self::Bzip2 => whole(&mut bzip2::read::BzDecoder::new(packed), limit),
            Self::Lz4 => {
                lz4_flex::block::decompress(packed, limit).map_err(|_| Reason::corrupt(BLOCK))
            }
            Self::Lzfse => lzfse(packed, limit),
            Self::Lzma => {
                let reader = LzmaReader::new_mem_limit(packed, DICTIONARY, None);
                whole(&mut reader.map_err(|_| Reason::corrupt(BLOCK))?, limit)
            }
            Self::Lzo => lzo1x(packed, limit),
            Self::Lzvn => {
                let mut output = Vec::new();
                lzvn(packed, &mut output, limit)?;
                Ok(output)
            }
            Self::Xz => whole(&mut XzReader::new_mem_limit(packed, false, DICTIONARY), limit),
            Self::Zlib => whole(&mut Inflate::new(packed.get(2..).unwrap_or_default()), limit),
            Self::Zstd => {
                if zstd::cost(packed)? > Self::MEMORY {
                    return Err(Reason::corrupt("window"));
                }
                let frame = zstd::Frame::open(packed)?;
                whole(&mut frame.ok_or(Reason::Truncated)?, limit)
            }
        }
    }
}

/// Everything that `reader` yields, if it is not more than `limit` bytes.
fn whole(reader: &mut dyn Read, limit: usize) -> Result<Vec<u8>, Reason> {
    let mut content = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = reader.read(&mut chunk).map_err(|error| Reason::from_io(&error))?;
        if count == 0 {
            return Ok(content);
        }
        content.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if content.len() > limit {
            return Err(Reason::corrupt("block size"));
        }
    }
}

/// One unpacked block.
#[derive(Debug)]
pub(crate) enum Block<'a> {
    /// The bytes themselves.
    Bytes(Cow<'a, [u8]>),
    /// So many zero bytes, which the image does not store.
    Zeros(u64),
}

/// Reads the blocks that an iterator yields one behind the other. A reason that it yields ends
/// the content.
pub(crate) struct Blocks<'a, I> {
    blocks: I,
    current: Block<'a>,
    read: usize,
}

impl<'a, I: Iterator<Item = Result<Block<'a>, Reason>>> Blocks<'a, I> {
    pub(crate) fn new(blocks: I) -> Self {
        Self { blocks, current: Block::Zeros(0), read: 0 }
    }
}

impl<'a, I: Iterator<Item = Result<Block<'a>, Reason>>> Read for Blocks<'a, I> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = match &mut self.current {
                Block::Bytes(bytes) => {
                    let rest = bytes.get(self.read..).unwrap_or_default();
                    let count = Cursor::new(rest).read(output)?;
                    self.read = self.read.saturating_add(count);
                    count
                }
                Block::Zeros(left) => {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(output.len());
                    output.iter_mut().take(count).for_each(|byte| *byte = 0);
                    *left = left.saturating_sub(count as u64);
                    count
                }
            };
            if count > 0 || output.is_empty() {
                return Ok(count);
            }
            match self.blocks.next() {
                None => return Ok(0),
                Some(Err(reason)) => return Err(io::Error::other(reason)),
                Some(Ok(block)) => (self.current, self.read) = (block, 0),
            }
        }
    }
}

/// The path of `name` in the folder `path`. A path that no system would open is cut in front, so
/// that folders in folders without end do not take memory without end.
pub(crate) fn below(path: &[u8], name: &[u8]) -> Vec<u8> {
    match path.len() {
        0 => name.to_vec(),
        1..=LONGEST_PATH => [path, b"/", name].concat(),
        _ => [b".../", name].concat(),
    }
}

const LONGEST_PATH: usize = 4096;
/// The largest dictionary that a block may need, in KiB: file systems have less.
const DICTIONARY: u32 = 9 << 10;
const BLOCK: &str = "compressed block";
