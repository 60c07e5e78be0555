//! Programs that unpack themselves: run up to the program itself, then written out as a PE file.
//!
//! One machine opens what a dozen packers make (ASPack, FSG, MEW, NsPack, PESpin, Petite, Upack,
//! UPX, WWPack, yC, …), and their versions and imitations that a reader for each would not know.

use crate::budget::Lease;
use crate::children::Children;
use crate::emulator::{End, Machine, Snapshot};
use crate::executable::{Executable, Image, Section};
use crate::subject::Subject;
use crate::unpack::{Format, UnpackError, Unpacker, upx};
use crate::verdict::Reason;

/// Packed 32-bit programs of Windows.
pub(super) struct Packed;

impl Unpacker for Packed {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        !is_done(subject)
            && !upx::is_intact(subject)
            && subject.executable().is_some_and(|executable| {
                Machine::image_size(executable).is_some() && looks_packed(executable)
            })
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let Some(executable) = subject.executable() else { return Ok(()) };
        let Some(size) = Machine::image_size(executable) else { return Ok(()) };
        let _lease = memory_for(size, children)?;
        let Some(mut machine) = Machine::load(subject.bytes(), executable) else { return Ok(()) };
        let mut steps = steps_for(size);
        let end = machine.run(|| {
            let granted = children.steps(steps.min(TURN))?;
            steps = steps.saturating_sub(granted);
            Ok::<u32, UnpackError>(granted)
        })?;
        match (machine.into_snapshot(), end) {
            (Some(snapshot), _) => {
                children.owned(CHILD, rebuild(executable, &snapshot).into())?;
                Ok(())
            }
            (None, End::Exhausted) => {
                Err(Reason::unsupported("a packer that takes too long").into())
            }
            (None, End::Done) => Ok(()),
        }
    }
}

/// Whether the object was made here, or too many objects around it were packed: an image that
/// holds a copy of its own header would go on for ever.
fn is_done(subject: &Subject<'_>) -> bool {
    let is_packed =
        |ancestor: &&Subject<'_>| ancestor.formats().iter().any(|format| format.name == NAME);
    let parent = subject.ancestors().next();
    let is_ours = subject.name() == CHILD.as_bytes() && parent.as_ref().is_some_and(is_packed);
    is_ours || subject.ancestors().filter(is_packed).count() >= MAX_LAYERS
}

/// The image, a snapshot of it, the file made from it, notes of writes, and what the stub allocates.
fn memory_for(size: u32, children: &mut Children<'_>) -> Result<Lease, Reason> {
    let images = u64::from(size).saturating_mul(4);
    children.lease(images.saturating_add(Machine::OTHER_MEMORY))
}

/// How many steps are worth it: enough for the slowest decompressor over the whole image.
fn steps_for(size: u32) -> u32 {
    size.saturating_mul(STEPS_PER_BYTE).saturating_add(MIN_STEPS).min(MAX_STEPS)
}

/// Whether a linker would not have made it: it starts in the headers or in code that it can
/// write to or that is not the first, or there is code that is not in the file.
fn looks_packed(executable: &Executable) -> bool {
    let Some(entry) = executable.entry_point else { return false };
    let holds = |section: &&Section| section.contains(entry.rva);
    let Some(section) = executable.sections.iter().find(holds) else { return entry.rva > 0 };
    let is_code = |section: &&Section| section.flags & (EXECUTE | CODE) != 0;
    let is_first = executable.sections.iter().find(is_code).is_none_or(|first| first == section);
    let is_absent = |section: &Section| section.flags & EXECUTE != 0 && section.stated_size == 0;
    section.flags & WRITE != 0 || !is_first || executable.sections.iter().any(is_absent)
}

/// A PE file with fresh headers that lies in memory as the snapshot does.
fn rebuild(executable: &Executable, snapshot: &Snapshot) -> Vec<u8> {
    let Some(image) = executable.image.as_ref() else { return Vec::new() };
    let placed = place(executable, snapshot);
    let mut file = headers(executable, image, snapshot.entry, &placed);
    for (_, _, bytes) in &placed {
        file.extend_from_slice(bytes);
        file.resize(file.len().next_multiple_of(SECTOR), 0);
    }
    file
}

/// The sections with their size in memory and their bytes, without the zeros at the end. Where
/// sections overlap, the later one has the bytes.
fn place<'a>(
    executable: &'a Executable,
    snapshot: &'a Snapshot,
) -> Vec<(&'a Section, u32, &'a [u8])> {
    let sections = executable.sections.iter().filter_map(|section| {
        let starts = executable.sections.iter().map(|other| other.rva);
        let next = starts.filter(|start| *start > section.rva).min().unwrap_or(u64::MAX);
        let size = section.virtual_size.min(next.saturating_sub(section.rva));
        let start = usize::try_from(section.rva).ok()?;
        let size = usize::try_from(size).ok()?;
        let rest = snapshot.image.get(start..)?;
        let bytes = rest.get(..size).unwrap_or(rest);
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at.saturating_add(1));
        Some((section, u32::try_from(bytes.len()).ok()?, bytes.get(..length)?))
    });
    sections.collect()
}

/// DOS header, PE header, optional header, section table.
fn headers(
    executable: &Executable,
    image: &Image,
    entry: u32,
    placed: &[(&Section, u32, &[u8])],
) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    out.bytes(b"MZ").zeros(58).u32(64);
    let count = u16::try_from(placed.len()).unwrap_or(u16::MAX);
    out.bytes(b"PE\0\0").u16(I386).u16(count).zeros(12).u16(OPTIONAL_SIZE).u16(CHARACTERISTICS);
    let table = placed.len().saturating_mul(40);
    let size = HEADERS.saturating_add(table).next_multiple_of(SECTOR);
    let header_size = u32::try_from(size).unwrap_or(u32::MAX);
    let base = u32::try_from(executable.image_base).unwrap_or(0);
    let image_size = u32::try_from(snapshot_size(placed)).unwrap_or(u32::MAX).max(image.size);
    out.u16(0x10b).zeros(14).u32(entry).zeros(8).u32(base).u32(image.section_alignment);
    out.u32(0x200).u32(4).u32(0).u32(4).u32(0).u32(image_size).u32(header_size).u32(0);
    out.u16(image.subsystem).u16(0).u32(0x10_0000).u32(0x1000).u32(0x10_0000).u32(0x1000);
    out.u32(0).u32(16);
    for directory in image.directories {
        out.u32(directory.rva).u32(directory.size);
    }
    let mut offset = size;
    for (section, memory, bytes) in placed {
        let stored = bytes.len().next_multiple_of(SECTOR);
        let mut name = section.name.clone();
        name.resize(8, 0);
        out.bytes(&name).u32(*memory).u32(u32::try_from(section.rva).unwrap_or(0));
        out.u32(u32::try_from(stored).unwrap_or(0)).u32(u32::try_from(offset).unwrap_or(0));
        out.zeros(12).u32(u32::try_from(section.flags).unwrap_or(0));
        offset = offset.saturating_add(stored);
    }
    out.0.resize(size, 0);
    out.0
}

fn snapshot_size(placed: &[(&Section, u32, &[u8])]) -> u64 {
    let ends = placed.iter().map(|(section, size, _)| section.rva.saturating_add((*size).into()));
    ends.max().unwrap_or(0)
}

/// Appends little-endian numbers.
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn zeros(&mut self, count: usize) -> &mut Self {
        self.0.resize(self.0.len().saturating_add(count), 0);
        self
    }
}

static FORMAT: Format = Format {
    name: NAME,
    about: "32-bit programs of Windows that unpack themselves in memory",
    extensions: &["exe", "scr"],
    magic: &[],
    specification: &["Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2"],
    limitations: &[
        "64-bit programs, and stubs that use floating point, MMX or unknown functions",
        "import tables are those of the packer",
    ],
};

const NAME: &str = "packed";
/// The name of the program that was packed.
const CHILD: &str = "unpacked.exe";
/// How many packed programs may lie in one another.
const MAX_LAYERS: usize = 2;
const CODE: u64 = 0x20;
const EXECUTE: u64 = 0x2000_0000;
const WRITE: u64 = 0x8000_0000;
const I386: u16 = 0x14c;
/// A 32-bit program without relocations.
const CHARACTERISTICS: u16 = 0x103;
const OPTIONAL_SIZE: u16 = 0xe0;
/// The size of all headers but the section table.
const HEADERS: usize = 64 + 24 + 0xe0;
const SECTOR: usize = 0x200;
/// How many steps the machine does between two looks at the caller's clock.
const TURN: u32 = 1 << 18;
const STEPS_PER_BYTE: u32 = 512;
const MIN_STEPS: u32 = 4 << 20;
const MAX_STEPS: u32 = 64 << 20;
