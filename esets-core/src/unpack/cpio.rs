//! cpio, as in cpio(5): old binary in both byte orders, portable ASCII (odc), new ASCII (newc, crc).

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Cpio;

impl Unpacker for Cpio {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// The binary magic has two bytes, so the rest of the header must make sense too.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let header = Header::read(&mut Cursor::new(subject.bytes()));
        header.is_ok_and(|header| (1..=4096).contains(&header.name_size))
    }

    fn carved_by(&self) -> &'static [Magic] {
        const { &[Magic::start(NEW), Magic::start(CRC)] }
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::new(subject.bytes());
        loop {
            let header = Header::read(cursor)?;
            let name = cursor.take(header.name_size)?;
            let name = name.strip_suffix(b"\0").unwrap_or(name);
            cursor.take_up_to(header.padding(cursor.position()));
            if name == b"TRAILER!!!" {
                return behind(subject.bytes(), cursor.position(), children);
            }
            let body = cursor.take_up_to(header.size);
            if header.size > 0 {
                children.slice(Member::named(name), body)?;
            }
            if (body.len() as u64) < header.size {
                return Err(Reason::Truncated.into());
            }
            cursor.take_up_to(header.padding(cursor.position()));
        }
    }
}

/// Offers what lies behind the trailer and its padding: an initramfs is several archives.
fn behind(bytes: &[u8], end: usize, children: &mut Children<'_>) -> Result<(), UnpackError> {
    let rest = bytes.get(end..).unwrap_or_default();
    let Some(start) = rest.iter().position(|byte| *byte != 0) else { return Ok(()) };
    let rest = rest.get(start..).unwrap_or_default();
    Ok(children.slice(
        Member::named(format!("@{}", bytes.len().saturating_sub(rest.len())).into_bytes()),
        rest,
    )?)
}

/// What stands before a member.
struct Header {
    name_size: usize,
    size: u64,
    /// Names and contents end at a multiple of this.
    alignment: usize,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Reason> {
        let rest = cursor.rest();
        if rest.starts_with(NEW) || rest.starts_with(CRC) {
            return Self::read_new(cursor);
        }
        if rest.starts_with(PORTABLE) {
            return Self::read_portable(cursor);
        }
        let swap: fn([u8; 2]) -> u16 = match rest {
            [0xc7, 0x71, ..] => u16::from_le_bytes,
            [0x71, 0xc7, ..] => u16::from_be_bytes,
            _ => return Err(Reason::corrupt("member header")),
        };
        Ok(Self::read_binary(cursor, swap)?)
    }

    /// Fields of eight hexadecimal digits.
    fn read_new(cursor: &mut Cursor<'_>) -> Result<Self, Reason> {
        cursor.take(54)?; // magic, inode, mode, owner, group, links, time
        let size = number(cursor.take(8)?, 16)?;
        cursor.take(32)?; // devices
        let name_size = number(cursor.take(8)?, 16)?;
        cursor.take(8)?; // checksum
        Ok(Self { name_size: to_size(name_size), size, alignment: 4 })
    }

    /// Fields of six and eleven octal digits.
    fn read_portable(cursor: &mut Cursor<'_>) -> Result<Self, Reason> {
        cursor.take(59)?; // magic, device, inode, mode, owner, group, links, device, time
        let name_size = number(cursor.take(6)?, 8)?;
        let size = number(cursor.take(11)?, 8)?;
        Ok(Self { name_size: to_size(name_size), size, alignment: 1 })
    }

    /// Thirteen 16-bit words; a long number has its high word first.
    fn read_binary(cursor: &mut Cursor<'_>, swap: fn([u8; 2]) -> u16) -> Result<Self, Truncated> {
        cursor.take(20)?; // magic, device, inode, mode, owner, group, links, device, time
        let name_size = swap(cursor.array()?);
        let high = u64::from(swap(cursor.array()?));
        let low = u64::from(swap(cursor.array()?));
        Ok(Self { name_size: name_size.into(), size: high << 16 | low, alignment: 2 })
    }

    /// How many bytes to the next multiple of the alignment.
    fn padding(&self, position: usize) -> u64 {
        (position.next_multiple_of(self.alignment).saturating_sub(position)) as u64
    }
}

fn number(digits: &[u8], radix: u32) -> Result<u64, Reason> {
    let text = std::str::from_utf8(digits).ok();
    let number = text.and_then(|text| u64::from_str_radix(text, radix).ok());
    number.ok_or(Reason::corrupt("number"))
}

fn to_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const NEW: &[u8] = b"070701";
const CRC: &[u8] = b"070702";
const PORTABLE: &[u8] = b"070707";

static FORMAT: Format = Format {
    name: "cpio",
    about: "cpio archive",
    extensions: &["cpio"],
    magic: &[
        Magic::start(NEW),
        Magic::start(CRC),
        Magic::start(PORTABLE),
        Magic::start(b"\xc7\x71"),
        Magic::start(b"\x71\xc7"),
    ],
    specification: &["cpio(5)"],
    limitations: &["checksums are not checked"],
};
