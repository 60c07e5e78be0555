//! Mach-O programs and libraries: what is appended to them, and the slices of universal ones.

use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::object::Member;
use crate::subject::Subject;
use crate::unpack::{Format, UnpackError, Unpacker, embedded};
use crate::verdict::{Limit, Reason};

/// Programs and libraries of macOS and iOS.
pub(super) struct MachO;

impl Unpacker for MachO {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let is_thin = subject.executable().is_some_and(|executable| executable.kind.is_macho());
        is_thin || Universal::open(subject.bytes()).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let file = subject.bytes();
        if let Some(universal) = Universal::open(file) {
            return universal.offer(file, children);
        }
        let overlay = subject.executable().and_then(|executable| executable.overlay);
        let mut offered = Vec::new();
        if let Some(offset) = overlay {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            children.slice("overlay", file.get(start..).unwrap_or_default())?;
            offered.push((offset, u64::MAX));
        }
        embedded::offer(subject, &offered, children)
    }
}

/// The header of a universal file: several Mach-O files, one for each processor.
struct Universal<'a> {
    table: Cursor<'a>,
    count: u32,
    is_wide: bool,
}

impl<'a> Universal<'a> {
    /// Java classes begin with the same bytes; there, a version of at least 45 follows.
    fn open(file: &'a [u8]) -> Option<Self> {
        let mut table = Cursor::new(file);
        let is_wide = match table.u32_be().ok()? {
            0xcafe_babe => false,
            0xcafe_babf => true,
            _ => return None,
        };
        let count = table.u32_be().ok()?;
        (1..45).contains(&count).then_some(Self { table, count, is_wide })
    }

    fn offer(mut self, file: &[u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
        for index in 0..self.count {
            if index >= u32::from(children.readings()) {
                return Err(Reason::Limit(Limit::Readings).into());
            }
            let slice = self.entry()?;
            let name = format!("cpu-{}", slice.cpu);
            let member = Member {
                index: Some(index.into()),
                size: Some(slice.size),
                ..Member::named(name.into_bytes())
            };
            match Cursor::at(file, slice.offset) {
                Ok(mut cursor) => children.slice(member, cursor.take_up_to(slice.size))?,
                Err(truncated) => children.skip(member, truncated.into())?,
            }
        }
        Ok(())
    }

    fn entry(&mut self) -> Result<Slice, Truncated> {
        let cpu = self.table.u32_be()?;
        self.table.take(4)?; // subtype
        let (offset, size) = if self.is_wide {
            (self.table.u64_be()?, self.table.u64_be()?)
        } else {
            (self.table.u32_be()?.into(), self.table.u32_be()?.into())
        };
        self.table.take(if self.is_wide { 8 } else { 4 })?; // alignment
        Ok(Slice { cpu, offset, size })
    }
}

/// One file in a universal file.
struct Slice {
    cpu: u32,
    offset: u64,
    size: u64,
}

static FORMAT: Format = Format {
    name: "macho",
    about: "Programs and libraries of macOS and iOS, universal ones included",
    extensions: &["dylib", "o"],
    magic: &[],
    specification: &["Apple, mach-o/loader.h and mach-o/fat.h"],
    limitations: &["code signatures are matched, not opened"],
};
