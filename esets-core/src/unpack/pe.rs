//! PE programs and libraries: what is appended to them, their resources, what is inside.

use crate::children::Children;
use crate::executable::{Executable, Resource, ResourceId};
use crate::object::Member;
use crate::subject::Subject;
use crate::unpack::{Format, Magic, UnpackError, Unpacker, embedded};
use crate::verdict::Reason;

/// Programs and libraries of Windows.
pub(super) struct Pe;

impl Unpacker for Pe {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        subject.executable().is_some_and(|executable| executable.kind.is_pe())
    }

    fn carved_by(&self) -> &'static [Magic] {
        &CARVED_BY
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let Some(executable) = subject.executable() else { return Ok(()) };
        let file = subject.bytes();
        let mut offered = Vec::new();
        if let Some(overlay) = executable.overlay {
            children.slice("overlay", bytes(file, overlay, u64::MAX))?;
            offered.push((overlay, u64::MAX));
        }
        for resource in executable.resources.iter().filter(|resource| may_hide(resource)) {
            let Resource { kind, name, language, offset, size } = resource;
            let name = format!("resource/{kind}/{name}/{language}");
            children.slice(Member::named(name.into_bytes()), bytes(file, *offset, *size))?;
            offered.push((*offset, offset.saturating_add(*size)));
        }
        embedded::offer(subject, &offered, children)?;
        if is_cut(executable, file.len() as u64) {
            return Err(Reason::Truncated.into());
        }
        Ok(())
    }
}

/// Whether a resource may hold anything; those that may not have a structure of their own.
fn may_hide(resource: &Resource) -> bool {
    let ResourceId::Number(kind) = resource.kind else { return true };
    resource.size > 0 && !STRUCTURED.contains(&kind)
}

/// Whether a section goes on behind the end by more than the loader forgives.
pub(super) fn is_cut(executable: &Executable, size: u64) -> bool {
    executable.sections.iter().any(|section| {
        let end = section.stated_offset.saturating_add(section.stated_size);
        let is_stored = section.stated_size > 0 && section.stated_offset > 0;
        is_stored && end > size.saturating_add(FORGIVEN)
    })
}

fn bytes(file: &[u8], offset: u64, size: u64) -> &[u8] {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let rest = file.get(offset..).unwrap_or_default();
    rest.get(..usize::try_from(size).unwrap_or(usize::MAX)).unwrap_or(rest)
}

static FORMAT: Format = Format {
    name: "pe",
    about: "Programs and libraries of Windows",
    extensions: &["cpl", "dll", "exe", "ocx", "scr", "sys"],
    magic: &[],
    specification: &["Microsoft, PE Format (revision 11)"],
    limitations: &["debug data and .NET resources are matched, not opened"],
};

/// Cursors, icons, menus, dialogs, strings, accelerators, messages and versions.
const STRUCTURED: [u32; 10] = [1, 3, 4, 5, 6, 9, 11, 12, 14, 16];
/// How many bytes of the last section may be missing: less than a sector is padding.
const FORGIVEN: u64 = 511;
/// What the DOS programs of the usual linkers say.
static CARVED_BY: [Magic; 2] = [
    Magic::at(0x4e, b"This program cannot be run in DOS mode"),
    Magic::at(0x50, b"This program must be run under Win"),
];
