//! PE headers (Microsoft PE and COFF specification), placed as the Windows loader places them.

use super::version;
use super::{EntryPoint, Executable, ExecutableKind, Section, imports, overlay_at, resources};
use crate::cursor::{Cursor, Truncated};

/// What only PE files have, for those who rebuild one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// The offset of `PE\0\0`.
    pub(crate) header: u64,
    /// How much of the file is loaded at 0: `SizeOfHeaders`, rounded up.
    pub(crate) mapped_headers: u64,
    /// `SizeOfHeaders` as stated.
    pub(crate) header_size: u32,
    /// `SizeOfImage` as stated.
    pub(crate) size: u32,
    /// `SectionAlignment` as stated.
    pub(crate) section_alignment: u32,
    /// `FileAlignment` as stated.
    pub(crate) file_alignment: u32,
    /// `Subsystem`.
    pub(crate) subsystem: u16,
    /// The data directories: address and size.
    pub(crate) directories: [Directory; DIRECTORIES],
}

/// A data directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) rva: u32,
    pub(crate) size: u32,
}

/// How many data directories a PE file has at most.
pub(crate) const DIRECTORIES: usize = 16;
/// The place of the certificate table, the only one whose address is an offset in the file.
const SECURITY: usize = 4;

pub(super) fn parse(file: &[u8]) -> Option<Executable> {
    if !(file.starts_with(b"MZ") || file.starts_with(b"ZM")) {
        return None;
    }
    let header = u64::from(Cursor::at(file, 0x3c).ok()?.u32_le().ok()?);
    let mut cursor = Cursor::at(file, header).ok()?;
    if cursor.take(4).ok()? != b"PE\0\0" {
        return None;
    }
    let coff = Coff::read(&mut cursor).ok()?;
    let table = (cursor.position() as u64).checked_add(u64::from(coff.optional_size))?;
    let (kind, optional) = Optional::read(&mut cursor).ok()?;
    let mut executable = Executable::empty(kind, u32::from(coff.machine));
    executable.image_base = optional.image_base;
    executable.stated_sections = u64::from(coff.sections);
    let headers = section_headers(file, table, coff.sections);
    let alignment = Alignment::of(&optional, &headers);
    executable.sections = headers.iter().map(|header| alignment.place(header, file)).collect();
    let image = optional.image(header);
    let rva = u64::from(optional.entry_point);
    executable.overlay = overlay(file, &executable, &image, table);
    executable.image = Some(image);
    executable.entry_point = Some(EntryPoint { rva, offset: executable.offset_in(file, rva) });
    read_directories(file, &mut executable);
    Some(executable)
}

/// The directories that are read in any depth.
fn read_directories(file: &[u8], executable: &mut Executable) {
    let Some(image) = executable.image.as_ref() else { return };
    let [_, imported, resource, ..] = image.directories;
    let found = imports::read(file, executable, imported.rva);
    let hash = imports::hash(&found);
    executable.import_hash = hash.map(|(digest, _)| digest);
    executable.import_text = hash.map_or(0, |(_, length)| length);
    executable.imports = found;
    executable.resources = resources::read(file, executable, resource.rva);
    executable.version = version::read(file, &executable.resources);
}

impl Executable {
    /// Like [`Executable::offset_of`], but only inside `file`.
    pub(super) fn offset_in(&self, file: &[u8], rva: u64) -> Option<u64> {
        self.offset_of(rva).filter(|offset| *offset < file.len() as u64)
    }

    /// The bytes of `file` from the one that is loaded at `rva` on.
    pub(super) fn bytes_at<'a>(&self, file: &'a [u8], rva: u64) -> Option<&'a [u8]> {
        file.get(usize::try_from(self.offset_in(file, rva)?).ok()?..)
    }
}

/// The COFF file header.
struct Coff {
    machine: u16,
    sections: u16,
    optional_size: u16,
}

impl Coff {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let machine = cursor.u16_le()?;
        let sections = cursor.u16_le()?;
        cursor.take(12)?; // time stamp, symbol table
        let optional_size = cursor.u16_le()?;
        cursor.take(2)?; // characteristics
        Ok(Self { machine, sections, optional_size })
    }
}

/// The optional header.
struct Optional {
    entry_point: u32,
    image_base: u64,
    section_alignment: u32,
    file_alignment: u32,
    image_size: u32,
    header_size: u32,
    subsystem: u16,
    directories: [Directory; DIRECTORIES],
}

impl Optional {
    fn read(cursor: &mut Cursor<'_>) -> Result<(ExecutableKind, Self), Truncated> {
        let kind = if cursor.u16_le()? == PE32_PLUS {
            ExecutableKind::Pe32Plus
        } else {
            ExecutableKind::Pe32
        };
        let is_wide = kind == ExecutableKind::Pe32Plus;
        cursor.take(14)?; // linker version, sizes
        let entry_point = cursor.u32_le()?;
        cursor.take(if is_wide { 4 } else { 8 })?; // bases of code and data
        let image_base = if is_wide { cursor.u64_le()? } else { u64::from(cursor.u32_le()?) };
        let section_alignment = cursor.u32_le()?;
        let file_alignment = cursor.u32_le()?;
        cursor.take(16)?; // versions
        let image_size = cursor.u32_le()?;
        let header_size = cursor.u32_le()?;
        cursor.take(4)?; // checksum
        let subsystem = cursor.u16_le()?;
        cursor.take(if is_wide { 38 } else { 22 })?; // flags, stack, heap
        let count = usize::try_from(cursor.u32_le()?).unwrap_or(DIRECTORIES);
        let mut directories = [Directory::default(); DIRECTORIES];
        for directory in directories.iter_mut().take(count) {
            // A file may end inside the table, and loads all the same.
            let Ok(rva) = cursor.u32_le() else { break };
            *directory = Directory { rva, size: cursor.u32_le().unwrap_or(0) };
        }
        let optional = Self {
            entry_point,
            image_base,
            section_alignment,
            file_alignment,
            image_size,
            header_size,
            subsystem,
            directories,
        };
        Ok((kind, optional))
    }

    fn image(&self, header: u64) -> Image {
        Image {
            header,
            mapped_headers: round_up(self.header_size.into(), self.section_alignment.into()),
            header_size: self.header_size,
            size: self.image_size,
            section_alignment: self.section_alignment,
            file_alignment: self.file_alignment,
            subsystem: self.subsystem,
            directories: self.directories,
        }
    }
}

/// The section table, as far as it goes.
fn section_headers(file: &[u8], table: u64, count: u16) -> Vec<Section> {
    let Ok(mut cursor) = Cursor::at(file, table) else { return Vec::new() };
    let count = usize::from(count).min(Executable::MAX_SECTIONS);
    (0..count).map_while(|_| section_header(&mut cursor).ok()).collect()
}

fn section_header(cursor: &mut Cursor<'_>) -> Result<Section, Truncated> {
    let name = cursor.take(8)?;
    let length = name.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    let stated_virtual_size = u64::from(cursor.u32_le()?);
    let stated_rva = u64::from(cursor.u32_le()?);
    let stated_size = u64::from(cursor.u32_le()?);
    let stated_offset = u64::from(cursor.u32_le()?);
    cursor.take(12)?; // relocations, line numbers
    Ok(Section {
        name: name.get(..length).unwrap_or_default().to_vec(),
        stated_rva,
        stated_virtual_size,
        stated_offset,
        stated_size,
        flags: u64::from(cursor.u32_le()?),
        ..Section::default()
    })
}

/// How sections are rounded.
struct Alignment {
    section: u64,
    file: u64,
}

impl Alignment {
    fn of(optional: &Optional, headers: &[Section]) -> Self {
        let stated = u64::from(optional.file_alignment);
        // A sector is enough for the loader, whatever the header states.
        let is_lie = |section: &Section| {
            stated != 0
                && section.stated_offset.checked_rem(stated) != Some(0)
                && section.stated_offset.checked_rem(SECTOR) == Some(0)
        };
        let file = if headers.iter().any(is_lie) { SECTOR } else { stated };
        Self { section: optional.section_alignment.into(), file }
    }

    fn place(&self, header: &Section, file: &[u8]) -> Section {
        let offset = round_down(header.stated_offset, self.file);
        let room = (file.len() as u64).saturating_sub(offset);
        let memory = match header.stated_virtual_size {
            0 => header.stated_size,
            size => size,
        };
        Section {
            rva: round_down(header.stated_rva, self.section),
            virtual_size: round_up(memory, self.section),
            offset,
            // Without a place in the file it is zeros, whatever size is stated.
            size: if header.stated_offset == 0 {
                0
            } else {
                round_up(header.stated_size, self.file).min(room)
            },
            ..header.clone()
        }
    }
}

/// Where the headers and all sections end. The certificate table is part of the overlay unless
/// nothing else is.
fn overlay(file: &[u8], executable: &Executable, image: &Image, table: u64) -> Option<u64> {
    let entries = (executable.sections.len() as u64).saturating_mul(40);
    let headers = table.saturating_add(entries);
    let ends = executable
        .sections
        .iter()
        .filter(|section| section.stated_size > 0 && section.stated_offset > 0);
    let ends = ends.map(|section| section.stated_offset.saturating_add(section.stated_size));
    let end = ends.max().unwrap_or(0).max(headers);
    let certificate = image.directories.get(SECURITY).copied().unwrap_or_default();
    let is_certificate = u64::from(certificate.rva) == end
        && end.saturating_add(certificate.size.into()) >= file.len() as u64;
    if is_certificate { None } else { overlay_at(end, file) }
}

fn round_down(value: u64, alignment: u64) -> u64 {
    value.saturating_sub(value.checked_rem(alignment).unwrap_or(0))
}

fn round_up(value: u64, alignment: u64) -> u64 {
    match value.checked_rem(alignment) {
        None | Some(0) => value,
        Some(rest) => value.saturating_add(alignment.saturating_sub(rest)),
    }
}

/// The magic of a PE32+ optional header.
const PE32_PLUS: u16 = 0x20b;
/// What the loader rounds to at least.
const SECTOR: u64 = 0x200;
