//! Symbian installation files: of EPOC releases 3 to 8 (A. Thoukydides, SIS File Format 1.18) and
//! of Symbian OS 9 (Symbian OS v9.x SIS File Format Specification 1.1).

use std::io::Read;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Inflate, utf16_le, whole};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Sis;

impl Unpacker for Sis {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        if !NEW.matches(bytes) {
            return Old::read(bytes)?.offer(children);
        }
        let mut cursor = Cursor::at(bytes, 16)?;
        let mut count = 0;
        while let Some((kind, content)) = field(&mut cursor, None)? {
            fields(kind, content, MOST_DEPTH, &mut count, children)?;
        }
        Ok(())
    }
}

/// What the header of the old format says.
struct Old<'a> {
    bytes: &'a [u8],
    files: u16,
    files_at: u32,
    languages: u16,
    is_stored: bool,
    is_unicode: bool,
    /// Whether records of files have what release 6 added.
    is_release_6: bool,
}

impl<'a> Old<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(bytes, 4)?;
        let is_release_6 = cursor.u32_le()? == RELEASE_6;
        cursor.take(10)?;
        let (languages, files) = (cursor.u16_le()?, cursor.u16_le()?);
        cursor.take(14)?;
        let options = cursor.u16_le()?;
        cursor.take(14)?;
        let files_at = cursor.u32_le()?;
        let is_stored = options & STORED != 0 || !is_release_6;
        let is_unicode = options & UNICODE != 0;
        Ok(Self { bytes, files, files_at, languages, is_stored, is_unicode, is_release_6 })
    }

    fn offer(&self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::at(self.bytes, self.files_at.into())?;
        for _ in 0..self.files {
            match cursor.u32_le()? {
                0 => self.file(cursor, 1, children)?,
                1 => self.file(cursor, self.languages, children)?,
                2 => {
                    let texts = u64::from(cursor.u32_le()?).saturating_mul(self.languages.into());
                    let selected = if self.is_release_6 { 16 } else { 0 };
                    pass(cursor, texts.saturating_mul(8).saturating_add(selected))?;
                }
                3 | 4 => {
                    let size = cursor.u32_le()?;
                    pass(cursor, size.into())?;
                }
                5 | 6 => {}
                _ => return Err(Reason::corrupt("record").into()),
            }
        }
        Ok(())
    }

    /// Offers a file, which there is for each of the `languages`.
    fn file(
        &self,
        cursor: &mut Cursor<'a>,
        languages: u16,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        cursor.take(16)?; // kind, details, place of the source's name
        let name = self.text(cursor.u32_le()?, cursor.u32_le()?);
        let numbers = |cursor: &mut Cursor<'a>| -> Result<Vec<u32>, Truncated> {
            (0..languages).map(|_| cursor.u32_le()).collect()
        };
        let (sizes, places) = (numbers(cursor)?, numbers(cursor)?);
        if self.is_release_6 {
            numbers(cursor)?; // unpacked sizes
            cursor.take(8)?; // media type
        }
        for (size, place) in sizes.into_iter().zip(places) {
            let data = Cursor::at(self.bytes, place.into());
            let data = data.map_or(&[][..], |mut data| data.take_up_to(size.into()));
            let member = Member { packed_size: Some(size.into()), ..Member::named(name.clone()) };
            if size > 0 {
                children.stream(member, &mut content(data, size.into(), !self.is_stored))?;
            }
        }
        Ok(())
    }

    fn text(&self, size: u32, at: u32) -> Vec<u8> {
        let text = Cursor::at(self.bytes, at.into());
        let text = text.map_or(&[][..], |mut text| text.take_up_to(size.min(MOST_TEXT).into()));
        if self.is_unicode { utf16_le(text).into_bytes() } else { text.to_vec() }
    }
}

/// A reader of data of the stated `size`, deflated or stored.
fn content<'a>(data: &'a [u8], size: u64, is_deflated: bool) -> Box<dyn Read + 'a> {
    match data {
        [first, _, rest @ ..] if is_deflated && first & 0x0f == 8 => {
            whole(Inflate::new(rest), data.len(), size)
        }
        _ => whole(data, data.len(), size),
    }
}

fn pass(cursor: &mut Cursor<'_>, size: u64) -> Result<(), Truncated> {
    cursor.take(usize::try_from(size).map_err(|_| Truncated)?)?;
    Ok(())
}

/// The next field of the new format: its kind, unless that is `known`, and content; `None` at the
/// end.
fn field<'a>(
    cursor: &mut Cursor<'a>,
    known: Option<u32>,
) -> Result<Option<(u32, Field<'a>)>, Truncated> {
    if cursor.rest().len() < SMALLEST {
        let is_padding = cursor.rest().iter().all(|byte| *byte == 0);
        return if is_padding { Ok(None) } else { Err(Truncated) };
    }
    let kind = known.map_or_else(|| cursor.u32_le(), Ok)?;
    if kind == 0 {
        return Ok(None);
    }
    let size = match cursor.u32_le()? {
        low if low & 1 << 31 != 0 => {
            u64::from(low & !(1 << 31)) | u64::from(cursor.u32_le()?) << 31
        }
        size => size.into(),
    };
    let bytes = cursor.take_up_to(size);
    cursor.take_up_to(size.next_multiple_of(4).saturating_sub(size));
    Ok(Some((kind, Field { bytes, size })))
}

/// The content of a field.
#[derive(Clone, Copy)]
struct Field<'a> {
    bytes: &'a [u8],
    size: u64,
}

/// Offers what is packed in a field, and in those in it.
fn fields(
    kind: u32,
    content: Field<'_>,
    depth: u8,
    count: &mut u32,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Reason::corrupt("fields").into());
    };
    let mut cursor = Cursor::new(content.bytes);
    let known = match kind {
        COMPRESSED => return compressed(content, count, children),
        ARRAY => Some(cursor.u32_le()?),
        CONTENTS | DATA | UNIT | FILE => None,
        _ => return Ok(()),
    };
    while let Some((kind, content)) = field(&mut cursor, known)? {
        fields(kind, content, depth, count, children)?;
    }
    if (content.bytes.len() as u64) < content.size { Err(Reason::Truncated.into()) } else { Ok(()) }
}

fn compressed(
    field: Field<'_>,
    count: &mut u32,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let cursor = &mut Cursor::new(field.bytes);
    let (method, size) = (cursor.u32_le()?, cursor.u64_le()?);
    // The first is the controller, which describes the others.
    let name = match *count {
        0 => "controller".to_string(),
        number => format!("@{}", number.saturating_sub(1)),
    };
    *count = count.saturating_add(1);
    let member = Member { size: Some(size), ..Member::named(name.into_bytes()) };
    let stated = field.size.saturating_sub(12);
    match method {
        0 | 1 => children.stream(member, &mut content(cursor.rest(), stated, method == 1))?,
        _ => children.skip(member, Reason::unsupported("compression"))?,
    }
    Ok(())
}

/// The second number of files of release 6 and later.
const RELEASE_6: u32 = 0x1000_3a12;
const UNICODE: u16 = 1;
const STORED: u16 = 8;
const MOST_TEXT: u32 = 1024;

/// Kinds of fields.
const ARRAY: u32 = 2;
const COMPRESSED: u32 = 3;
const CONTENTS: u32 = 12;
const DATA: u32 = 30;
const UNIT: u32 = 31;
const FILE: u32 = 32;
const MOST_DEPTH: u8 = 16;
/// How long a field is at least, with its kind or without.
const SMALLEST: usize = 4;

static NEW: Magic = Magic::start(b"\x7a\x1a\x20\x10");

static FORMAT: Format = Format {
    name: "sis",
    about: "Symbian installation file",
    extensions: &["sis", "sisx"],
    magic: &[Magic::at(8, b"\x19\x04\0\x10"), Magic::start(b"\x7a\x1a\x20\x10")],
    specification: &[
        "A. Thoukydides, SIS File Format 1.18",
        "Symbian OS v9.x SIS File Format Specification 1.1",
    ],
    limitations: &["files of Symbian OS 9 are numbered, as their names are in the controller"],
};
