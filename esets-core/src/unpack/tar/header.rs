//! The header block of a member.

use std::borrow::Cow;

use crate::cursor::{Cursor, Truncated};

/// What one block holds, in bytes.
pub(super) const BLOCK: u64 = 512;

/// A header block, read.
pub(super) struct Header<'a> {
    pub(super) block: &'a [u8],
    pub(super) is_sum_right: bool,
    /// How many bytes of the archive the body takes.
    pub(super) size: u64,
    name: &'a [u8],
    prefix: &'a [u8],
    type_flag: u8,
}

/// What follows a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A link, directory or device. What its size means, programs do not agree on.
    Bodiless,
    /// A file, or what is unknown and therefore treated as one.
    File,
    GlobalRecords,
    /// The name of a volume.
    Label,
    /// The target of the next member, a link.
    LinkName,
    /// The name of the next member.
    LongName,
    /// pax records for the next member.
    Records,
}

impl<'a> Header<'a> {
    /// Reads a block. One whose checksum is wrong is a header all the same if it says that it is.
    pub(super) fn parse(block: &'a [u8]) -> Option<Self> {
        let is_sum_right = is_sum_right(block).ok()?;
        let header = Self::fields(block, is_sum_right).ok()?;
        let says_so = block.get(MAGIC_AT..)?.starts_with(b"ustar");
        let is_header = is_sum_right || (says_so && !header.name.is_empty());
        is_header.then_some(header)
    }

    /// Whether an archive begins here, for those that have no magic.
    pub(super) fn begins(bytes: &'a [u8]) -> bool {
        let header = bytes.get(..512).and_then(Self::parse);
        header.is_some_and(|header| header.is_sum_right && !header.name.is_empty())
    }

    fn fields(block: &'a [u8], is_sum_right: bool) -> Result<Self, Truncated> {
        let mut fields = Cursor::new(block);
        let name = until_nul(fields.take(100)?);
        fields.take(24)?; // mode, owner, group
        let size = number(fields.take(12)?).unwrap_or(0);
        fields.take(20)?; // time, checksum
        let type_flag = fields.u8()?;
        fields.take(100)?; // target of a link
        let is_posix = fields.take(6)? == b"ustar\0";
        fields.take(82)?; // version, owner, group, device
        let prefix = until_nul(fields.take(155)?);
        // GNU keeps times and a map of holes there.
        let prefix = if is_posix { prefix } else { b"" };
        Ok(Self { block, is_sum_right, size, name, prefix, type_flag })
    }

    pub(super) fn name(&self) -> Cow<'a, [u8]> {
        match self.prefix {
            b"" => self.name.into(),
            prefix => [prefix, b"/", self.name].concat().into(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.type_flag {
            b'1'..=b'6' => Kind::Bodiless,
            b'K' => Kind::LinkName,
            b'L' => Kind::LongName,
            b'V' => Kind::Label,
            b'X' | b'x' => Kind::Records,
            b'g' => Kind::GlobalRecords,
            _ => Kind::File,
        }
    }

    /// Whether the block holds a map of holes in GNU's old way.
    pub(super) fn has_map(&self) -> bool {
        self.type_flag == b'S'
    }
}

/// Compares the sum of all bytes, its own field taken as spaces. Some programs summed signed bytes.
fn is_sum_right(block: &[u8]) -> Result<bool, Truncated> {
    let mut fields = Cursor::new(block);
    let before = fields.take(SUM_AT)?;
    let stated = number(fields.take(8)?);
    let behind = fields.take(356)?;
    let bytes = || before.iter().chain(behind);
    let spaces = 8 * u64::from(b' ');
    let sum = bytes().map(|byte| u64::from(*byte)).sum::<u64>().saturating_add(spaces);
    let high = bytes().filter(|byte| **byte >= 0x80).count() as u64;
    let signed = sum.checked_sub(high.saturating_mul(256));
    Ok(stated.is_some() && (stated == Some(sum) || stated == signed) && sum != spaces)
}

/// A number in octal text or, with the highest bit set, in base 256 (GNU).
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, rest @ ..] = field {
        let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
        let fits = high.iter().all(|byte| *byte == 0);
        return fits.then(|| low.try_into().map(u64::from_be_bytes).ok()).flatten();
    }
    let text = field.trim_ascii_start();
    let digits = text.iter().take_while(|byte| matches!(byte, b'0'..=b'7'));
    let value = digits.fold(0u64, |value, digit| {
        value.saturating_mul(8).saturating_add(u64::from(digit.saturating_sub(b'0')))
    });
    let is_text = matches!(text.first(), None | Some(0 | b'0'..=b'7'));
    is_text.then_some(value)
}

pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    field.get(..end).unwrap_or(field)
}

const SUM_AT: usize = 148;
const MAGIC_AT: usize = 257;
