//! ar, as in ar(5): common, System V and GNU, BSD; a Debian package is one.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Ar;

impl Unpacker for Ar {
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
        let cursor = &mut Cursor::at(subject.bytes(), MAGIC.len() as u64)?;
        let mut long_names: &[u8] = b"";
        while !cursor.is_empty() {
            let header = Header::read(cursor)?;
            let mut body = cursor.take_up_to(header.size);
            let is_cut = (body.len() as u64) < header.size;
            match header.name {
                b"//" | b"ARFILENAMES/" => long_names = body,
                field => {
                    let name = name(field, long_names, &mut body);
                    children.slice(Member::named(name), body)?;
                }
            }
            if is_cut {
                return Err(Reason::Truncated.into());
            }
            cursor.take_up_to(header.size & 1);
        }
        Ok(())
    }
}

/// The 60 bytes before a member.
struct Header<'a> {
    name: &'a [u8],
    size: u64,
}

impl<'a> Header<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reason> {
        let name = cursor.take(16)?.trim_ascii_end();
        cursor.take(32)?; // time, owner, group, mode
        let size = number(cursor.take(10)?).ok_or(Reason::corrupt("size"))?;
        if cursor.take(2)? != b"`\n" {
            return Err(Reason::corrupt("member header"));
        }
        Ok(Self { name, size })
    }
}

/// The name of a member: in its field, in the table of long names, or (BSD) before its content.
fn name<'a>(field: &'a [u8], long_names: &'a [u8], body: &mut &'a [u8]) -> &'a [u8] {
    if let Some(length) = field.strip_prefix(b"#1/").and_then(number) {
        let cursor = &mut Cursor::new(body);
        let name = cursor.take_up_to(length);
        *body = cursor.rest();
        return name.split(|byte| *byte == 0).next().unwrap_or(name);
    }
    let place = field.strip_prefix(b"/").and_then(number);
    let place = place.and_then(|place| usize::try_from(place).ok());
    if let Some(name) = place.and_then(|place| long_names.get(place..)) {
        let end = memchr::memchr2(b'\n', 0, name).unwrap_or(name.len());
        let name = name.get(..end).unwrap_or(name);
        return name.strip_suffix(b"/").unwrap_or(name);
    }
    field.strip_suffix(b"/").filter(|stem| !stem.is_empty()).unwrap_or(field)
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits.trim_ascii()).ok()?.parse().ok()
}

const MAGIC: &[u8] = b"!<arch>\n";

static FORMAT: Format = Format {
    name: "ar",
    about: "ar archive, Debian package",
    extensions: &["a", "ar", "deb", "udeb", "lib"],
    magic: &[Magic::start(MAGIC)],
    specification: &["ar(5)", "deb(5)"],
    limitations: &["thin archives, which hold names only"],
};
