//! Installers of the Nullsoft Scriptable Install System: what lies behind the program (NSIS
//! sources, fileform.h; there is no specification).

mod bzip2;
mod names;

use std::io::Read;

use lzma_rust2::{LzmaReader, lzma_get_memory_usage_by_props as memory_usage};

use self::bzip2::Bzip2;
use self::names::Names;
use super::{Format, Magic, UnpackError, Unpacker};
use crate::budget::Lease;
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Inflate, head, whole};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Nsis;

impl Unpacker for Nsis {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::at(subject.bytes(), 20)?;
        let (header_size, size) = (cursor.u32_le()?, cursor.u32_le()?);
        let stated = u64::from(size).saturating_sub(HEADER);
        let data = cursor.take_up_to(stated);
        if (data.len() as u64) < stated {
            children.not_scanned(Reason::Truncated);
        }
        let layout = Layout::of(data, header_size);
        if layout.is_solid {
            let (mut reader, _lease) = layout.method.open(data, children)?;
            let length =
                number(&mut reader).map_err(|reason| reason.unwrap_or(Reason::Truncated))?;
            let _header = children.lease(length.into())?;
            let header = head(&mut reader, usize::try_from(length).unwrap_or(usize::MAX));
            children.stream("header", &mut &*header)?;
            solid(&mut reader, &Names::read(&header), children)?;
        } else {
            apart(data, header_size, layout.method, children)?;
        }
        Ok(children.behind(cursor)?)
    }
}

/// Offers the files of a single stream, each behind its length.
fn solid(
    reader: &mut dyn Read,
    names: &Names<'_>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let mut offset = 0_u64;
    loop {
        let length = match number(reader) {
            Ok(length) => u64::from(length),
            Err(None) => return Ok(()),
            Err(Some(reason)) => return Err(reason.into()),
        };
        let mut content = (&mut *reader).take(length);
        let member = Member { size: Some(length), ..Member::named(names.of(offset)) };
        children.stream(member, &mut content)?;
        children.pass(&mut content)?;
        if content.limit() > 0 {
            return Err(Reason::Truncated.into());
        }
        offset = offset.saturating_add(length).saturating_add(4);
    }
}

/// Offers files that are packed one by one.
fn apart(
    data: &[u8],
    header_size: u32,
    method: Method,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let mut cursor = Cursor::new(data);
    let _header = children.lease(header_size.into())?;
    let header = {
        let (mut reader, _lease) = block(&mut cursor, method, children)?;
        head(&mut reader, usize::try_from(header_size).unwrap_or(usize::MAX))
    };
    children.stream("header", &mut &*header)?;
    let names = Names::read(&header);
    let start = cursor.position();
    // A checksum of four bytes is the last.
    while cursor.rest().len() > 4 {
        let offset = cursor.position().saturating_sub(start) as u64;
        let member = Member::named(names.of(offset));
        match block(&mut cursor, method, children) {
            Ok((mut reader, _lease)) => children.stream(member, &mut reader)?,
            Err(reason) => children.skip(member, reason)?,
        }
    }
    Ok(())
}

type Opened<'a> = (Box<dyn Read + 'a>, Lease);

/// The next block: a length whose highest bit says whether it is packed, and data.
fn block<'a>(
    cursor: &mut Cursor<'a>,
    method: Method,
    children: &mut Children<'_>,
) -> Result<Opened<'a>, Reason> {
    let length = cursor.u32_le()?;
    let size = u64::from(length & !PACKED);
    let data = cursor.take_up_to(size);
    let method = if length & PACKED == 0 { Method::Stored } else { method };
    let (reader, lease) = method.open(data, children)?;
    Ok((whole(reader, data.len(), size), lease))
}

/// A number in the stream; `Err(None)` if the stream ends before it.
fn number(reader: &mut dyn Read) -> Result<u32, Option<Reason>> {
    let mut bytes = [0; 4];
    let mut filled = 0_usize;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) if filled == 0 => return Err(None),
            Ok(0) => return Err(Some(Reason::Truncated)),
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) => return Err(Some(Reason::from_io(&error))),
        }
    }
    Ok(u32::from_le_bytes(bytes))
}

/// How the data behind the first header is laid out.
struct Layout {
    is_solid: bool,
    method: Method,
}

#[derive(Clone, Copy)]
enum Method {
    Bzip2,
    Deflate,
    /// LZMA behind a byte that says whether code of x86 was filtered.
    Filtered,
    Lzma,
    Stored,
}

impl Layout {
    /// Nothing states the layout, so it is told from what stands first.
    fn of(data: &[u8], header_size: u32) -> Self {
        let is_solid = |is_solid, method| Self { is_solid, method };
        let first = Cursor::new(data).u32_le().unwrap_or_default();
        if is_lzma(data) || is_filtered(data) {
            is_solid(true, Method::of(data))
        } else if first == header_size {
            is_solid(false, Method::Stored)
        } else if first & PACKED != 0 && has_blocks(data) {
            is_solid(false, Method::of(data.get(4..).unwrap_or_default()))
        } else {
            is_solid(true, Method::of(data))
        }
    }
}

impl Method {
    fn of(data: &[u8]) -> Self {
        match data {
            _ if is_lzma(data) => Self::Lzma,
            _ if is_filtered(data) => Self::Filtered,
            [0x31, 0..14, ..] => Self::Bzip2,
            _ => Self::Deflate,
        }
    }

    fn open<'a>(self, data: &'a [u8], children: &mut Children<'_>) -> Result<Opened<'a>, Reason> {
        Ok(match self {
            Self::Bzip2 => (Box::new(Bzip2::reader(data)), children.lease(BZIP2_MEMORY)?),
            Self::Deflate => (Box::new(Inflate::new(data)), children.lease(0)?),
            Self::Filtered if data.first() == Some(&0) => {
                lzma(data.get(1..).unwrap_or_default(), children)?
            }
            Self::Filtered => return Err(Reason::unsupported("filtered NSIS data")),
            Self::Lzma => lzma(data, children)?,
            Self::Stored => (Box::new(data), children.lease(0)?),
        })
    }
}

/// Settings, then a stream that says itself where it ends.
fn lzma<'a>(data: &'a [u8], children: &mut Children<'_>) -> Result<Opened<'a>, Reason> {
    let mut cursor = Cursor::new(data);
    let (settings, dictionary) = (cursor.u8()?, cursor.u32_le()?);
    let memory = memory_usage(dictionary, settings);
    let memory = memory.map_err(|_| Reason::corrupt("LZMA settings"))?;
    let lease = children.lease(u64::from(memory) << 10)?;
    let reader = LzmaReader::new_with_props(cursor.rest(), u64::MAX, settings, dictionary, None);
    let mut reader = reader.map_err(|error| Reason::from_io(&error))?;
    reader.set_defer_errors(true);
    Ok((Box::new(reader), lease))
}

/// Whether the first two lengths lead from block to block: one alone may be the start of a stream.
fn has_blocks(data: &[u8]) -> bool {
    let cursor = &mut Cursor::new(data);
    for _ in 0..2 {
        let Ok(length) = cursor.u32_le() else { return false };
        if cursor.take(usize::try_from(length & !PACKED).unwrap_or(usize::MAX)).is_err() {
            return false;
        }
        if cursor.rest().len() <= 4 {
            return true;
        }
    }
    true
}

fn is_lzma(data: &[u8]) -> bool {
    matches!(data, [0x5d, 0, 0, _, _, 0, ..])
}

fn is_filtered(data: &[u8]) -> bool {
    matches!(data, [0 | 1, rest @ ..] if is_lzma(rest))
}

/// The bytes before the data.
const HEADER: u64 = 28;
const PACKED: u32 = 1 << 31;
/// Two blocks, one of them with links.
const BZIP2_MEMORY: u64 = 8 << 20;

static FORMAT: Format = Format {
    name: "nsis",
    about: "NSIS installer",
    extensions: &[],
    magic: &[Magic::at(4, b"\xef\xbe\xad\xdeNullsoftInst")],
    specification: &["NSIS 3 sources, exehead/fileform.h"],
    limitations: &[
        "data is not checked, as the checksum of an installer covers its program too",
        "variables in the names of files are left out",
        "LZMA data behind the filter for x86 code, which no release of NSIS wrote, is not decoded",
    ],
};
