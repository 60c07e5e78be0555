//! UPX for PE: one block with the image, and behind it what is needed to make a file of it again.

mod imports;
mod relocations;

use std::ops::Range;

use super::{PackHeader, filter};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::executable::{Executable, ExecutableKind, Section};
use crate::subject::Subject;
use crate::unpack::UnpackError;
use crate::verdict::Reason;

/// Offers the original program.
pub(super) fn unpack(
    subject: &Subject<'_>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let Some(packed) = subject.executable() else { return Ok(()) };
    let header = PackHeader::find(subject.bytes()).ok_or(DAMAGED)?;
    let _lease = children.lease((header.unpacked as u64).saturating_mul(3))?;
    let image = header.decode(subject.bytes())?;
    let mut original = Original::open(image, packed, subject.bytes()).ok_or(DAMAGED)?;
    original.unfilter(&header)?;
    // A table that is damaged leaves the sections as they are.
    let _ = original.bind();
    let _ = original.relocate();
    children.owned("unpacked.exe", original.file().into())?;
    Ok(())
}

/// The original program: its image, and its headers behind it.
struct Original<'a> {
    /// The packed file.
    packed: &'a Executable,
    file: &'a [u8],
    /// The image from the first section on, then headers and tables.
    image: Vec<u8>,
    /// Where the PE header lies in `image`, and the section table behind it.
    header: Range<usize>,
    sections: Vec<Section>,
    /// The address of the first section.
    lowest: u32,
    /// Where the next table for [`Original::bind`] and [`Original::relocate`] is named.
    tables: usize,
    is_wide: bool,
}

impl<'a> Original<'a> {
    fn open(image: Vec<u8>, packed: &'a Executable, file: &'a [u8]) -> Option<Self> {
        let end = image.len().checked_sub(4)?;
        let start = usize::try_from(Cursor::at(&image, end as u64).ok()?.u32_le().ok()?).ok()?;
        let is_wide = packed.kind == ExecutableKind::Pe32Plus;
        let table = start.checked_add(if is_wide { 0x108 } else { 0xf8 })?;
        // As a file of its own, so that the headers are read as all others are.
        let offset = u32::try_from(HEADER).ok()?;
        let mut headers = b"MZ".to_vec();
        headers.resize(0x3c, 0);
        headers.extend_from_slice(&offset.to_le_bytes());
        headers.extend_from_slice(image.get(start..end)?);
        let original =
            Executable::parse(&headers).filter(|original| original.kind == packed.kind)?;
        let count = original.sections.len();
        let lowest = u32::try_from(original.sections.first()?.stated_rva).ok()?;
        let tables = table.checked_add(count.checked_mul(40)?)?;
        let header = start..tables;
        Some(Self {
            packed,
            file,
            image,
            header,
            sections: original.sections,
            lowest,
            tables,
            is_wide,
        })
    }

    /// A field of the PE header.
    fn field(&self, offset: usize) -> Option<u32> {
        self.word(self.header.start.checked_add(offset)?)
    }

    fn word(&self, at: usize) -> Option<u32> {
        Cursor::at(&self.image, at as u64).ok()?.u32_le().ok()
    }

    /// Where the byte at `rva` lies in the image.
    fn place(&self, rva: u32) -> Option<usize> {
        usize::try_from(rva.checked_sub(self.lowest)?).ok()
    }

    /// Address and size of a data directory.
    fn directory(&self, index: usize) -> Option<(u32, u32)> {
        let first = if self.is_wide { 0x88 } else { 0x78 };
        let at = index.checked_mul(8)?.checked_add(first)?;
        Some((self.field(at)?, self.field(at.checked_add(4)?)?))
    }

    fn unfilter(&mut self, header: &PackHeader) -> Result<(), Reason> {
        if header.filter == 0 {
            return Ok(());
        }
        let (size, base) = (self.field(0x1c).ok_or(DAMAGED)?, self.field(0x2c).ok_or(DAMAGED)?);
        let start = self.place(base).ok_or(DAMAGED)?;
        let size = usize::try_from(size).map_err(|_| DAMAGED)?;
        let end = start.saturating_add(size).min(self.image.len());
        let code = self.image.get_mut(start..end).ok_or(DAMAGED)?;
        let distance = u32::try_from(start).map_err(|_| DAMAGED)?;
        filter::undo(code, header.filter, header.mark, distance)
    }

    /// The next number that names a table.
    fn next_table(&mut self) -> Option<usize> {
        let at = self.word(self.tables)?;
        self.tables = self.tables.checked_add(4)?;
        usize::try_from(at).ok()
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        let end = at.checked_add(bytes.len())?;
        self.image.get_mut(at..end)?.copy_from_slice(bytes);
        Some(())
    }

    /// DOS header of the packed file, original headers, sections, overlay.
    fn file(&self) -> Vec<u8> {
        let headers = self.packed.image.as_ref().map_or(0, |image| image.header);
        let headers = usize::try_from(headers).unwrap_or(usize::MAX);
        let mut out = self.file.get(..headers).unwrap_or_default().to_vec();
        out.extend_from_slice(self.image.get(self.header.clone()).unwrap_or_default());
        for section in &self.sections {
            self.append(section, &mut out);
        }
        if let Some(overlay) = self.packed.overlay {
            let overlay = usize::try_from(overlay).unwrap_or(usize::MAX);
            out.extend_from_slice(self.file.get(overlay..).unwrap_or_default());
        }
        out
    }

    /// A section at its place in the file, if its place is where the file has got to or behind.
    fn append(&self, section: &Section, out: &mut Vec<u8>) {
        let rva = u32::try_from(section.stated_rva).ok();
        let start = rva.and_then(|rva| self.place(rva)).unwrap_or(usize::MAX);
        let bytes = self.image.get(start..self.header.start).unwrap_or_default();
        let size = usize::try_from(section.stated_size).unwrap_or(usize::MAX);
        let offset = usize::try_from(section.stated_offset).unwrap_or(usize::MAX);
        let most = self.image.len().saturating_mul(2);
        if size == 0 || offset < out.len() || offset.saturating_add(size) > most {
            return;
        }
        out.resize(offset, 0);
        out.extend_from_slice(bytes.get(..size).unwrap_or(bytes));
        out.resize(offset.saturating_add(size), 0);
    }
}

const DAMAGED: Reason = Reason::corrupt("UPX image");
/// Where the PE header is put to be read.
const HEADER: usize = 64;
