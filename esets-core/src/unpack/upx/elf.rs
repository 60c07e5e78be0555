//! UPX for ELF: the parts of the file that are loaded, then the gaps between them, in blocks.

use std::ops::Range;

use super::block::Method;
use super::filter;
use crate::children::Children;
use crate::cursor::Cursor;
use crate::executable::ElfLayout;
use crate::unpack::UnpackError;
use crate::verdict::Reason;

/// Where the blocks of a packed file are.
pub(super) struct Layout<'a> {
    file: &'a [u8],
    is_big: bool,
    /// The size of the original file.
    size: u64,
    /// The first block: the original headers.
    first: u64,
    /// Where the loaded part of the packed file ends, and the blocks of the gaps begin.
    gaps: u64,
}

impl<'a> Layout<'a> {
    /// Reads what lies behind the program headers. The magic there is not looked at: those who
    /// hide from scanners change it.
    pub(super) fn open(file: &'a [u8]) -> Option<Self> {
        let headers = ElfLayout::read(file)?;
        let end = headers.loads.iter().map(|load| load.end).max()?;
        let mut layout = Self {
            file,
            is_big: headers.is_big,
            size: 0,
            first: headers.headers_end.checked_add(24)?,
            gaps: end.checked_add(3)? & !3,
        };
        let mut cursor = Cursor::at(file, headers.headers_end.checked_add(16)?).ok()?;
        layout.size = layout.word(&mut cursor)?.into();
        let block = layout.block(layout.first)?;
        let is_plausible = block.size >= 52 && layout.size >= block.size as u64;
        (is_plausible && block.packed.len() <= block.size).then_some(layout)
    }

    /// Offers the original file, as much of it as there is.
    pub(super) fn unpack(&self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let _lease = children.lease(self.size.saturating_mul(2))?;
        let mut original = Original { bytes: Vec::new(), at: self.first, left: self.size };
        let outcome = self.rebuild(&mut original);
        if original.bytes.starts_with(b"\x7fELF") {
            children.owned("unpacked", original.bytes.into())?;
        }
        outcome.map_err(UnpackError::from)
    }

    fn rebuild(&self, original: &mut Original) -> Result<(), Reason> {
        let block = self.block(self.first).ok_or(DAMAGED)?;
        let length = block.size as u64;
        self.fill(original, 0..length)?;
        let headers = ElfLayout::read(&original.bytes).ok_or(DAMAGED)?;
        if headers.headers_end != length {
            // An old version: the whole file, block by block.
            return self.fill(original, length..self.size);
        }
        let mut loads = headers.loads;
        for load in &loads {
            let start = if load.start == 0 { length.min(load.end) } else { load.start };
            self.fill(original, start..load.end)?;
        }
        original.at = self.gaps;
        loads.sort_by_key(|load| load.start);
        let next = loads.iter().skip(1).map(|load| load.start).chain([self.size]);
        for (load, next) in loads.iter().zip(next) {
            self.fill(original, load.end..next)?;
        }
        Ok(())
    }

    /// Writes blocks into `range` until it is full.
    fn fill(&self, original: &mut Original, range: Range<u64>) -> Result<(), Reason> {
        let mut start = range.start;
        while start < range.end {
            let block = self.block(original.at).ok_or(DAMAGED)?;
            // Every byte of the file comes out of one block only.
            let size = block.size as u64;
            original.left = original.left.checked_sub(size).ok_or(DAMAGED)?;
            original.at = original.at.saturating_add(block.room());
            let end = start.checked_add(size).filter(|end| *end <= self.size).ok_or(DAMAGED)?;
            original.put(start, &block.decode()?)?;
            start = end;
        }
        Ok(())
    }

    /// The block at `offset`, if it is one.
    fn block(&self, offset: u64) -> Option<Block<'a>> {
        let mut cursor = Cursor::at(self.file, offset).ok()?;
        let size = usize::try_from(self.word(&mut cursor)?).ok()?;
        let packed = usize::try_from(self.word(&mut cursor)?).ok()?;
        let [method, filter, mark, _] = cursor.array().ok()?;
        let method = Method::new(method)?;
        let is_sane = size > 0 && size as u64 <= self.size && packed > 0;
        is_sane.then_some(())?;
        Some(Block { size, method, filter, mark, packed: cursor.take(packed).ok()? })
    }

    fn word(&self, cursor: &mut Cursor<'_>) -> Option<u32> {
        if self.is_big { cursor.u32_be().ok() } else { cursor.u32_le().ok() }
    }
}

/// One block.
struct Block<'a> {
    size: usize,
    method: Method,
    filter: u8,
    mark: u8,
    packed: &'a [u8],
}

impl Block<'_> {
    /// How many bytes of the file it takes, its header included.
    fn room(&self) -> u64 {
        (self.packed.len() as u64).saturating_add(12)
    }

    fn decode(&self) -> Result<Vec<u8>, Reason> {
        let mut bytes = self.method.decode(self.packed, self.size)?;
        filter::undo(&mut bytes, self.filter, self.mark, 0)?;
        Ok(bytes)
    }
}

/// The original file as it grows.
struct Original {
    bytes: Vec<u8>,
    /// Where the next block lies in the packed file.
    at: u64,
    /// How many bytes are still to come.
    left: u64,
}

impl Original {
    fn put(&mut self, start: u64, bytes: &[u8]) -> Result<(), Reason> {
        let start = usize::try_from(start).map_err(|_| DAMAGED)?;
        let end = start.checked_add(bytes.len()).ok_or(DAMAGED)?;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes.get_mut(start..end).ok_or(DAMAGED)?.copy_from_slice(bytes);
        Ok(())
    }
}

const DAMAGED: Reason = Reason::corrupt("UPX block");
