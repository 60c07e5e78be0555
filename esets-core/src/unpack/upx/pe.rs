//! UPX for PE: one block with the image, and behind it what is needed to make a file of it again.

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

    /// Writes the import table as it was: libraries, then for each its functions.
    fn bind(&mut self) -> Option<()> {
        let (directory, size) = self.directory(1)?;
        if directory == 0 || size <= 20 {
            return Some(());
        }
        let mut at = self.next_table()?;
        let names = self.next_table()?;
        let mut text = Text::new(names, self.lowest, self.text_of_libraries(at)?)?;
        let mut descriptor = self.place(directory)?;
        loop {
            let library = self.word(at)?;
            if library == 0 {
                return Some(());
            }
            let name = self.packed_text(library)?;
            let thunks = self.word(at.checked_add(4)?)?.checked_add(self.lowest)?;
            let name_at = match names {
                0 => self.place(self.word(descriptor.checked_add(12)?)?)?,
                _ => text.library(name.len())?,
            };
            self.put(name_at, &name)?;
            let rva = u32::try_from(name_at).ok()?.checked_add(self.lowest)?;
            self.put(descriptor.checked_add(12)?, &rva.to_le_bytes())?;
            self.put(descriptor.checked_add(16)?, &thunks.to_le_bytes())?;
            at = self.bind_functions(at.checked_add(8)?, thunks, names != 0, &mut text)?;
            descriptor = descriptor.checked_add(20)?;
        }
    }

    /// The functions of one library; where the next one begins.
    fn bind_functions(
        &mut self,
        mut at: usize,
        thunks: u32,
        is_moved: bool,
        text: &mut Text,
    ) -> Option<usize> {
        let width = if self.is_wide { 8 } else { 4 };
        let mut thunk = self.place(thunks)?;
        loop {
            let kind = *self.image.get(at)?;
            at = at.checked_add(1)?;
            let value = match kind {
                0 => {
                    self.put(thunk, [0; 8].get(..width)?)?;
                    return Some(at);
                }
                1 => {
                    let name = self.text(at)?;
                    at = at.checked_add(name.len())?;
                    let place = if is_moved {
                        text.function(name.len())?
                    } else {
                        self.place(self.word(thunk)?)?
                    };
                    self.put(place.checked_add(2)?, &name)?;
                    u64::try_from(place).ok()?.checked_add(self.lowest.into())?
                }
                0xff => {
                    let number = Cursor::at(&self.image, at as u64).ok()?.u16_le().ok()?;
                    at = at.checked_add(2)?;
                    let mark = if self.is_wide { 1_u64 << 63 } else { 1 << 31 };
                    mark | u64::from(number)
                }
                _ => {
                    let index = self.word(at)?;
                    at = at.checked_add(4)?;
                    self.packed_word(index)?.into()
                }
            };
            self.put(thunk, value.to_le_bytes().get(..width)?)?;
            thunk = thunk.checked_add(width)?;
        }
    }

    /// How long the names of all libraries are together.
    fn text_of_libraries(&self, mut at: usize) -> Option<usize> {
        let mut length = 0_usize;
        loop {
            let library = self.word(at)?;
            if library == 0 {
                return length.checked_next_multiple_of(2);
            }
            length = length.checked_add(self.packed_text(library)?.len())?;
            at = at.checked_add(8)?;
            loop {
                let kind = *self.image.get(at)?;
                at = at.checked_add(1)?;
                at = at.checked_add(match kind {
                    0 => break,
                    1 => self.text(at)?.len(),
                    0xff => 2,
                    _ => 4,
                })?;
            }
        }
    }

    /// The text at `at`, with its zero.
    fn text(&self, at: usize) -> Option<Vec<u8>> {
        terminated(self.image.get(at..)?)
    }

    /// A text in the import table of the packed file, with its zero.
    fn packed_text(&self, offset: u32) -> Option<Vec<u8>> {
        terminated(self.packed_imports(offset)?)
    }

    fn packed_word(&self, offset: u32) -> Option<u32> {
        Cursor::new(self.packed_imports(offset)?).u32_le().ok()
    }

    fn packed_imports(&self, offset: u32) -> Option<&'a [u8]> {
        let [_, imports, ..] = self.packed.image.as_ref()?.directories;
        let rva = u64::from(imports.rva).checked_add(offset.into())?;
        self.file.get(usize::try_from(self.packed.offset_of(rva)?).ok()?..)
    }

    /// Puts addresses back that were stored from the first section on, highest byte first, and
    /// the table that says where they are.
    fn relocate(&mut self) -> Option<()> {
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

/// Where texts of the import table go: the names of libraries, then those of functions.
struct Text {
    libraries: usize,
    functions: usize,
}

impl Text {
    fn new(names: usize, lowest: u32, length: usize) -> Option<Self> {
        if names == 0 {
            return Some(Self { libraries: 0, functions: 0 });
        }
        let libraries = names.checked_sub(usize::try_from(lowest).ok()?)?;
        Some(Self { libraries, functions: libraries.checked_add(length)? })
    }

    fn library(&mut self, length: usize) -> Option<usize> {
        let at = self.libraries;
        self.libraries = at.checked_add(length)?;
        Some(at)
    }

    /// Room for a hint and a name, at an even place.
    fn function(&mut self, length: usize) -> Option<usize> {
        let at = self.functions;
        self.functions = at.checked_add(2)?.checked_add(length)?.checked_next_multiple_of(2)?;
        Some(at)
    }
}

/// The text at the start of `bytes`, with its zero.
fn terminated(bytes: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes.get(..LONGEST_NAME).unwrap_or(bytes);
    Some(bytes.get(..=memchr::memchr(0, bytes)?)?.to_vec())
}

const DAMAGED: Reason = Reason::corrupt("UPX image");
/// Where the PE header is put to be read.
const HEADER: usize = 64;
/// The longest name of a library or function, in bytes.
const LONGEST_NAME: usize = 512;
