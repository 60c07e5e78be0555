//! CMS (RFC 5652, formerly PKCS #7): what a signed, compressed or digested message carries.

use std::io::{self, Read};

use esets_mime::Encoding;
use memchr::memmem;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::inner_name;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Pkcs7;

impl Unpacker for Pkcs7 {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        content_type(&mut Cursor::new(subject.bytes())).is_some()
            || armoured(subject.bytes()).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let name = inner_name(&FORMAT, subject.name());
        if let Some(letters) = armoured(subject.bytes()) {
            let name = [&name, &b".p7m"[..]].concat();
            children.stream(Member::named(name), &mut Encoding::Base64.decode(letters))?;
            return Ok(());
        }
        let cursor = &mut Cursor::new(subject.bytes());
        if content_type(cursor).is_none_or(|kind| ENCRYPTED.contains(&kind)) {
            return Err(Reason::Encrypted.into());
        }
        enter(cursor, EXPLICIT)?;
        enter(cursor, SEQUENCE)?;
        while !cursor.is_empty() {
            let Some(content) = carried(cursor.clone()) else {
                skip(cursor)?;
                continue;
            };
            match content.whole() {
                Some(whole) => children.slice(Member::named(name), whole)?,
                None => children.stream(Member::named(name), &mut Octets::new(content.cursor)?)?,
            }
            break;
        }
        Ok(())
    }
}

/// Steps behind the content type of a `ContentInfo`, if it is one of CMS.
fn content_type<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    enter(cursor, SEQUENCE).ok()?;
    let object = identifier(cursor).ok().flatten()?;
    [&CARRYING[..], &ENCRYPTED[..]].concat().contains(&object).then_some(object)
}

/// The base64 of RFC 7468 armour.
fn armoured(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.trim_ascii_start();
    let behind = ARMOUR.iter().find_map(|mark| bytes.strip_prefix(*mark))?;
    let end = memmem::find(behind, b"-----").unwrap_or(behind.len());
    behind.get(..end)
}

/// The octet string of an `EncapsulatedContentInfo`, if that is what comes next.
fn carried(mut cursor: Cursor<'_>) -> Option<Carried<'_>> {
    enter(&mut cursor, SEQUENCE).ok()?;
    identifier(&mut cursor).ok().flatten()?;
    enter(&mut cursor, EXPLICIT).ok()?;
    let tag = cursor.rest().first()?;
    (tag & !CONSTRUCTED == OCTETS).then_some(Carried { cursor })
}

/// An octet string in front of the cursor.
struct Carried<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Carried<'a> {
    /// All of it, if it lies in one piece.
    fn whole(&self) -> Option<&'a [u8]> {
        let cursor = &mut self.cursor.clone();
        let head = Head::read(cursor).ok().filter(|head| head.tag == OCTETS)?;
        cursor.take(head.length?).ok()
    }
}

/// What an element begins with (X.690, 8.1.2 and 8.1.3).
struct Head {
    tag: u8,
    /// `None` if the content ends at a mark.
    length: Option<usize>,
}

impl Head {
    /// Tags of several bytes do not occur in what is read here.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let tag = cursor.u8()?;
        let length = match cursor.u8()? {
            0x80 => None,
            short @ ..0x80 => Some(short.into()),
            long => {
                let bytes = cursor.take((long & 0x7f).into())?;
                let sum = bytes.iter().fold(0_usize, |sum, byte| {
                    sum.saturating_mul(256).saturating_add((*byte).into())
                });
                Some(sum)
            }
        };
        Ok(Self { tag, length })
    }
}

fn enter(cursor: &mut Cursor<'_>, tag: u8) -> Result<(), Reason> {
    let head = Head::read(cursor)?;
    if head.tag == tag { Ok(()) } else { Err(Reason::corrupt("structure of the message")) }
}

/// The next object identifier.
fn identifier<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, Truncated> {
    let head = Head::read(cursor)?;
    let content = cursor.take(head.length.unwrap_or(0))?;
    Ok(Some(content).filter(|_| head.tag == OBJECT))
}

/// Steps over an element; without recursion, as marks may end many within each other.
fn skip(cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let mut open = 0_usize;
    loop {
        let head = Head::read(cursor)?;
        match head.length {
            Some(0) if head.tag == 0 => open = open.saturating_sub(1),
            Some(length) => drop(cursor.take(length)?),
            None => open = open.saturating_add(1),
        }
        if open == 0 {
            return Ok(());
        }
    }
}

/// The content of an octet string, in however many pieces it comes.
struct Octets<'a> {
    cursor: Cursor<'a>,
    /// Where each string around the next piece ends, if not at a mark.
    ends: Vec<Option<usize>>,
    /// How much of the current piece is left.
    left: usize,
}

impl<'a> Octets<'a> {
    fn new(cursor: Cursor<'a>) -> Result<Self, Reason> {
        let mut octets = Self { cursor, ends: Vec::new(), left: 0 };
        octets.step().map_err(|error| Reason::from_io(&error))?;
        Ok(octets)
    }

    /// Goes to the next piece.
    fn step(&mut self) -> io::Result<()> {
        let cut = |_| io::Error::from(io::ErrorKind::UnexpectedEof);
        let head = Head::read(&mut self.cursor).map_err(cut)?;
        let is_nested = head.tag == OCTETS | CONSTRUCTED && self.ends.len() < DEEPEST;
        match head.length {
            Some(0) if head.tag == 0 => drop(self.ends.pop()),
            Some(length) if head.tag == OCTETS => self.left = length,
            None if is_nested => self.ends.push(None),
            Some(length) if is_nested => {
                self.ends.push(Some(self.cursor.position().saturating_add(length)));
            }
            _ => return Err(io::Error::other(Reason::corrupt("pieces of the content"))),
        }
        Ok(())
    }
}

impl Read for Octets<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            while self
                .ends
                .pop_if(|end| end.is_some_and(|end| end <= self.cursor.position()))
                .is_some()
            {}
            if self.ends.is_empty() {
                return Ok(0);
            }
            self.step()?;
        }
        let room = self.left.min(output.len());
        let count = self.cursor.read(output.get_mut(..room).unwrap_or_default())?;
        if count == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(count);
        Ok(count)
    }
}

const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const CONSTRUCTED: u8 = 0x20;
const SEQUENCE: u8 = 0x30;
const EXPLICIT: u8 = 0xa0;

/// How deep octet strings may lie within each other.
const DEEPEST: usize = 64;

/// Signed and digested data, authenticated data, compressed data.
const CARRYING: [&[u8]; 4] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09",
];

/// Enveloped, signed and enveloped, encrypted, authenticated enveloped data.
const ENCRYPTED: [&[u8]; 4] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x04",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
];

const ARMOUR: [&[u8]; 2] = [b"-----BEGIN PKCS7-----", b"-----BEGIN CMS-----"];

static FORMAT: Format = Format {
    name: "pkcs7",
    about: "S/MIME and other signed or enveloped messages",
    extensions: &["p7m", "p7s", "p7c", "p7z"],
    magic: &[],
    specification: &["RFC 5652", "RFC 3274", "RFC 8551", "X.690"],
    limitations: &["enveloped messages are not decrypted"],
};
