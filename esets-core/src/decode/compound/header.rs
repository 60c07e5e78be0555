//! The header of a compound file.

use crate::cursor::{Cursor, Truncated};

/// What the first 512 bytes say.
pub(super) struct Header {
    pub(super) shift: u32,
    pub(super) mini_shift: u32,
    pub(super) cutoff: u64,
    pub(super) directory: u32,
    pub(super) mini_table: u32,
    pub(super) more_table: u32,
    pub(super) table: Vec<u32>,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut fields = Cursor::at(bytes, 30)?;
        let shift = u32::from(fields.u16_le()?);
        let mini_shift = u32::from(fields.u16_le()?);
        fields.take(14)?; // reserved, counts that may lie
        let directory = fields.u32_le()?;
        fields.take(4)?; // transaction
        let cutoff = u64::from(fields.u32_le()?);
        let mini_table = fields.u32_le()?;
        fields.take(4)?;
        let more_table = fields.u32_le()?;
        fields.take(4)?;
        let shift = if (7..=16).contains(&shift) { shift } else { 9 };
        Ok(Self {
            shift,
            mini_shift: if (3..=shift).contains(&mini_shift) { mini_shift } else { 6 },
            cutoff,
            directory,
            mini_table,
            more_table,
            table: words(fields.take_up_to(HEADER_TABLE)).collect(),
        })
    }

    pub(super) fn sector_size(&self) -> usize {
        1 << self.shift
    }

    /// Where a sector starts in the file: the header takes the place of the one before the first.
    pub(super) fn offset(&self, sector: u32) -> usize {
        let sector = usize::try_from(sector).unwrap_or(usize::MAX).saturating_add(1);
        sector.saturating_mul(self.sector_size())
    }
}

/// The little-endian 32-bit numbers in a table.
pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes
        .chunks_exact(4)
        .filter_map(|word| word.first_chunk())
        .map(|word| u32::from_le_bytes(*word))
}

/// Bytes of the allocation table's list that lie in the header.
const HEADER_TABLE: u64 = 109 * 4;
