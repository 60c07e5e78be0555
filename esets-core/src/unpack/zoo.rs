//! ZOO archives (Rahul Dhesi's zoo 2.10, zoo.h).

use std::io::Read;

use delharc::decode::Lh5Decoder;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Checked, Codes, Lzh, Lzw, Stated, Sum};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Zoo;

impl Unpacker for Zoo {
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
        let _lease = children.lease(TABLES)?;
        let bytes = subject.bytes();
        let mut next = Cursor::at(bytes, 24)?.u32_le()?;
        let mut met = Chain::default();
        while met.step(next.into()) {
            let cursor = &mut Cursor::at(bytes, next.into())?;
            let entry = Entry::read(cursor)?;
            if entry.next == 0 {
                // The last entry names nothing.
                return Ok(children.behind(cursor)?);
            }
            entry.offer(bytes, children)?;
            next = entry.next;
        }
        Err(Reason::corrupt("directory").into())
    }
}

/// One entry of the directory.
struct Entry<'a> {
    method: u8,
    next: u32,
    data: u32,
    crc: u16,
    size: u32,
    packed: u32,
    name: &'a [u8],
    directory: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reason> {
        if cursor.array()? != TAG {
            return Err(Reason::corrupt("directory entry"));
        }
        let kind = cursor.u8()?;
        let method = cursor.u8()?;
        let (next, data) = (cursor.u32_le()?, cursor.u32_le()?);
        cursor.take(4)?; // date, time
        let crc = cursor.u16_le()?;
        let (size, packed) = (cursor.u32_le()?, cursor.u32_le()?);
        cursor.take(10)?; // versions, whether deleted, structure, comment
        let short = until_nul(cursor.take(13)?);
        let (name, directory) = if kind == 2 { long_name(cursor)? } else { (&[][..], &[][..]) };
        let name = if name.is_empty() { short } else { name };
        Ok(Self { method, next, data, crc, size, packed, name, directory })
    }

    fn offer(&self, archive: &[u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
        let data = Cursor::at(archive, self.data.into()).unwrap_or_default();
        let data = { data }.take_up_to(self.packed.into());
        let size = u64::from(self.size);
        let reader: Box<dyn Read + '_> = match self.method {
            0 => Box::new(data),
            1 => Box::new(Lzw::reader(data, LZD)),
            2 => Box::new(Lzh::new(Lh5Decoder::new(data), size)),
            _ => {
                let reason = Reason::unsupported("ZOO method");
                return Ok(children.skip(self.member(), reason)?);
            }
        };
        let stated = Stated { size: Some(size), sum: Sum::Crc16(self.crc) };
        Ok(children.stream(self.member(), &mut Checked::new(reader, stated))?)
    }

    fn member(&self) -> Member<'static> {
        let separator: &[u8] = if self.directory.is_empty() { b"" } else { b"/" };
        Member {
            packed_size: Some(self.packed.into()),
            size: Some(self.size.into()),
            ..Member::named([self.directory, separator, self.name].concat())
        }
    }
}

/// The long name and the directory behind an entry of version 2.
fn long_name<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], &'a [u8]), Truncated> {
    let size = usize::from(cursor.u16_le()?);
    cursor.take(3)?; // time zone, checksum
    let mut variable = Cursor::new(cursor.take(size)?);
    let (Ok(name), Ok(directory)) = (variable.u8(), variable.u8()) else {
        return Ok((b"", b""));
    };
    let name = until_nul(variable.take_up_to(name.into()));
    Ok((name, until_nul(variable.take_up_to(directory.into()))))
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

const TAG: [u8; 4] = [0xdc, 0xa7, 0xc4, 0xfd];
/// What LZD is.
const LZD: Codes = Codes { max_width: 13, clears: true, ends: true, grouped: false };
/// Windows and tables of any method.
const TABLES: u64 = 256 << 10;

static FORMAT: Format = Format {
    name: "zoo",
    about: "ZOO archive",
    extensions: &["zoo"],
    magic: &[Magic::at(20, &TAG)],
    specification: &["zoo 2.10, zoo.h"],
    limitations: &[],
};
