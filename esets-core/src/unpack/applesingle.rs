//! AppleSingle and AppleDouble (RFC 1740): the forks and attributes of a Macintosh file.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

pub(super) struct AppleSingle;

impl Unpacker for AppleSingle {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let mut cursor = Cursor::at(bytes, 24)?; // magic, version, filler
        let count = cursor.u16_be()?;
        if count > MOST {
            children.not_scanned(Reason::Limit(Limit::Objects));
        }
        let table = cursor.clone();
        let entries = || {
            let mut table = table.clone();
            (0..count.min(MOST)).map_while(move |_| Entry::read(&mut table, bytes))
        };
        let named = entries().find(|entry| entry.id == REAL_NAME);
        let name = named.map_or(subject.name(), |entry| entry.content);
        for entry in entries().filter(|entry| entry.id != REAL_NAME) {
            let member = match entry.id {
                DATA => Member::named(name),
                RESOURCE => Member::named([name, b"/rsrc"].concat()),
                id => Member::named([name, format!("/entry{id}").as_bytes()].concat()),
            };
            children.slice(member, entry.content)?;
        }
        let is_cut =
            entries().count() < count.min(MOST).into() || entries().any(|entry| entry.is_cut);
        if is_cut { Err(Reason::Truncated.into()) } else { Ok(()) }
    }
}

/// One row of the table.
struct Entry<'a> {
    id: u32,
    content: &'a [u8],
    /// Whether the object ends before the content does.
    is_cut: bool,
}

impl<'a> Entry<'a> {
    fn read(table: &mut Cursor<'a>, bytes: &'a [u8]) -> Option<Self> {
        let id = table.u32_be().ok()?;
        let offset = table.u32_be().ok()?;
        let length = table.u32_be().ok()?;
        let content =
            Cursor::at(bytes, offset.into()).unwrap_or_default().take_up_to(length.into());
        Some(Self { id, content, is_cut: (content.len() as u64) < u64::from(length) })
    }
}

const DATA: u32 = 1;
const RESOURCE: u32 = 2;
const REAL_NAME: u32 = 3;

/// How many entries are read; RFC 1740 defines 15.
const MOST: u16 = 64;

static FORMAT: Format = Format {
    name: "applesingle",
    about: "AppleSingle or AppleDouble, a Macintosh file with both forks",
    extensions: &["as", "adf"],
    magic: &[Magic::start(b"\x00\x05\x16\x00\x00"), Magic::start(b"\x00\x05\x16\x07\x00")],
    specification: &["RFC 1740"],
    limitations: &["the resources of a resource fork are not told apart"],
};
