//! Executables: what signatures, heuristics and unpackers ask of PE, ELF and Mach-O objects.
//!
//! Everything here is read tolerantly, as a loader reads it: packers break every rule that a
//! loader does not check. What cannot be read is left out, never an error.

mod elf;
mod imports;
mod macho;
mod ordinals;
mod pe;
mod resources;
mod version;

pub(crate) use elf::Layout as ElfLayout;
pub(crate) use pe::Image;

/// An executable: what its headers say, as far as they make sense. All of it is owned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executable {
    /// Format and width.
    pub kind: ExecutableKind,
    /// The machine, as the format numbers it (`Machine`, `e_machine`, `cputype`).
    pub machine: u32,
    /// The address at which the image wants to lie; 0 for Mach-O and for ELF.
    pub image_base: u64,
    /// Where it starts to run, if it says so.
    pub entry_point: Option<EntryPoint>,
    /// The sections in the order of the section table, at most [`Executable::MAX_SECTIONS`].
    ///
    /// For ELF the null section is among them, so that positions are those of the file.
    pub sections: Vec<Section>,
    /// How many sections the header states, which may be more than there are.
    pub stated_sections: u64,
    /// Imported functions in file order, at most [`Executable::MAX_IMPORTS`].
    pub imports: Vec<Import>,
    /// The import hash (MD5 over `library.function,…`, lower case); PE only.
    pub import_hash: Option<[u8; 16]>,
    /// How long the text is that the import hash is made from, in bytes; PE only.
    pub import_text: u64,
    /// The offset of the first byte that no header accounts for, if there is one.
    pub overlay: Option<u64>,
    /// The leaves of the resource tree, at most [`Executable::MAX_RESOURCES`]; PE only.
    pub resources: Vec<Resource>,
    /// The strings of the version resource; PE only.
    pub version: Vec<VersionString>,
    /// What only PE files have.
    pub(crate) image: Option<Image>,
}

/// Format and width of an executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExecutableKind {
    /// ELF, 32 bits.
    Elf32,
    /// ELF, 64 bits.
    Elf64,
    /// Mach-O, 32 bits.
    MachO32,
    /// Mach-O, 64 bits.
    MachO64,
    /// PE32.
    Pe32,
    /// PE32+.
    Pe32Plus,
}

impl ExecutableKind {
    /// Whether it is PE32 or PE32+.
    #[must_use]
    pub fn is_pe(self) -> bool {
        matches!(self, Self::Pe32 | Self::Pe32Plus)
    }

    /// Whether it is ELF.
    #[must_use]
    pub fn is_elf(self) -> bool {
        matches!(self, Self::Elf32 | Self::Elf64)
    }

    /// Whether it is Mach-O.
    #[must_use]
    pub fn is_macho(self) -> bool {
        matches!(self, Self::MachO32 | Self::MachO64)
    }
}

/// Where an executable starts to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntryPoint {
    /// The address, relative to the image base (PE) or absolute (ELF, Mach-O).
    pub rva: u64,
    /// The offset in the file, `None` if no byte of the file is loaded there.
    pub offset: Option<u64>,
}

/// A section, placed as the loader places it.
///
/// For PE, addresses and offsets are rounded down and sizes up to the alignments of the header,
/// and the raw size ends with the file; what the header says is in the `stated_` fields. For the
/// other formats both are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The name as raw bytes, without trailing zeros.
    pub name: Vec<u8>,
    /// The address, relative to the image base (PE) or absolute (ELF, Mach-O).
    pub rva: u64,
    /// The size in memory, in bytes.
    pub virtual_size: u64,
    /// The offset in the file.
    pub offset: u64,
    /// How many bytes of the file it has; 0 if it lies outside.
    pub size: u64,
    /// The address that the header states.
    pub stated_rva: u64,
    /// The size in memory that the header states.
    pub stated_virtual_size: u64,
    /// The offset that the header states.
    pub stated_offset: u64,
    /// The size in the file that the header states.
    pub stated_size: u64,
    /// The flags (`Characteristics`, `sh_flags`, `flags`).
    pub flags: u64,
}

impl Section {
    /// Its bytes in `file`, the object it was read from.
    #[must_use]
    pub fn bytes<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        let range = usize::try_from(self.offset).ok().zip(usize::try_from(self.size).ok());
        range
            .and_then(|(start, size)| file.get(start..start.checked_add(size)?))
            .unwrap_or_default()
    }

    /// Whether `rva` lies in it, in memory.
    #[must_use]
    pub fn contains(&self, rva: u64) -> bool {
        let size = self.virtual_size.max(self.size);
        rva.checked_sub(self.rva).is_some_and(|distance| distance < size)
    }
}

/// An imported function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Import {
    /// The library, as raw bytes; empty where the format does not say (ELF).
    pub library: Vec<u8>,
    /// The function: its name, or its number in the library.
    pub function: ImportName,
}

/// How a function is imported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ImportName {
    /// By name, as raw bytes.
    Name(Vec<u8>),
    /// By number.
    Ordinal(u16),
}

/// A leaf of the resource tree of a PE file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resource {
    /// The type, for example 10 (`RT_RCDATA`).
    pub kind: ResourceId,
    /// The name.
    pub name: ResourceId,
    /// The language.
    pub language: ResourceId,
    /// The offset of its content in the file.
    pub offset: u64,
    /// The size of its content in bytes, cut at the end of the file.
    pub size: u64,
}

/// How an entry of the resource tree is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ResourceId {
    /// By name.
    Name(String),
    /// By number.
    Number(u32),
}

impl std::fmt::Display for ResourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A string of the version resource, for example `CompanyName`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionString {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// The offset of the key (UTF-16) in the file.
    pub offset: u64,
}

impl Executable {
    /// The most sections that are read; more are ignored.
    pub const MAX_SECTIONS: usize = 512;
    /// The most imported functions that are read; more are ignored.
    pub const MAX_IMPORTS: usize = 16_384;
    /// The most resources that are read; more are ignored.
    pub const MAX_RESOURCES: usize = 1024;

    /// Reads the headers of `file`, if it is a PE, ELF or Mach-O file (not a universal one).
    #[must_use]
    pub fn parse(file: &[u8]) -> Option<Self> {
        pe::parse(file).or_else(|| elf::parse(file)).or_else(|| macho::parse(file))
    }

    /// The offset in the file of the byte that is loaded at `rva`.
    ///
    /// The headers of a PE file are loaded at 0. The last of several sections wins.
    #[must_use]
    pub fn offset_of(&self, rva: u64) -> Option<u64> {
        if self.image.as_ref().is_some_and(|image| rva < image.mapped_headers) {
            return Some(rva);
        }
        self.sections.iter().rev().find_map(|section| {
            let distance = rva.checked_sub(section.rva)?;
            (distance < section.size).then(|| section.offset.checked_add(distance))?
        })
    }

    fn empty(kind: ExecutableKind, machine: u32) -> Self {
        Self {
            kind,
            machine,
            image_base: 0,
            entry_point: None,
            sections: Vec::new(),
            stated_sections: 0,
            imports: Vec::new(),
            import_hash: None,
            import_text: 0,
            overlay: None,
            resources: Vec::new(),
            version: Vec::new(),
            image: None,
        }
    }
}

/// `end` if something of `file` lies behind it.
fn overlay_at(end: u64, file: &[u8]) -> Option<u64> {
    (end > 0 && end < file.len() as u64).then_some(end)
}
