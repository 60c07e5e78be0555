//! ALZ, of the Korean archiver ALZip (as unalz reads it; there is no specification).

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Checked, Inflate, Stated, Sum};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Alz;

impl Unpacker for Alz {
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
        let cursor = &mut Cursor::new(subject.bytes());
        loop {
            match &cursor.array()? {
                ARCHIVE => _ = cursor.take(4)?,
                FILE => file(cursor, children)?,
                DIRECTORY => _ = cursor.take(8)?,
                UNKNOWN => {}
                END => return Ok(children.behind(cursor)?),
                _ => return Err(Reason::corrupt("header").into()),
            }
        }
    }
}

/// Offers a member.
fn file(cursor: &mut Cursor<'_>, children: &mut Children<'_>) -> Result<(), UnpackError> {
    let length = usize::from(cursor.u16_le()?);
    let attributes = cursor.u8()?;
    cursor.take(4)?; // time
    let descriptor = cursor.u8()?;
    cursor.take(1)?; // unknown
    let width = descriptor >> 4;
    let (mut method, mut crc, mut packed, mut size) = (0, 0, 0, 0);
    if width > 0 {
        method = cursor.u8()?;
        cursor.take(1)?; // unknown
        crc = cursor.u32_le()?;
        (packed, size) = (number(cursor, width)?, number(cursor, width)?);
    }
    let name = cursor.take(length)?;
    let encrypted = descriptor & ENCRYPTED != 0;
    if encrypted {
        cursor.take(12)?; // what shows whether a password is right
    }
    let data = cursor.take_up_to(packed);
    if attributes & FOLDER != 0 && packed == 0 {
        return Ok(());
    }
    let member = Member {
        crc32: Some(crc),
        encrypted,
        packed_size: Some(packed),
        size: Some(size),
        ..Member::named(name)
    };
    let stated = Stated { size: Some(size), sum: Sum::Crc32(crc) };
    match method {
        _ if encrypted => children.skip(member, Reason::Encrypted)?,
        0 => children.stream(member, &mut Checked::new(data, stated))?,
        2 => children.stream(member, &mut Checked::new(Inflate::new(data), stated))?,
        _ => children.skip(member, Reason::unsupported("ALZ's own bzip2"))?,
    }
    if (data.len() as u64) < packed { Err(Truncated.into()) } else { Ok(()) }
}

/// A number of 1, 2, 4 or 8 bytes.
fn number(cursor: &mut Cursor<'_>, width: u8) -> Result<u64, Truncated> {
    let bytes = cursor.take(width.into())?;
    let digits = bytes.iter().rev().take(8);
    Ok(digits.fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

const ARCHIVE: &[u8; 4] = b"ALZ\x01";
const FILE: &[u8; 4] = b"BLZ\x01";
const DIRECTORY: &[u8; 4] = b"CLZ\x01";
const END: &[u8; 4] = b"CLZ\x02";
const UNKNOWN: &[u8; 4] = b"CLZ\x03";

const ENCRYPTED: u8 = 0x01;
const FOLDER: u8 = 0x10;

static FORMAT: Format = Format {
    name: "alz",
    about: "ALZip archive, ALZ",
    extensions: &["alz"],
    magic: &[Magic::start(ARCHIVE)],
    specification: &["unalz 0.65, UnAlz.h"],
    limitations: &[
        "members packed with ALZ's variant of bzip2 are not decoded",
        "encrypted members are not decrypted",
    ],
};
