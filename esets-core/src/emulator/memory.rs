//! Flat memory in regions, with a note of what was written.

use super::{Step, Trap, exception};

/// All memory of a machine.
pub(super) struct Memory {
    regions: Vec<Region>,
    /// The region that was used last.
    last: usize,
    /// How often watched memory was written since somebody asked.
    fresh: u32,
    /// How often anything was written.
    writes: u64,
}

/// Bytes at consecutive addresses.
struct Region {
    base: u32,
    bytes: Vec<u8>,
    /// One bit for each byte: whether it was written. Empty if nobody asks.
    written: Vec<u64>,
    /// How often each page was written, so that decoded instructions are known to be stale.
    versions: Vec<u32>,
}

impl Region {
    fn offset(&self, address: u32) -> Option<usize> {
        let offset = usize::try_from(address.checked_sub(self.base)?).ok()?;
        (offset < self.bytes.len()).then_some(offset)
    }

    fn note(&mut self, offset: usize, count: usize) {
        for at in offset..offset.saturating_add(count) {
            if let Some(word) = self.written.get_mut(at >> 6) {
                *word |= 1 << (at & 63);
            }
        }
        let last = offset.saturating_add(count).saturating_sub(1) >> PAGE;
        for version in self.versions.get_mut(offset >> PAGE..=last).unwrap_or_default() {
            *version = version.wrapping_add(1);
        }
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { regions: Vec::new(), last: 0, fresh: 0, writes: 0 }
    }

    /// Adds memory; what is written to a `watched` region is remembered.
    pub(super) fn map(&mut self, base: u32, bytes: Vec<u8>, watched: bool) {
        let words = if watched { bytes.len().div_ceil(64) } else { 0 };
        let versions = vec![0; bytes.len().div_ceil(1 << PAGE)];
        self.regions.push(Region { base, bytes, written: vec![0; words], versions });
    }

    /// The bytes of the region that begins at `base`.
    pub(super) fn region(&self, base: u32) -> Option<&[u8]> {
        let region = self.regions.iter().find(|region| region.base == base)?;
        Some(&region.bytes)
    }

    fn find(&mut self, address: u32) -> Step<(&mut Region, usize)> {
        let holds = |region: &Region| region.offset(address).is_some();
        if !self.regions.get(self.last).is_some_and(holds) {
            let found = self.regions.iter().position(holds);
            self.last = found.ok_or(Trap::Exception(exception::ACCESS_VIOLATION))?;
        }
        let region = self.regions.get_mut(self.last).ok_or(Trap::Unknown)?;
        let offset = region.offset(address).ok_or(Trap::Unknown)?;
        Ok((region, offset))
    }

    /// Reads 1, 2 or 4 bytes.
    pub(super) fn read(&mut self, address: u32, size: usize) -> Step<u32> {
        let (region, offset) = self.find(address)?;
        let bytes = region.bytes.get(offset..offset.saturating_add(size));
        let bytes = bytes.ok_or(Trap::Exception(exception::ACCESS_VIOLATION))?;
        let mut value = [0; 4];
        value.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(u32::from_le_bytes(value))
    }

    /// Writes 1, 2 or 4 bytes.
    pub(super) fn write(&mut self, address: u32, size: usize, value: u32) -> Step<()> {
        let (region, offset) = self.find(address)?;
        let bytes = region.bytes.get_mut(offset..offset.saturating_add(size));
        let bytes = bytes.ok_or(Trap::Exception(exception::ACCESS_VIOLATION))?;
        bytes.iter_mut().zip(value.to_le_bytes()).for_each(|(to, from)| *to = from);
        region.note(offset, size);
        let is_watched = !region.written.is_empty();
        self.writes = self.writes.wrapping_add(1);
        self.fresh = self.fresh.saturating_add(is_watched.into());
        Ok(())
    }

    /// How often anything was written.
    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    /// Up to 15 bytes of code at `address`.
    pub(super) fn code(&mut self, address: u32) -> Step<&[u8]> {
        let (region, offset) = self.find(address)?;
        let rest = region.bytes.get(offset..).unwrap_or_default();
        Ok(rest.get(..LONGEST_INSTRUCTION).unwrap_or(rest))
    }

    /// A number that is another one after every write near `address`.
    pub(super) fn version(&mut self, address: u32) -> u32 {
        let Ok((region, offset)) = self.find(address) else { return 0 };
        let last = offset.saturating_add(LONGEST_INSTRUCTION) >> PAGE;
        let first = offset >> PAGE;
        let of = |page| region.versions.get(page).copied().unwrap_or(0);
        if first == last { of(first) } else { of(first).wrapping_add(of(last)) }
    }

    /// How often watched memory was written since this was asked the last time.
    pub(super) fn take_written(&mut self) -> u32 {
        std::mem::take(&mut self.fresh)
    }

    /// Whether the byte at `address` was written.
    pub(super) fn is_written(&mut self, address: u32) -> bool {
        self.find(address).is_ok_and(|(region, offset)| {
            region.written.get(offset >> 6).is_some_and(|word| word >> (offset & 63) & 1 == 1)
        })
    }

    /// The text at `address`, up to its zero.
    pub(super) fn text(&mut self, address: u32) -> Step<Vec<u8>> {
        let (region, offset) = self.find(address)?;
        let rest = region.bytes.get(offset..).unwrap_or_default();
        let rest = rest.get(..LONGEST_TEXT).unwrap_or(rest);
        let length = memchr::memchr(0, rest).unwrap_or(rest.len());
        Ok(rest.get(..length).unwrap_or_default().to_vec())
    }
}

/// Bits of an address inside a page.
const PAGE: usize = 12;
const LONGEST_INSTRUCTION: usize = 15;
/// The longest name that is read, in bytes.
const LONGEST_TEXT: usize = 256;
