//! gzip, RFC 1952.

use std::io::{self, Read};

use flate2::Crc;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Inflate, Stream, Streams, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Gzip;

impl Unpacker for Gzip {
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
        let header = Header::read(&mut Cursor::new(subject.bytes()))?;
        let name = match header.name {
            b"" => inner_name(&FORMAT, subject.name()),
            name => name.into(),
        };
        let streams = Streams { open: &GzipStream::open, magic: MAGIC };
        streams.unpack(subject, Member::named(name), children)
    }
}

/// What stands before the compressed data.
struct Header<'a> {
    name: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reason> {
        cursor.take(MAGIC.len())?;
        let flags = cursor.u8()?;
        cursor.take(6)?; // time, level, system
        if flags & ENCRYPTED != 0 {
            return Err(Reason::Encrypted);
        }
        if flags & EXTRA != 0 {
            let length = cursor.u16_le()?;
            cursor.take(length.into())?;
        }
        let name = if flags & NAME == 0 { b"" } else { text(cursor)? };
        if flags & COMMENT != 0 {
            text(cursor)?;
        }
        if flags & HEADER_CRC != 0 {
            cursor.take(2)?;
        }
        Ok(Self { name })
    }
}

/// Text up to a zero byte.
fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Truncated> {
    let length = memchr::memchr(0, cursor.rest()).ok_or(Truncated)?;
    let text = cursor.take(length)?;
    cursor.take(1)?;
    Ok(text)
}

/// One member, checked against the CRC and the size behind it.
struct GzipStream<'a> {
    inflate: Inflate<'a>,
    crc: Crc,
    /// What lies behind the trailer, once that has been read.
    rest: Option<&'a [u8]>,
}

impl<'a> GzipStream<'a> {
    fn open(bytes: &'a [u8]) -> Result<Option<Self>, Reason> {
        let mut cursor = Cursor::new(bytes);
        Header::read(&mut cursor)?;
        let inflate = Inflate::new(cursor.rest());
        Ok(Some(Self { inflate, crc: Crc::new(), rest: None }))
    }

    /// Reads the CRC and the size modulo 2³² of what was packed.
    fn close(&mut self) -> Result<(), Reason> {
        let mut trailer = Cursor::new(self.inflate.rest());
        let crc = trailer.u32_le()?;
        let size = trailer.u32_le()?;
        self.rest = Some(trailer.rest());
        if crc != self.crc.sum() {
            return Err(Reason::corrupt("checksum"));
        }
        if size != self.crc.amount() {
            return Err(Reason::corrupt("size"));
        }
        Ok(())
    }
}

impl Read for GzipStream<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.inflate.read(output)?;
        self.crc.update(output.get(..count).unwrap_or_default());
        if count == 0 && !output.is_empty() && self.rest.is_none() {
            self.close().map_err(io::Error::other)?;
        }
        Ok(count)
    }
}

impl<'a> Stream<'a> for GzipStream<'a> {
    fn rest(&self) -> &'a [u8] {
        self.rest.unwrap_or_default()
    }
}

const HEADER_CRC: u8 = 0x02;
const EXTRA: u8 = 0x04;
const NAME: u8 = 0x08;
const COMMENT: u8 = 0x10;
/// Not in RFC 1952; early versions of gzip had it.
const ENCRYPTED: u8 = 0x20;

/// The identification and the only method there is, deflate.
const MAGIC: &[u8] = b"\x1f\x8b\x08";

static FORMAT: Format = Format {
    name: "gzip",
    about: "gzip compressed data",
    extensions: &["gz", "tgz", "svgz", "emz", "wmz"],
    magic: &[Magic::start(MAGIC)],
    specification: &["RFC 1952"],
    limitations: &[],
};
