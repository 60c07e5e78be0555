//! The headers of an ARJ archive (ARJ technical information, "Structure of main header").

use flate2::Crc;

use crate::cursor::{Cursor, Truncated};
use crate::object::Member;
use crate::verdict::Reason;

/// A main header or that of a member.
pub(super) struct Header<'a> {
    pub(super) flags: u8,
    pub(super) method: u8,
    pub(super) kind: u8,
    /// What passwords are modified by.
    pub(super) modifier: u8,
    pub(super) packed: u32,
    pub(super) size: u32,
    pub(super) crc: u32,
    pub(super) name: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a header and those that extend it; `Ok(None)` at the end of a volume.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Option<Self>, Reason> {
        if cursor.array()? != MARK {
            return Err(Reason::corrupt("header"));
        }
        let size = usize::from(cursor.u16_le()?);
        if size == 0 {
            return Ok(None);
        }
        if size > MAX_SIZE {
            return Err(Reason::corrupt("header"));
        }
        let basic = cursor.take(size)?;
        let mut crc = Crc::new();
        crc.update(basic);
        if cursor.u32_le()? != crc.sum() {
            return Err(Reason::corrupt("header checksum"));
        }
        loop {
            match cursor.u16_le()? {
                0 => break,
                size => cursor.take(usize::from(size).saturating_add(4))?,
            };
        }
        Ok(Some(Self::parse(basic)?))
    }

    fn parse(basic: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::new(basic);
        let first_size = cursor.u8()?;
        cursor.take(3)?; // versions, system
        let flags = cursor.u8()?;
        let method = cursor.u8()?;
        let kind = cursor.u8()?;
        let modifier = cursor.u8()?;
        cursor.take(4)?; // time
        let (packed, size, crc) = (cursor.u32_le()?, cursor.u32_le()?, cursor.u32_le()?);
        let rest = Cursor::at(basic, first_size.into())?.rest();
        let name = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Self { flags, method, kind, modifier, packed, size, crc, name })
    }

    pub(super) fn member(&self) -> Member<'a> {
        Member {
            crc32: Some(self.crc),
            encrypted: self.is_garbled(),
            packed_size: Some(self.packed.into()),
            size: Some(self.size.into()),
            ..Member::named(self.name)
        }
    }

    pub(super) fn is_garbled(&self) -> bool {
        self.flags & 0x01 != 0
    }

    /// Whether it goes on in the next volume.
    pub(super) fn goes_on(&self) -> bool {
        self.flags & 0x04 != 0
    }

    /// Whether it began in the volume before.
    pub(super) fn is_continuation(&self) -> bool {
        self.flags & 0x08 != 0
    }
}

/// Whether a main header begins here.
pub(super) fn is_main(bytes: &[u8]) -> bool {
    let is_near = bytes.starts_with(&MARK) && bytes.get(10) == Some(&MAIN);
    is_near && matches!(Header::read(&mut Cursor::new(bytes)), Ok(Some(_)) | Err(Reason::Truncated))
}

pub(super) const MARK: [u8; 2] = [0x60, 0xea];
/// The kind of a main header.
pub(super) const MAIN: u8 = 2;
const MAX_SIZE: usize = 2600;
