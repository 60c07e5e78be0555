//! ELF programs and libraries: what is appended to them and what is inside.

use crate::children::Children;
use crate::subject::Subject;
use crate::unpack::{Format, Magic, UnpackError, Unpacker, embedded};

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
        let overlay = subject.executable().and_then(|executable| executable.overlay);
        let mut offered = Vec::new();
        if let Some(offset) = overlay {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            children.slice("overlay", file.get(start..).unwrap_or_default())?;
            offered.push((offset, u64::MAX));
        }
        embedded::offer(file, &offered, children)
    }
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
