//! Where the chunks are: tables in a property list, or in resources of older images.

use super::{SECTOR, Trailer, to_size};
use crate::cursor::{Cursor, Truncated};
use crate::decode::Codec;
use crate::verdict::Reason;

/// A run of sectors; all numbers are bytes.
pub(super) struct Chunk {
    /// Where on the disk.
    pub(super) start: u64,
    pub(super) length: u64,
    /// Where in the image.
    pub(super) offset: u64,
    pub(super) packed: u64,
    pub(super) codec: Option<Codec>,
    pub(super) is_zeros: bool,
    pub(super) is_unknown: bool,
}

/// Reads all tables of the image.
pub(super) fn tables(
    bytes: &[u8],
    trailer: &Trailer,
    chunks: &mut Vec<Chunk>,
) -> Result<(), Reason> {
    let part = |(offset, length): (u64, u64)| {
        Cursor::at(bytes, offset).and_then(|mut cursor| cursor.take(to_size(length)))
    };
    if trailer.xml.1 > 0 {
        for text in data_elements(part(trailer.xml)?) {
            table(&base64(text), trailer, chunks)?;
        }
    } else {
        resources(part(trailer.resources)?, trailer, chunks)?;
    }
    if chunks.is_empty() { Err(Reason::corrupt("block tables")) } else { Ok(()) }
}

/// The texts of the `data` elements in the array behind the key `blkx`.
fn data_elements(xml: &[u8]) -> impl Iterator<Item = &[u8]> {
    let start = memchr::memmem::find(xml, b"<key>blkx</key>").unwrap_or(xml.len());
    let array = xml.get(start..).unwrap_or_default();
    let end = memchr::memmem::find(array, b"</array>").unwrap_or(array.len());
    let mut rest = array.get(..end).unwrap_or_default();
    std::iter::from_fn(move || {
        let at = memchr::memmem::find(rest, b"<data>")?.saturating_add(6);
        let behind = rest.get(at..)?;
        let end = memchr::memchr(b'<', behind).unwrap_or(behind.len());
        let (text, behind) = behind.split_at_checked(end)?;
        rest = behind;
        Some(text)
    })
}

/// Base64 (RFC 4648); what is no digit is passed over.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in text.iter().filter_map(|byte| digit(*byte)) {
        bits = (bits << 6 | u32::from(digit)) & 0xffff;
        count = count.saturating_add(6);
        if count >= 8 {
            count = count.saturating_sub(8);
            let [.., byte] = (bits >> count).to_be_bytes();
            bytes.push(byte);
        }
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte.wrapping_sub(b'A'),
        b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The resources of the kind `blkx` (Inside Macintosh: More Macintosh Toolbox, "Resource Manager").
fn resources(fork: &[u8], trailer: &Trailer, chunks: &mut Vec<Chunk>) -> Result<(), Reason> {
    let header = &mut Cursor::new(fork);
    let (data, map) = (u64::from(header.u32_be()?), u64::from(header.u32_be()?));
    let kinds = u64::from(Cursor::at(fork, map.saturating_add(24))?.u16_be()?);
    let kinds = map.saturating_add(kinds);
    let list = &mut Cursor::at(fork, kinds)?;
    for _ in 0..=list.u16_be()? {
        let kind = list.take(4)?;
        let (last, references) = (list.u16_be()?, list.u16_be()?);
        if kind != b"blkx" {
            continue;
        }
        let references = &mut Cursor::at(fork, kinds.saturating_add(references.into()))?;
        for _ in 0..=last {
            references.take(4)?; // number, name
            let place = u64::from(references.u32_be()? & 0x00ff_ffff);
            references.take(4)?; // room for a handle
            let resource = &mut Cursor::at(fork, data.saturating_add(place))?;
            let size = resource.u32_be()?;
            table(resource.take_up_to(size.into()), trailer, chunks)?;
        }
        break; // A kind is listed once.
    }
    Ok(())
}

/// One table: a header, then 40 bytes for each chunk.
fn table(table: &[u8], trailer: &Trailer, chunks: &mut Vec<Chunk>) -> Result<(), Reason> {
    if !table.starts_with(b"mish") {
        return Err(Reason::corrupt("block tables"));
    }
    let start = Cursor::at(table, 8)?.u64_be()?;
    let offset = Cursor::at(table, 24)?.u64_be()?.saturating_add(trailer.data);
    let cursor = &mut Cursor::at(table, 200)?;
    for _ in 0..cursor.u32_be()? {
        // Tables may be named more than once, but not the same chunks over and over.
        let size = (chunks.len() as u64).saturating_mul(40);
        if size > trailer.xml.1.max(trailer.resources.1) {
            return Err(Reason::corrupt("block tables"));
        }
        match chunk(cursor, start, offset)? {
            Some(chunk) => chunks.push(chunk),
            None => continue,
        }
    }
    Ok(())
}

/// The next chunk; `None` if it adds nothing to the disk.
fn chunk(cursor: &mut Cursor<'_>, start: u64, offset: u64) -> Result<Option<Chunk>, Truncated> {
    let kind = cursor.u32_be()?;
    cursor.take(4)?; // comment
    let start = start.saturating_add(cursor.u64_be()?).saturating_mul(SECTOR);
    let length = cursor.u64_be()?.saturating_mul(SECTOR);
    let offset = offset.saturating_add(cursor.u64_be()?);
    let packed = cursor.u64_be()?;
    let codec = match kind {
        0x8000_0004 => Some(Codec::Adc),
        0x8000_0005 => Some(Codec::Zlib),
        0x8000_0006 => Some(Codec::Bzip2),
        0x8000_0007 => Some(Codec::Lzfse),
        0x8000_0008 => Some(Codec::Xz),
        _ => None,
    };
    let is_zeros = matches!(kind, 0 | 2);
    let is_unknown = codec.is_none() && !matches!(kind, 0..=2);
    let is_chunk = length > 0 && !matches!(kind, COMMENT | END);
    let chunk = Chunk { start, length, offset, packed, codec, is_zeros, is_unknown };
    Ok(is_chunk.then_some(chunk))
}

const COMMENT: u32 = 0x7fff_fffe;
const END: u32 = 0xffff_ffff;
