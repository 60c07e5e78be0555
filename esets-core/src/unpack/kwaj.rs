//! KWAJ, what later versions of Microsoft's COMPRESS.EXE write.

use std::io::{self, Read};

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Inflate, Lzss};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Kwaj;

impl Unpacker for Kwaj {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let header = Header::read(&mut Cursor::at(subject.bytes(), 8)?)?;
        let data = Cursor::at(subject.bytes(), header.data_at)?.rest();
        let member = Member { size: header.size, ..Member::named(header.name) };
        match header.method {
            0 => children.slice(member, data)?,
            1 => children.stream(member, &mut Inverted(data))?,
            2 => children.stream(member, &mut Lzss::new(data, 4096 - 16))?,
            4 => children.stream(member, &mut MsZip::new(data))?,
            _ => children.skip(member, Reason::unsupported("LZ with Huffman codes"))?,
        }
        Ok(())
    }
}

/// What stands before the data; each flag adds a field.
struct Header {
    method: u16,
    data_at: u64,
    size: Option<u64>,
    name: Vec<u8>,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let method = cursor.u16_le()?;
        let data_at = cursor.u16_le()?.into();
        let flags = cursor.u16_le()?;
        let size = if flags & 1 == 0 { None } else { Some(cursor.u32_le()?.into()) };
        if flags & 2 != 0 {
            cursor.take(2)?;
        }
        if flags & 4 != 0 {
            let length = cursor.u16_le()?;
            cursor.take(length.into())?;
        }
        let mut name = if flags & 8 == 0 { Vec::new() } else { text(cursor, 9)? };
        if flags & 16 != 0 {
            name.push(b'.');
            name.extend(text(cursor, 4)?);
        }
        Ok(Self { method, data_at, size, name })
    }
}

/// A text that a zero byte ends, `longest` bytes with it.
fn text(cursor: &mut Cursor<'_>, longest: usize) -> Result<Vec<u8>, Truncated> {
    let field = cursor.rest().get(..longest).unwrap_or(cursor.rest());
    let length = memchr::memchr(0, field).ok_or(Truncated)?;
    let text = cursor.take(length)?.to_vec();
    cursor.take(1)?;
    Ok(text)
}

/// Every bit turned over.
struct Inverted<'a>(&'a [u8]);

impl Read for Inverted<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(output)?;
        output.iter_mut().take(count).for_each(|byte| *byte = !*byte);
        Ok(count)
    }
}

/// MSZIP: blocks of deflate behind their size and `CK`, each with the one before as dictionary.
struct MsZip<'a> {
    cursor: Cursor<'a>,
    block: Vec<u8>,
    read: usize,
}

impl<'a> MsZip<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(data), block: Vec::new(), read: 0 }
    }

    /// Unpacks the next block; `false` at the end.
    fn next(&mut self) -> Result<bool, Reason> {
        let cursor = &mut self.cursor;
        let Ok(size @ 1..) = cursor.u16_le() else { return Ok(false) };
        let packed = cursor.take(size.into())?;
        let packed = packed.strip_prefix(b"CK").ok_or(Reason::corrupt("block"))?;
        let mut inflate = Inflate::with_dictionary(packed, &self.block);
        let mut block = vec![0; 32 << 10];
        let mut length = 0_usize;
        while let Some(rest @ [_, ..]) = block.get_mut(length..) {
            match inflate.read(rest) {
                Ok(0) => break,
                Ok(count) => length = length.saturating_add(count),
                Err(error) => return Err(Reason::from_io(&error)),
            }
        }
        block.truncate(length);
        (self.block, self.read) = (block, 0);
        Ok(true)
    }
}

impl Read for MsZip<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.read == self.block.len() {
            if !self.next().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let count = Cursor::new(self.block.get(self.read..).unwrap_or_default()).read(output)?;
        self.read = self.read.saturating_add(count);
        Ok(count)
    }
}

static FORMAT: Format = Format {
    name: "kwaj",
    about: "Microsoft COMPRESS.EXE data, KWAJ",
    extensions: &["ex_", "dl_"],
    magic: &[Magic::start(b"KWAJ\x88\xf0\x27\xd1")],
    specification: &["libmspack, KWAJ file format"],
    limitations: &["method 3, LZ with Huffman codes"],
};
