//! ACE archives (M. Lemke, "Technical information of the archiver ACE v1.2").

use flate2::Crc;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Checked, Stated, Sum};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Ace;

impl Unpacker for Ace {
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
        let mut cursor = Cursor::new(subject.bytes());
        while let Some(block) = Block::read(&mut cursor)? {
            if !block.is_right {
                children.not_scanned(Reason::corrupt("header checksum"));
            }
            match block.kind {
                MAIN => {}
                FILE => file(&block, children)?,
                SEALED => return Err(Reason::Encrypted.into()),
                // Recovery records and what later versions added.
                _ => {}
            }
            if block.is_cut {
                return Err(Reason::Truncated.into());
            }
        }
        Ok(())
    }
}

/// A header and the data behind it.
struct Block<'a> {
    kind: u8,
    flags: u16,
    fields: Cursor<'a>,
    data: &'a [u8],
    is_right: bool,
    is_cut: bool,
}

impl<'a> Block<'a> {
    /// Reads a block; `Ok(None)` at the end of the archive.
    fn read(cursor: &mut Cursor<'a>) -> Result<Option<Self>, Truncated> {
        if cursor.is_empty() {
            return Ok(None);
        }
        let crc = cursor.u16_le()?;
        let size = cursor.u16_le()?;
        let header = cursor.take(size.into())?;
        // The complement of what CRC-32 ends with is what ACE has.
        let mut sum = Crc::new();
        sum.update(header);
        let is_right = !sum.sum() & 0xffff == u32::from(crc);
        let mut fields = Cursor::new(header);
        let kind = fields.u8()?;
        let flags = fields.u16_le()?;
        let stated = if flags & HAS_DATA == 0 {
            0
        } else if flags & IS_LARGE != 0 {
            fields.u64_le()?
        } else {
            fields.u32_le()?.into()
        };
        let data = cursor.take_up_to(stated);
        let is_cut = (data.len() as u64) < stated;
        Ok(Some(Self { kind, flags, fields, data, is_right, is_cut }))
    }
}

/// Offers a member.
fn file(block: &Block<'_>, children: &mut Children<'_>) -> Result<(), UnpackError> {
    let cursor = &mut block.fields.clone();
    let size = if block.flags & IS_LARGE != 0 { cursor.u64_le()? } else { cursor.u32_le()?.into() };
    cursor.take(4)?; // time
    let attributes = cursor.u32_le()?;
    let crc = !cursor.u32_le()?;
    let method = cursor.u8()?;
    cursor.take(5)?; // quality, parameters, reserved
    let length = cursor.u16_le()?;
    let name = cursor.take_up_to(length.into());
    let encrypted = block.flags & ENCRYPTED != 0;
    let member = Member {
        crc32: Some(crc),
        encrypted,
        packed_size: Some(block.data.len() as u64),
        size: Some(size),
        ..Member::named(name)
    };
    if attributes & FOLDER != 0 {
        return Ok(());
    }
    let is_split = block.flags & (FROM_BEFORE | GOES_ON) != 0;
    match method {
        _ if encrypted => children.skip(member, Reason::Encrypted)?,
        0 if is_split => {
            children.slice(member, block.data)?;
            children.not_scanned(Reason::Truncated);
        }
        0 => {
            let stated = Stated { size: Some(size), sum: Sum::Crc32(crc) };
            children.stream(member, &mut Checked::new(block.data, stated))?;
        }
        _ => children.skip(member, Reason::unsupported("ACE compression"))?,
    }
    Ok(())
}

const MAIN: u8 = 0;
const FILE: u8 = 1;
/// A file whose header is encrypted.
const SEALED: u8 = 3;

const HAS_DATA: u16 = 0x0001;
/// Sizes are of 64 bits, in ACE 2.
const IS_LARGE: u16 = 0x0004;
const FROM_BEFORE: u16 = 0x1000;
const GOES_ON: u16 = 0x2000;
const ENCRYPTED: u16 = 0x4000;

const FOLDER: u32 = 0x10;

static FORMAT: Format = Format {
    name: "ace",
    about: "ACE archive",
    extensions: &["ace", "c00"],
    magic: &[Magic::at(7, b"**ACE**")],
    specification: &["M. Lemke, Technical information of the archiver ACE v1.2"],
    limitations: &[
        "only stored members are unpacked: no compression of ACE has a public specification",
        "encrypted members are not decrypted",
    ],
};
