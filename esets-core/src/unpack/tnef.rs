//! TNEF (`winmail.dat`), in which Outlook wraps a message: \[MS-OXTNEF\].

use std::borrow::Cow;

use crate::budget::Stop;
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::utf16_le;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, Magic, UnpackError, Unpacker};

/// Every attachment, the bodies, and messages in the message.
pub(super) struct Tnef;

static FORMAT: Format = Format {
    name: "tnef",
    about: "TNEF message (winmail.dat)",
    extensions: &["dat", "tnef"],
    magic: &[Magic::start(b"\x78\x9F\x3E\x22")],
    specification: &["[MS-OXTNEF]: Transport Neutral Encapsulation Format (TNEF)"],
    limitations: &["checksums are not verified"],
};

impl Unpacker for Tnef {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut cursor = Cursor::new(subject.bytes());
        cursor.take(6)?; // signature, key
        let mut attachment = Attachment::default();
        while !is_padding(cursor.rest()) {
            let read = read_attribute(&mut cursor, &mut attachment, children);
            if let Err(error) = read {
                attachment.offer(children)?;
                return Err(error);
            }
        }
        attachment.offer(children)?;
        Ok(())
    }
}

/// Whether only what mail programs add is left.
fn is_padding(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace())
}

/// Reads one attribute and offers what it completes.
fn read_attribute<'a>(
    cursor: &mut Cursor<'a>,
    attachment: &mut Attachment<'a>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    if !matches!(cursor.u8()?, MESSAGE | ATTACHMENT) {
        return Err(Reason::corrupt("attribute level").into());
    }
    // The upper half is the type, which only repeats what the number says.
    let [id, _] = [cursor.u16_le()?, cursor.u16_le()?];
    let size = cursor.u32_le()?;
    let content = cursor.take_up_to(size.into());
    match id {
        ATTACH_RENDER => std::mem::take(attachment).offer(children)?,
        ATTACH_TITLE => attachment.title = until_nul(content),
        ATTACH_TRANSPORT_NAME => attachment.transport_name = until_nul(content),
        ATTACH_DATA => attachment.contents.push(content),
        // Properties that break off have been read as far as they go.
        ATTACH_PROPERTIES => drop(attachment.read_properties(content)),
        BODY => children.slice("body.txt", content)?,
        MESSAGE_PROPERTIES => offer_bodies(content, children)?,
        _ => {}
    }
    cursor.take(2)?; // checksum
    Ok(())
}

/// An attachment, whose attributes come in any order.
#[derive(Default)]
struct Attachment<'a> {
    title: &'a [u8],
    transport_name: &'a [u8],
    long_name: Cow<'a, [u8]>,
    contents: Vec<&'a [u8]>,
}

impl<'a> Attachment<'a> {
    /// Offers each content under the best name there is.
    fn offer(self, children: &mut Children<'_>) -> Result<(), Stop> {
        let names = [&self.long_name, self.title, self.transport_name];
        let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or(b"attachment");
        self.contents.iter().try_for_each(|content| children.slice(Member::named(name), content))
    }

    fn read_properties(&mut self, content: &'a [u8]) -> Result<(), Truncated> {
        let mut properties = Properties::read(content)?;
        while let Some(property) = properties.next()? {
            match property.id {
                PR_ATTACH_LONG_FILENAME => self.long_name = property.text(),
                PR_ATTACH_DATA => self.contents.extend(property.object()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Offers the bodies among a message's properties.
fn offer_bodies(content: &[u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
    let mut properties = Properties::read(content)?;
    while let Some(property) = properties.next()? {
        let name = match property.id {
            PR_BODY => "body.txt",
            PR_BODY_HTML => "body.html",
            PR_RTF_COMPRESSED => "body.lzfu",
            _ => continue,
        };
        for value in &property.values {
            children.slice(name, value)?;
        }
    }
    Ok(())
}

/// A list of MAPI properties: \[MS-OXTNEF\] 2.1.3.4.
struct Properties<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

/// A property whose values are of variable length.
struct Property<'a> {
    id: u16,
    kind: u16,
    values: Vec<&'a [u8]>,
}

impl<'a> Properties<'a> {
    fn read(content: &'a [u8]) -> Result<Self, Truncated> {
        let mut cursor = Cursor::new(content);
        let left = cursor.u32_le()?;
        Ok(Self { cursor, left })
    }

    /// The next property; one of fixed length has no values here.
    fn next(&mut self) -> Result<Option<Property<'a>>, Truncated> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let kind = self.cursor.u16_le()?;
        let id = self.cursor.u16_le()?;
        if id >= FIRST_NAMED {
            self.skip_name()?;
        }
        let is_multiple = kind & MULTIPLE != 0;
        let mut values = Vec::new();
        match fixed_size(kind & !MULTIPLE) {
            Some(size) => {
                let count = if is_multiple { self.cursor.u32_le()? } else { 1 };
                for _ in 0..count {
                    self.cursor.take(size)?;
                }
            }
            None => {
                for _ in 0..self.cursor.u32_le()? {
                    values.push(self.value()?);
                }
            }
        }
        Ok(Some(Property { id, kind, values }))
    }

    /// A value behind its length, with its padding to four bytes.
    fn value(&mut self) -> Result<&'a [u8], Truncated> {
        let size = usize::try_from(self.cursor.u32_le()?).unwrap_or(usize::MAX);
        let value = self.cursor.take(size)?;
        self.cursor.take_up_to((size.wrapping_neg() & 3) as u64);
        Ok(value)
    }

    /// The name of a named property: a GUID, then a number or a text.
    fn skip_name(&mut self) -> Result<(), Truncated> {
        self.cursor.take(16)?;
        if self.cursor.u32_le()? == 0 {
            self.cursor.u32_le()?;
        } else {
            self.value()?;
        }
        Ok(())
    }
}

impl<'a> Property<'a> {
    /// The text, in UTF-8 if it was UTF-16.
    fn text(&self) -> Cow<'a, [u8]> {
        let value = self.values.first().copied().unwrap_or_default();
        if self.kind == UNICODE {
            Cow::Owned(utf16_le(value).trim_end_matches('\0').as_bytes().to_vec())
        } else {
            Cow::Borrowed(until_nul(value))
        }
    }

    /// The values of an object, without the interface in front.
    fn object(&self) -> impl Iterator<Item = &'a [u8]> {
        let skipped = if self.kind == OBJECT { 16 } else { 0 };
        self.values.iter().map(move |value| value.get(skipped..).unwrap_or(value))
    }
}

/// Bytes of a value, padding included, unless its length varies.
fn fixed_size(kind: u16) -> Option<usize> {
    match kind {
        STRING | UNICODE | OBJECT | BINARY => None,
        // Real numbers, money, times, 64-bit numbers.
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        _ => Some(4),
    }
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

const MESSAGE: u8 = 1;
const ATTACHMENT: u8 = 2;

const ATTACH_DATA: u16 = 0x800F;
const ATTACH_PROPERTIES: u16 = 0x9005;
const ATTACH_RENDER: u16 = 0x9002;
const ATTACH_TITLE: u16 = 0x8010;
const ATTACH_TRANSPORT_NAME: u16 = 0x9001;
const BODY: u16 = 0x800C;
const MESSAGE_PROPERTIES: u16 = 0x9003;

const PR_ATTACH_DATA: u16 = 0x3701;
const PR_ATTACH_LONG_FILENAME: u16 = 0x3707;
const PR_BODY: u16 = 0x1000;
const PR_BODY_HTML: u16 = 0x1013;
const PR_RTF_COMPRESSED: u16 = 0x1009;

const STRING: u16 = 0x001E;
const UNICODE: u16 = 0x001F;
const OBJECT: u16 = 0x000D;
const BINARY: u16 = 0x0102;
const MULTIPLE: u16 = 0x1000;
/// Identifiers from here on have a name.
const FIRST_NAMED: u16 = 0x8000;
