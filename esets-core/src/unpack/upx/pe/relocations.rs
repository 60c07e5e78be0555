//! The table of relocations, which the stub applies by itself.

use super::Original;
use crate::cursor::Cursor;

impl Original<'_> {
    /// Puts addresses back that were stored from the first section on, highest byte first, and
    /// the table that says where they are.
    pub(super) fn relocate(&mut self) -> Option<()> {
        let (directory, size) = self.directory(5)?;
        let is_stripped = self.field(0x16)? & 1 == 1;
        if is_stripped || size <= 8 {
            return Some(());
        }
        let at = self.next_table()?;
        let base = if self.is_wide { self.field(0x30)? } else { self.field(0x34)? };
        let base = base.wrapping_add(self.lowest);
        let places = self.relocated(at)?;
        for place in &places {
            self.restore(*place, base)?;
        }
        let table = relocations(&places, self.lowest, self.is_wide)?;
        let table = table.get(..usize::try_from(size).ok()?).unwrap_or(&table).to_vec();
        self.put(self.place(directory)?, &table)
    }

    fn restore(&mut self, place: usize, base: u32) -> Option<()> {
        let mut cursor = Cursor::at(&self.image, place as u64).ok()?;
        if self.is_wide {
            let value = cursor.u64_be().ok()?.wrapping_add(base.into());
            return self.put(place, &value.to_le_bytes());
        }
        let value = cursor.u32_be().ok()?.wrapping_add(base);
        self.put(place, &value.to_le_bytes())
    }

    /// The places of stored addresses: each as its distance from the one before, in one byte or
    /// in three or seven.
    fn relocated(&self, mut at: usize) -> Option<Vec<usize>> {
        let mut places = Vec::new();
        // The first distance counts from four bytes in front of the image.
        let mut behind = 0_usize;
        loop {
            let mut cursor = Cursor::at(&self.image, at as u64).ok()?;
            let step = match cursor.u8().ok()? {
                0 => return Some(places),
                long @ 0xf0.. => {
                    let low = usize::from(cursor.u16_le().ok()?);
                    match usize::from(long & 15) << 16 | low {
                        0 => usize::try_from(cursor.u32_le().ok()?).ok()?,
                        step => step,
                    }
                }
                short => short.into(),
            };
            at = cursor.position();
            behind = behind.checked_add(step)?;
            places.push(behind.checked_sub(4)?);
        }
    }
}

/// The table of relocations: a block for each page.
fn relocations(places: &[usize], lowest: u32, is_wide: bool) -> Option<Vec<u8>> {
    let kind = if is_wide { 0xa000 } else { 0x3000 };
    let mut table = Vec::new();
    let mut rest = places;
    while let Some(first) = rest.first() {
        let rva = |place: &usize| u32::try_from(*place).ok()?.checked_add(lowest);
        let page = rva(first)? & !0xfff;
        let count = rest.iter().take_while(|place| rva(place).map(|at| at & !0xfff) == Some(page));
        let (here, behind) = rest.split_at_checked(count.count())?;
        rest = behind;
        let entries = u32::try_from(here.len().next_multiple_of(2)).ok()?;
        table.extend_from_slice(&page.to_le_bytes());
        table.extend_from_slice(&entries.checked_mul(2)?.checked_add(8)?.to_le_bytes());
        for place in here {
            let entry = u16::try_from(rva(place)? & 0xfff).ok()? | kind;
            table.extend_from_slice(&entry.to_le_bytes());
        }
        table.resize(table.len().next_multiple_of(4), 0);
    }
    Some(table)
}
