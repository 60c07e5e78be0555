//! ZOO archives (Rahul Dhesi's zoo 2.10, zoo.h).

use std::io::{self, Read};

use delharc::decode::Lh5Decoder;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Bytewise, Checked, Lzh, Stated, Sum};
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
            1 => Box::new(Lzd::reader(data)),
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

/// LZW with codes of 9 to 13 bits, the lowest bit first: one clears the table, one ends the data.
struct Lzd<'a> {
    data: &'a [u8],
    /// The place of the next bit.
    at: usize,
    /// The strings behind the codes from 258 on: the code of all but its last byte, and that.
    strings: Vec<(u16, u8)>,
    last: Option<(u16, u8)>,
    /// What is decoded and not yet read, the last byte first.
    ready: Vec<u8>,
}

impl<'a> Lzd<'a> {
    fn reader(data: &'a [u8]) -> Bytewise<Self> {
        let ready = Vec::new();
        Bytewise::new(Self { data, at: 0, strings: Vec::new(), last: None, ready })
    }

    fn code(&mut self) -> Option<u16> {
        let known = self.strings.len().saturating_add(FIRST.into());
        let width = (9..MAX_WIDTH).find(|width| known < 1 << width).unwrap_or(MAX_WIDTH);
        let mut code = 0;
        for place in 0..width {
            let byte = self.data.get(self.at / 8)?;
            code |= u16::from(byte >> (self.at % 8) & 1) << place;
            self.at = self.at.saturating_add(1);
        }
        Some(code)
    }

    /// Decodes one code; `false` at the end.
    fn step(&mut self) -> io::Result<bool> {
        let Some(code) = self.code().filter(|code| *code != END) else { return Ok(false) };
        if code == CLEAR {
            self.strings.clear();
            self.last = None;
            return Ok(true);
        }
        let known = self.strings.len().saturating_add(FIRST.into());
        let is_new = usize::from(code) == known && self.last.is_some();
        if usize::from(code) >= known && !is_new {
            return Err(io::Error::other(Reason::corrupt("code")));
        }
        let mut string = code;
        if let Some((last, first)) = self.last.filter(|_| is_new) {
            self.ready.push(first);
            string = last;
        }
        let first = self.spell(string);
        if let Some((last, _)) = self.last.filter(|_| known < 1 << MAX_WIDTH) {
            self.strings.push((last, first));
        }
        self.last = Some((code, first));
        Ok(true)
    }

    /// Puts the string of a known code behind what is ready and returns its first byte.
    fn spell(&mut self, mut code: u16) -> u8 {
        loop {
            let Some(place) = code.checked_sub(FIRST) else {
                let byte = code.to_le_bytes()[0];
                self.ready.push(byte);
                return byte;
            };
            // A prefix is older than its string, so this ends.
            let (prefix, byte) = self.strings.get(usize::from(place)).copied().unwrap_or_default();
            self.ready.push(byte);
            code = prefix;
        }
    }
}

impl Iterator for Lzd<'_> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        loop {
            if let Some(byte) = self.ready.pop() {
                return Some(Ok(byte));
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

const TAG: [u8; 4] = [0xdc, 0xa7, 0xc4, 0xfd];
const CLEAR: u16 = 256;
const END: u16 = 257;
const FIRST: u16 = 258;
const MAX_WIDTH: u32 = 13;
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
