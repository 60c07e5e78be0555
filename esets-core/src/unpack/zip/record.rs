//! The records of an archive (APPNOTE 4.3.7, 4.3.12, 4.3.16, 4.5).

use crate::cursor::{Cursor, Truncated};

/// What the local and the central header of a member both say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: [u8; 4],
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) name: &'a [u8],
    pub(super) extra: &'a [u8],
}

/// A header before the data of a member.
#[derive(Clone, Debug)]
pub(super) struct Local<'a> {
    pub(super) fields: Fields<'a>,
    /// Where the data begins.
    pub(super) data: usize,
}

/// An entry of the central directory.
#[derive(Clone, Debug)]
pub(super) struct Central<'a> {
    pub(super) fields: Fields<'a>,
    /// Where the local header is, from the start of the archive.
    pub(super) offset: u64,
}

/// What the end of the central directory says of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) size: u64,
    pub(super) offset: u64,
}

impl<'a> Fields<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<(Self, usize, usize), Truncated> {
        let fields = Self {
            flags: cursor.u16_le()?,
            method: cursor.u16_le()?,
            time: cursor.array()?,
            crc: cursor.u32_le()?,
            packed: cursor.u32_le()?.into(),
            size: cursor.u32_le()?.into(),
            name: &[],
            extra: &[],
        };
        Ok((fields, cursor.u16_le()?.into(), cursor.u16_le()?.into()))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0 || self.method == AES
    }

    /// Whether the sizes and the CRC may stand behind the data instead.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & DESCRIPTOR != 0
    }

    /// The content of the extra field `id`.
    pub(super) fn extra(&self, id: u16) -> Option<&'a [u8]> {
        let mut extra = Cursor::new(self.extra);
        loop {
            let (found, length) = (extra.u16_le().ok()?, extra.u16_le().ok()?);
            let content = extra.take_up_to(length.into());
            if found == id {
                return Some(content);
            }
        }
    }

    /// The name in UTF-8 that the header gives beside the other one (4.6.9).
    pub(super) fn unicode_name(&self) -> Option<&'a [u8]> {
        self.extra(UNICODE_PATH)?.get(5..)
    }

    /// Takes what does not fit into 32 bits from the extra field (4.5.3); the offset too, if there
    /// is one.
    fn extend(&mut self, offset: Option<&mut u64>) {
        let Some(extra) = self.extra(ZIP64) else { return };
        let mut extra = Cursor::new(extra);
        for field in [Some(&mut self.size), Some(&mut self.packed), offset].into_iter().flatten() {
            if *field == u32::MAX.into() {
                let Ok(value) = extra.u64_le() else { return };
                *field = value;
            }
        }
    }
}

impl<'a> Local<'a> {
    /// The header at `at`, whatever stands in place of its signature.
    pub(super) fn read(bytes: &'a [u8], at: u64) -> Result<Self, Truncated> {
        let mut cursor = Cursor::at(bytes, at)?;
        cursor.take(6)?; // signature, version
        let (mut fields, name, extra) = Fields::read(&mut cursor)?;
        fields.name = cursor.take(name)?;
        // A length that lies hides no data behind the end.
        fields.extra = cursor.take(extra).unwrap_or_default();
        fields.extend(None);
        Ok(Self { fields, data: cursor.position() })
    }
}

impl<'a> Central<'a> {
    /// The entry at `at`, and where the next one is.
    pub(super) fn read(bytes: &'a [u8], at: usize) -> Result<(Self, usize), Truncated> {
        let mut cursor = Cursor::at(bytes, at as u64)?;
        cursor.take(8)?; // signature, versions
        let (mut fields, name, extra) = Fields::read(&mut cursor)?;
        let comment = cursor.u16_le()?;
        cursor.take(8)?; // disk, attributes
        let mut offset = cursor.u32_le()?.into();
        fields.name = cursor.take(name)?;
        fields.extra = cursor.take_up_to(extra as u64);
        fields.extend(Some(&mut offset));
        cursor.take_up_to(comment.into());
        Ok((Self { fields, offset }, cursor.position()))
    }
}

impl End {
    /// The record at `at`.
    pub(super) fn read(bytes: &[u8], at: usize) -> Result<Self, Truncated> {
        let mut cursor = Cursor::at(bytes, at as u64)?;
        cursor.take(12)?; // signature, disks, counts
        Ok(Self { size: cursor.u32_le()?.into(), offset: cursor.u32_le()?.into() })
    }
}

pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
pub(super) const CENTRAL: &[u8] = b"PK\x01\x02";
pub(super) const END: &[u8] = b"PK\x05\x06";
pub(super) const DATA_DESCRIPTOR: &[u8] = b"PK\x07\x08";

/// Flags (4.4.4).
const ENCRYPTED: u16 = 1;
const DESCRIPTOR: u16 = 1 << 3;

/// The method that stands for AES, as WinZip does it; the real one is in the extra field.
pub(super) const AES: u16 = 99;

/// Extra fields (4.5.2).
const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;
pub(super) const AES_FIELD: u16 = 0x9901;
