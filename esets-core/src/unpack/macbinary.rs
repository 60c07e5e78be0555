//! MacBinary I, II and III: a Macintosh file, both its forks behind a header of 128 bytes.

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::crc16;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct MacBinary;

impl Unpacker for MacBinary {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        Header::read(bytes).is_ok_and(|header| header.is_plausible(bytes))
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let header = Header::read(subject.bytes())?;
        let cursor = &mut Cursor::at(subject.bytes(), BLOCK)?;
        cursor.take_up_to(padded(header.secondary.into()));
        let data = cursor.take_up_to(header.data.into());
        let padding = padded(header.data.into()).saturating_sub(header.data.into());
        children.slice(Member::named(header.name), data)?;
        cursor.take_up_to(padding);
        let resource = cursor.take_up_to(header.resource.into());
        if !resource.is_empty() {
            children.slice(Member::named([header.name, b"/rsrc"].concat()), resource)?;
        }
        let promised = u64::from(header.data).saturating_add(header.resource.into());
        let found = (data.len() as u64).saturating_add(resource.len() as u64);
        if found < promised { Err(Reason::Truncated.into()) } else { Ok(()) }
    }
}

struct Header<'a> {
    name: &'a [u8],
    kind: &'a [u8],
    data: u32,
    resource: u32,
    /// The length of a second header behind this one.
    secondary: u16,
    has_signature: bool,
    has_checksum: bool,
    are_zero_bytes_zero: bool,
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::new(bytes);
        let checked = cursor.clone().take(124)?;
        let version = cursor.u8()?;
        let length = cursor.u8()?;
        let name = cursor.take(63)?.get(..length.into()).unwrap_or_default();
        let kind = cursor.take(8)?;
        cursor.take(1)?; // flags of the Finder
        let zero = cursor.u8()?;
        cursor.take(7)?; // place in a window, folder, protection
        let other_zero = cursor.u8()?;
        let data = cursor.u32_be()?;
        let resource = cursor.u32_be()?;
        cursor.take(11)?; // dates, length of a comment, flags
        let signature = cursor.take(4)?;
        cursor.take(14)?;
        let secondary = cursor.u16_be()?;
        cursor.take(2)?; // versions
        let checksum = cursor.u16_be()?;
        Ok(Self {
            name,
            kind,
            data,
            resource,
            secondary,
            has_signature: signature == b"mBIN",
            has_checksum: crc16(0, checked) == checksum,
            are_zero_bytes_zero: version | zero | other_zero == 0,
        })
    }

    /// MacBinary I has no signature and no checksum: then the lengths must be those of the object.
    fn is_plausible(&self, bytes: &[u8]) -> bool {
        let is_named = !self.name.is_empty() && self.name.iter().all(|byte| *byte >= b' ');
        let lengths = padded(self.data.into()).saturating_add(padded(self.resource.into()));
        let length = (bytes.len() as u64).saturating_sub(BLOCK);
        let is_exact = lengths > 0 && padded(length) == lengths;
        let is_typed = self.kind.iter().all(|byte| *byte >= b' ');
        self.are_zero_bytes_zero
            && is_named
            && (self.has_signature || self.has_checksum || is_exact && is_typed)
    }
}

/// A length with the padding to a full block.
fn padded(length: u64) -> u64 {
    length.div_ceil(BLOCK).saturating_mul(BLOCK)
}

const BLOCK: u64 = 128;

static FORMAT: Format = Format {
    name: "macbinary",
    about: "MacBinary, a Macintosh file with both forks",
    extensions: &["bin", "macbin"],
    magic: &[],
    specification: &[
        "\"MacBinary II Standard\", 1987",
        "\"Macintosh Binary Transfer Format III\", 1996",
    ],
    limitations: &["the resources of a resource fork are not told apart"],
};
