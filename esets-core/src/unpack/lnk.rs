//! Windows shortcuts: the strings of a link, and what is appended to it.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::utf16_le;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Lnk;

impl Unpacker for Lnk {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::new(subject.bytes());
        let mut strings = String::new();
        let end = walk(cursor, &mut strings);
        if !strings.is_empty() {
            children.stream("strings", &mut strings.as_bytes())?;
        }
        end?;
        if !cursor.is_empty() {
            children.slice("appended", cursor.rest())?;
        }
        Ok(())
    }
}

/// Steps over header, target, location, strings and extra data ([MS-SHLLINK] 2).
fn walk(cursor: &mut Cursor<'_>, strings: &mut String) -> Result<(), Reason> {
    cursor.take(20)?; // size and class
    let flags = cursor.u32_le()?;
    cursor.take(52)?;
    if flags & TARGET != 0 {
        let length = cursor.u16_le()?;
        cursor.take(length.into())?;
    }
    if flags & LOCATION != 0 {
        let length = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
        let rest = length.checked_sub(4).ok_or(Reason::corrupt("size of the location"))?;
        cursor.take(rest)?;
    }
    for flag in STRINGS {
        if flags & flag != 0 {
            let count = usize::from(cursor.u16_le()?);
            if flags & UNICODE == 0 {
                strings.push_str(&String::from_utf8_lossy(cursor.take(count)?));
            } else {
                strings.push_str(&utf16_le(cursor.take(count.saturating_mul(2))?));
            }
            strings.push('\n');
        }
    }
    while let Some(size) = cursor.clone().u32_le().ok().filter(|size| *size >= 4) {
        // What is no block of extra data has been appended without the mark of the end.
        if cursor.take(usize::try_from(size).unwrap_or(usize::MAX)).is_err() {
            return Ok(());
        }
    }
    cursor.take_up_to(4);
    Ok(())
}

const TARGET: u32 = 0x01;
const LOCATION: u32 = 0x02;
const UNICODE: u32 = 0x80;

/// Name, relative path, working directory, arguments, place of the icon.
const STRINGS: [u32; 5] = [0x04, 0x08, 0x10, 0x20, 0x40];

static FORMAT: Format = Format {
    name: "lnk",
    about: "Windows shortcut",
    extensions: &["lnk"],
    magic: &[Magic::start(
        b"\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46",
    )],
    specification: &["[MS-SHLLINK] Shell Link Binary File Format"],
    limitations: &["property stores of the extra data are not read"],
};
