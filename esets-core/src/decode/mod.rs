//! What several formats share: algorithms and containers inside containers.

mod adc;
pub(crate) mod aes;
mod bits;
mod blocks;
mod blockwise;
mod bytewise;
mod checked;
mod clusters;
pub(crate) mod compound;
mod crc16;
mod extents;
pub(crate) mod formula;
mod huffman;
mod inflate;
pub(crate) mod literals;
mod lzfse;
mod lzh;
mod lzms;
mod lznt1;
mod lzo;
mod lzss;
mod lzvn;
mod lzw;
mod lzx;
mod lzx_frames;
pub(crate) mod nrv;
pub(crate) mod office;
pub(crate) mod ovba;
pub(crate) mod page;
mod quantum;
pub(crate) mod rc4;
mod runs;
mod sink;
mod stream;
mod walk;
mod whole;
mod words;
pub(crate) mod xml;
mod xpress;
mod zisofs;

use std::io::{self, Read};

pub(crate) use bits::Bits;
pub(crate) use blocks::{Block, Blocks, Codec, below};
pub(crate) use blockwise::{Blockwise, NextBlock};
pub(crate) use bytewise::Bytewise;
pub(crate) use checked::{Checked, Stated, Sum};
pub(crate) use clusters::{Clusters, Width};
pub(crate) use crc16::crc16;
pub(crate) use extents::{Extent, Extents, offer_partition, stored};
pub(crate) use huffman::Huffman;
pub(crate) use inflate::Inflate;
pub(crate) use lzh::Lzh;
pub(crate) use lzms::{LZMS_MEMORY, lzms};
pub(crate) use lznt1::lznt1;
pub(crate) use lzo::lzo1x;
pub(crate) use lzss::Lzss;
pub(crate) use lzw::{Codes, Lzw};
pub(crate) use lzx::lzx;
pub(crate) use lzx_frames::LzxFrames;
pub(crate) use quantum::Quantum;
pub(crate) use runs::{Run, extents, offer_runs, written};
pub(crate) use sink::Sink;
pub(crate) use stream::{Stream, Streams, behind_skippable, inner_name};
pub(crate) use walk::{Walk, Way};
pub(crate) use whole::{Failing, whole};
pub(crate) use words::Words;
pub(crate) use xpress::xpress;
pub(crate) use zisofs::zisofs;

/// The next `limit` bytes, or as many as can be read before the end or an error.
pub(crate) fn head(reader: &mut dyn Read, limit: usize) -> Vec<u8> {
    let mut content = Vec::new();
    let mut chunk = [0; 4096];
    while let Some(left) = limit.checked_sub(content.len()).filter(|left| *left > 0) {
        let room = chunk.get_mut(..left.min(4096)).unwrap_or_default();
        let Ok(count @ 1..) = reader.read(room) else { break };
        content.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
    content
}

/// Reads over `count` bytes.
pub(crate) fn skip(reader: &mut dyn Read, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut reader.take(count), &mut io::sink())?;
    if skipped < count { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// The text of UTF-16 units in big-endian order; what is not Unicode is replaced.
pub(crate) fn utf16_be(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The text of UTF-16 units in little-endian order; what is not Unicode is replaced.
pub(crate) fn utf16_le(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk());
    let units = units.map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
