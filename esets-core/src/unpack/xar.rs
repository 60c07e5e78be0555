//! xar, as in the xar wiki, "xarformat": a table of contents in XML, and a heap.

use std::io::Read as _;

use memchr::memmem;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::Inflate;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Xar;

impl Unpacker for Xar {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    /// Contents are offered as they lie in the heap; how they are packed shows in their own magic.
    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let header = Header::read(&mut Cursor::at(subject.bytes(), 4)?)?;
        let cursor = &mut Cursor::at(subject.bytes(), header.size)?;
        let packed = cursor.take_up_to(header.packed);
        let heap = cursor.rest();
        let _lease = children.lease(header.unpacked.min(MAX_CONTENTS))?;
        let contents = inflate(packed)?;
        children.slice("(table of contents)", &contents)?;
        let mut walk = Walk { xml: &contents, name: b"" };
        while let Some(entry) = walk.next() {
            let start = usize::try_from(entry.offset).unwrap_or(usize::MAX);
            let rest = heap.get(start..).ok_or(Truncated)?;
            let body = Cursor::new(rest).take_up_to(entry.length);
            children.slice(Member::named(entry.name), body)?;
        }
        Ok(())
    }
}

/// The fields behind the magic.
struct Header {
    size: u64,
    packed: u64,
    unpacked: u64,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let size = cursor.u16_be()?.into();
        cursor.take(2)?; // version
        Ok(Self { size, packed: cursor.u64_be()?, unpacked: cursor.u64_be()? })
    }
}

/// Unpacks the table of contents, which is a zlib stream.
fn inflate(packed: &[u8]) -> Result<Vec<u8>, Reason> {
    let data = packed.get(2..).ok_or(Reason::Truncated)?;
    let mut contents = Vec::new();
    let mut reader = Inflate::new(data).take(MAX_CONTENTS);
    let mut chunk = [0; 4096];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(contents),
            Ok(count) => contents.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(_) => return Err(Reason::corrupt("table of contents")),
        }
    }
}

/// One file in the heap.
struct Entry<'x> {
    name: &'x [u8],
    offset: u64,
    length: u64,
}

/// Walks over the elements that matter, in the order of the XML.
struct Walk<'x> {
    xml: &'x [u8],
    name: &'x [u8],
}

impl<'x> Walk<'x> {
    fn next(&mut self) -> Option<Entry<'x>> {
        loop {
            let at = memchr::memchr(b'<', self.xml)?;
            let rest = self.xml.get(at..)?;
            self.xml = rest.get(1..)?;
            if rest.starts_with(b"<name") {
                self.name = text(rest).unwrap_or_default();
            } else if rest.starts_with(b"<data>") || rest.starts_with(b"<data ") {
                let end = memmem::find(rest, b"</data>").unwrap_or(rest.len());
                let (data, behind) = rest.split_at_checked(end)?;
                self.xml = behind;
                let offset = element(data, b"<offset>").and_then(number);
                let length = element(data, b"<length>").and_then(number);
                if let (Some(offset), Some(length)) = (offset, length) {
                    return Some(Entry { name: self.name, offset, length });
                }
            }
        }
    }
}

/// The text of the first element that begins with `tag`.
fn element<'x>(xml: &'x [u8], tag: &[u8]) -> Option<&'x [u8]> {
    text(xml.get(memmem::find(xml, tag)?..)?)
}

/// The text behind the tag at the start.
fn text(xml: &[u8]) -> Option<&[u8]> {
    let start = memchr::memchr(b'>', xml)?.saturating_add(1);
    let rest = xml.get(start..)?;
    rest.get(..memchr::memchr(b'<', rest)?)
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits.trim_ascii()).ok()?.parse().ok()
}

/// The longest table of contents that is read: 16 MiB.
const MAX_CONTENTS: u64 = 16 << 20;

static FORMAT: Format = Format {
    name: "xar",
    about: "xar archive, macOS installer package",
    extensions: &["xar", "pkg"],
    magic: &[Magic::start(b"xar!")],
    specification: &["xar wiki, xarformat"],
    limitations: &["checksums are not checked", "extended attributes"],
};
