//! ELF programs and libraries: what is appended to them and what is inside.

use crate::children::Children;
use crate::executable::{ElfLayout, Executable};
use crate::subject::Subject;
use crate::unpack::{Format, Magic, UnpackError, Unpacker, embedded};
use crate::verdict::Reason;

/// Programs and libraries of Unix systems.
pub(super) struct Elf;

impl Unpacker for Elf {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        &CARVED_BY
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let file = subject.bytes();
        let Some(executable) = subject.executable() else {
            return Err(Reason::corrupt("header").into());
        };
        let mut offered = Vec::new();
        if let Some(offset) = executable.overlay {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            children.slice("overlay", file.get(start..).unwrap_or_default())?;
            offered.push((offset, u64::MAX));
        }
        embedded::offer(subject, &offered, children)?;
        if is_cut(executable, file) {
            return Err(Reason::Truncated.into());
        }
        Ok(())
    }
}

/// Whether what is loaded, a section, or the table of sections goes on behind the end.
fn is_cut(executable: &Executable, file: &[u8]) -> bool {
    let loads = ElfLayout::read(file).map(|layout| layout.loads).unwrap_or_default();
    let read = executable.sections.len() as u64;
    let expected = executable.stated_sections.min(Executable::MAX_SECTIONS as u64);
    read < expected
        || loads.iter().any(|load| load.end > file.len() as u64)
        || executable.sections.iter().any(|section| section.size < section.stated_size)
}

static FORMAT: Format = Format {
    name: "elf",
    about: "Programs and libraries of Unix systems",
    extensions: &["elf", "ko", "o", "so"],
    magic: &[Magic::start(b"\x7fELF")],
    specification: &["System V ABI, chapter 4, Object Files"],
    limitations: &["compressed debug sections are matched, not opened"],
};

/// Both widths, little-endian, version 1.
static CARVED_BY: [Magic; 2] =
    [Magic::start(b"\x7fELF\x01\x01\x01"), Magic::start(b"\x7fELF\x02\x01\x01")];
