//! KWAJ, what later versions of Microsoft's COMPRESS.EXE write.

use std::io::{self, Read};

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Blockwise, Inflate, Lzss, NextBlock};
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
            4 => children.stream(member, &mut Blockwise::new(MsZip(Cursor::new(data))))?,
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
struct MsZip<'a>(Cursor<'a>);

impl NextBlock for MsZip<'_> {
    fn next_block(&mut self, block: &mut Vec<u8>) -> Result<bool, Reason> {
        let Ok(size @ 1..) = self.0.u16_le() else { return Ok(false) };
        let cursor = &mut self.0;
        let packed = cursor.take(size.into())?;
        let packed = packed.strip_prefix(b"CK").ok_or(Reason::corrupt("block"))?;
        let mut inflate = Inflate::with_dictionary(packed, block);
        let mut next = vec![0; 32 << 10];
        let mut length = 0_usize;
        while let Some(rest @ [_, ..]) = next.get_mut(length..) {
            match inflate.read(rest) {
                Ok(0) => break,
                Ok(count) => length = length.saturating_add(count),
                Err(error) => return Err(Reason::from_io(&error)),
            }
        }
        next.truncate(length);
        *block = next;
        Ok(true)
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
