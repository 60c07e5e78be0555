//! ELF headers (System V ABI, "Object Files"), read without the checks that packers rely on.

use std::ops::Range;

use object::read::elf::{ElfFile32, ElfFile64};
use object::{Endianness, Object, read};

use super::{EntryPoint, Executable, ExecutableKind, Import, ImportName, Section, overlay_at};
use crate::cursor::{Cursor, Truncated};

pub(super) fn parse(file: &[u8]) -> Option<Executable> {
    let mut reader = Reader::open(file)?;
    let header = Header::read(&mut reader).ok()?;
    let kind = if reader.is_wide { ExecutableKind::Elf64 } else { ExecutableKind::Elf32 };
    let mut executable = Executable::empty(kind, header.machine.into());
    let segments = segments(&reader, &header);
    executable.stated_sections = header.sections.count.into();
    executable.sections = sections(&reader, &header);
    executable.entry_point = Some(EntryPoint {
        rva: header.entry,
        offset: segments.iter().find_map(|segment| segment.offset_of(header.entry, file)),
    });
    executable.imports = imports(file, reader.is_wide);
    executable.overlay = overlay_at(end(&header, &segments, &executable.sections), file);
    Some(executable)
}

/// What a packer needs to know of an ELF file.
pub(crate) struct Layout {
    /// Whether numbers begin with their highest byte.
    pub(crate) is_big: bool,
    /// Where the program headers end.
    pub(crate) headers_end: u64,
    /// The parts of the file that are loaded, in the order of the program headers.
    pub(crate) loads: Vec<Range<u64>>,
}

impl Layout {
    /// Reads the headers of `file`, if it is an ELF file.
    pub(crate) fn read(file: &[u8]) -> Option<Self> {
        let mut reader = Reader::open(file)?;
        let header = Header::read(&mut reader).ok()?;
        let segments = segments(&reader, &header);
        let loads = segments.iter().filter(|segment| segment.is_loaded);
        let range = |segment: &Segment| segment.offset..segment.offset.saturating_add(segment.size);
        Some(Self {
            is_big: reader.is_big,
            headers_end: header.segments.end(),
            loads: loads.map(range).collect(),
        })
    }
}

/// Reads numbers of the file's width and byte order.
#[derive(Clone)]
struct Reader<'a> {
    cursor: Cursor<'a>,
    file: &'a [u8],
    is_wide: bool,
    is_big: bool,
}

impl<'a> Reader<'a> {
    /// A reader behind `e_ident`.
    fn open(file: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(file);
        let [magic @ .., class, order] = cursor.array::<6>().ok()?;
        if magic != *b"\x7fELF" || !matches!(class, 1 | 2) || !matches!(order, 1 | 2) {
            return None;
        }
        cursor.take(10).ok()?;
        Some(Self { cursor, file, is_wide: class == 2, is_big: order == 2 })
    }

    /// A reader of the same kind at `offset`.
    fn at(&self, offset: u64) -> Option<Self> {
        Some(Self { cursor: Cursor::at(self.file, offset).ok()?, ..self.clone() })
    }

    fn half(&mut self) -> Result<u16, Truncated> {
        if self.is_big { self.cursor.u16_be() } else { self.cursor.u16_le() }
    }

    fn word(&mut self) -> Result<u32, Truncated> {
        if self.is_big { self.cursor.u32_be() } else { self.cursor.u32_le() }
    }

    /// An address or an offset.
    fn wide(&mut self) -> Result<u64, Truncated> {
        match (self.is_wide, self.is_big) {
            (false, _) => self.word().map(u64::from),
            (true, true) => self.cursor.u64_be(),
            (true, false) => self.cursor.u64_le(),
        }
    }
}

/// Where a table of headers lies.
struct Table {
    offset: u64,
    entry_size: u16,
    count: u16,
}

impl Table {
    /// Readers at its entries, at most `limit` of them.
    fn entries<'a>(&self, reader: &Reader<'a>, limit: usize) -> impl Iterator<Item = Reader<'a>> {
        let count = u64::from(self.count).min(limit as u64);
        let entry_size = u64::from(self.entry_size);
        let start = self.offset;
        (0..count)
            .map_while(move |index| reader.at(start.checked_add(index.checked_mul(entry_size)?)?))
    }

    fn end(&self) -> u64 {
        let size = u64::from(self.entry_size).saturating_mul(self.count.into());
        if self.count == 0 { 0 } else { self.offset.saturating_add(size) }
    }
}

struct Header {
    machine: u16,
    entry: u64,
    segments: Table,
    sections: Table,
    names: u16,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Truncated> {
        reader.half()?; // type
        let machine = reader.half()?;
        reader.word()?; // version
        let entry = reader.wide()?;
        let segments = reader.wide()?;
        let sections = reader.wide()?;
        reader.word()?; // flags
        reader.half()?; // size of this header
        let segments =
            Table { offset: segments, entry_size: reader.half()?, count: reader.half()? };
        let sections =
            Table { offset: sections, entry_size: reader.half()?, count: reader.half()? };
        Ok(Self { machine, entry, segments, sections, names: reader.half()? })
    }
}

/// A program header.
struct Segment {
    is_loaded: bool,
    offset: u64,
    address: u64,
    size: u64,
}

impl Segment {
    fn read(mut reader: Reader<'_>) -> Result<Self, Truncated> {
        let is_loaded = reader.word()? == PT_LOAD;
        if reader.is_wide {
            reader.word()?; // flags
        }
        let offset = reader.wide()?;
        let address = reader.wide()?;
        reader.wide()?; // physical address
        Ok(Self { is_loaded, offset, address, size: reader.wide()? })
    }

    /// Where in `file` the byte loaded at `address` lies.
    fn offset_of(&self, address: u64, file: &[u8]) -> Option<u64> {
        let distance = address.checked_sub(self.address)?;
        let offset = self.offset.checked_add(distance)?;
        let is_inside = self.is_loaded && distance < self.size && offset < file.len() as u64;
        is_inside.then_some(offset)
    }
}

fn segments(reader: &Reader<'_>, header: &Header) -> Vec<Segment> {
    let entries = header.segments.entries(reader, MAX_SEGMENTS);
    entries.map_while(|entry| Segment::read(entry).ok()).collect()
}

fn sections(reader: &Reader<'_>, header: &Header) -> Vec<Section> {
    let entries = header.sections.entries(reader, Executable::MAX_SECTIONS);
    let raw: Vec<_> = entries.map_while(|entry| RawSection::read(entry).ok()).collect();
    let names = raw.get(usize::from(header.names)).map_or(0, |section| section.offset);
    raw.iter().map(|section| section.place(reader.file, names)).collect()
}

/// A section header.
struct RawSection {
    name: u32,
    kind: u32,
    flags: u64,
    address: u64,
    offset: u64,
    size: u64,
}

impl RawSection {
    fn read(mut reader: Reader<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            name: reader.word()?,
            kind: reader.word()?,
            flags: reader.wide()?,
            address: reader.wide()?,
            offset: reader.wide()?,
            size: reader.wide()?,
        })
    }

    fn place(&self, file: &[u8], names: u64) -> Section {
        let stored = if matches!(self.kind, SHT_NULL | SHT_NOBITS) { 0 } else { self.size };
        let room = (file.len() as u64).saturating_sub(self.offset);
        Section {
            name: name(file, names.saturating_add(self.name.into())).unwrap_or_default(),
            rva: self.address,
            virtual_size: self.size,
            offset: self.offset,
            size: stored.min(room),
            stated_rva: self.address,
            stated_virtual_size: self.size,
            stated_offset: self.offset,
            stated_size: stored,
            flags: self.flags,
        }
    }
}

/// The text at `offset`, up to its zero.
fn name(file: &[u8], offset: u64) -> Option<Vec<u8>> {
    let bytes = file.get(usize::try_from(offset).ok()?..)?;
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    Some(bytes.get(..memchr::memchr(0, bytes)?)?.to_vec())
}

/// Undefined dynamic symbols.
fn imports(file: &[u8], is_wide: bool) -> Vec<Import> {
    if is_wide {
        ElfFile64::<Endianness>::parse(file).map_or_else(|_| Vec::new(), |elf| collect(&elf))
    } else {
        ElfFile32::<Endianness>::parse(file).map_or_else(|_| Vec::new(), |elf| collect(&elf))
    }
}

/// The imports of any format that `object` reads.
pub(super) fn collect<'a>(object: &impl Object<'a>) -> Vec<Import> {
    let Ok(imports) = object.imports() else { return Vec::new() };
    let imports = imports.take(Executable::MAX_IMPORTS).filter_map(read::Result::ok);
    let import = |import: read::Import<'_>| {
        let name = match import.name() {
            read::NameOrOrdinal::Name(name) => name.get(..MAX_NAME).unwrap_or(name),
            read::NameOrOrdinal::Ordinal(_) => return None,
        };
        let library = import.library();
        let library = library.get(..MAX_NAME).unwrap_or(library);
        Some(Import { library: library.to_vec(), function: ImportName::Name(name.to_vec()) })
    };
    imports.filter_map(import).collect()
}

/// Where headers, segments and sections end.
fn end(header: &Header, segments: &[Segment], sections: &[Section]) -> u64 {
    let segments = segments.iter().map(|segment| segment.offset.saturating_add(segment.size));
    let stored = sections.iter().filter(|section| section.stated_size > 0);
    let sections = stored.map(|section| section.stated_offset.saturating_add(section.stated_size));
    let tables = [header.segments.end(), header.sections.end()];
    segments.chain(sections).chain(tables).max().unwrap_or(0)
}

const PT_LOAD: u32 = 1;
const SHT_NULL: u32 = 0;
const SHT_NOBITS: u32 = 8;
/// The most program headers that are read.
const MAX_SEGMENTS: usize = 256;
/// The longest name that is kept, in bytes.
const MAX_NAME: usize = 256;
