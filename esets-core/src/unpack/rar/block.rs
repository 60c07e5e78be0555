//! The blocks of a volume (RAR 4.x technical note, techinfo.txt; RAR 5.0 archive format, "General
//! archive block").

use std::ops::Range;

use flate2::Crc;

use crate::cursor::Cursor;

/// The two layouts of blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// RAR 1.5 to 4.x.
    Four,
    /// RAR 5 and later.
    Five,
}

/// A block whose header is right.
pub(super) struct Block {
    pub(super) kind: Kind,
    /// Behind the header.
    pub(super) header_end: usize,
    /// How many bytes of data follow the header.
    pub(super) data: u64,
    /// Where the header says so, and where the flags are, from the start of the block.
    pub(super) data_at: Range<usize>,
    pub(super) flags_at: usize,
    pub(super) is_continued: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    File,
    Main { is_sealed: bool },
    Other,
}

impl Block {
    pub(super) fn end(&self) -> usize {
        self.header_end.saturating_add(usize::try_from(self.data).unwrap_or(usize::MAX))
    }
}

impl Generation {
    pub(super) fn block(self, bytes: &[u8], at: usize) -> Option<Block> {
        match self {
            Self::Four => block_of_four(bytes, at),
            Self::Five => block_of_five(bytes, at),
        }
    }

    /// The header of a member whose data ends after `left` bytes and does not go on elsewhere.
    pub(super) fn closed(self, header: &[u8], block: &Block, left: u64) -> Vec<u8> {
        let mut header = header.to_vec();
        if let Some(flags) = header.get_mut(block.flags_at) {
            *flags &= !self.continued();
        }
        let size = header.get_mut(block.data_at.clone()).unwrap_or_default();
        let last = size.len().saturating_sub(1);
        let (bits, more) = if self == Self::Five { (7, 0x80) } else { (8, 0) };
        for (place, byte) in size.iter_mut().enumerate() {
            let group = left.checked_shr(u32::try_from(place).unwrap_or(64).saturating_mul(bits));
            let group = group.unwrap_or_default().to_le_bytes()[0] & 0xff_u8.wrapping_sub(more);
            *byte = if place < last { group | more } else { group };
        }
        let from = if self == Self::Five { 4 } else { 2 };
        let sum = sum(header.get(from..).unwrap_or_default()).to_le_bytes();
        for (to, byte) in header.iter_mut().take(from).zip(sum) {
            *to = byte;
        }
        header
    }

    /// The flag of a member that goes on in the next volume.
    pub(super) fn continued(self) -> u8 {
        match self {
            Self::Four => 0x02,
            Self::Five => 0x10,
        }
    }

    /// A quick look before the checksum is computed.
    pub(super) fn may_be_file(self, bytes: &[u8], at: usize) -> bool {
        let bytes = bytes.get(at..).unwrap_or_default();
        match (self, bytes) {
            (Self::Four, [_, _, 0x74, _, _, low, high, ..]) => {
                (32..MAX_SEARCHED_HEADER).contains(&usize::from(u16::from_le_bytes([*low, *high])))
            }
            (Self::Five, [_, _, _, _, size, 2, ..]) if *size < 0x80 => true,
            (Self::Five, [_, _, _, _, low, high, 2, ..]) => *low >= 0x80 && *high < 0x20,
            _ => false,
        }
    }
}

/// CRC-16 of what follows it, type, flags, size; then perhaps the size of the data.
fn block_of_four(bytes: &[u8], at: usize) -> Option<Block> {
    let header = bytes.get(at..)?;
    let mut cursor = Cursor::new(header);
    let crc = cursor.u16_le().ok()?;
    let kind = cursor.u8().ok()?;
    let flags = cursor.u16_le().ok()?;
    let size = usize::from(cursor.u16_le().ok()?);
    let covered = header.get(2..size)?;
    if !(0x72..=0x7b).contains(&kind) {
        return None;
    }
    let is_file = kind == 0x74;
    let mut data = 0;
    if flags & 0x8000 != 0 || is_file || kind == 0x7a {
        data = u64::from(cursor.u32_le().ok()?);
        if flags & 0x100 != 0 && (is_file || kind == 0x7a) {
            data |= u64::from(Cursor::at(header, 32).ok()?.u32_le().ok()?) << 32;
        }
    }
    // The CRC of an old main header does not cover the comment in it, nor that of old blocks all.
    if (is_file || kind >= 0x7a) && flags & 0x08 == 0 && sum(covered) & 0xffff != u32::from(crc) {
        return None;
    }
    let kind = match kind {
        0x73 => Kind::Main { is_sealed: flags & 0x80 != 0 },
        0x74 => Kind::File,
        0x7b => Kind::End,
        _ => Kind::Other,
    };
    let header_end = at.checked_add(size.max(MIN_BLOCK))?;
    let is_continued = is_file && flags & 0x03 == 0x02;
    Some(Block { kind, header_end, data, data_at: 7..11, flags_at: 3, is_continued })
}

/// CRC-32 of what follows it, size, type, flags, perhaps the sizes of the extra area and the data.
fn block_of_five(bytes: &[u8], at: usize) -> Option<Block> {
    let header = bytes.get(at..)?;
    let mut cursor = Cursor::new(header);
    let crc = cursor.u32_le().ok()?;
    let size = usize::try_from(vint(&mut cursor)?).ok().filter(|size| *size <= MAX_HEADER)?;
    let size_end = cursor.position();
    let end = size_end.checked_add(size)?;
    if sum(header.get(4..end)?) != crc {
        return None;
    }
    let kind = vint(&mut cursor)?;
    let flags_at = cursor.position();
    let flags = vint(&mut cursor)?;
    if flags & 1 != 0 {
        vint(&mut cursor)?;
    }
    let data_start = cursor.position();
    let data = if flags & 2 != 0 { vint(&mut cursor)? } else { 0 };
    let data_at = data_start..cursor.position();
    let is_continued = kind == 2 && flags & 0x18 == 0x10;
    let kind = match kind {
        1 => Kind::Main { is_sealed: false },
        2 => Kind::File,
        4 => Kind::Main { is_sealed: true },
        5 => Kind::End,
        _ => Kind::Other,
    };
    let header_end = at.checked_add(end)?;
    Some(Block { kind, header_end, data, data_at, flags_at, is_continued })
}

/// A number in groups of seven bits, the lowest first.
fn vint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = cursor.u8().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

pub(super) fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The smallest header of RAR 1.5 to 4.x.
pub(super) const MIN_BLOCK: usize = 7;
/// The largest header of RAR 5.
const MAX_HEADER: usize = 2 << 20;
/// The largest header that is looked for behind damage.
pub(super) const MAX_SEARCHED_HEADER: usize = 4 << 10;
