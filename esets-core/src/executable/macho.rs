//! Mach-O headers (Apple, `loader.h`), as the `object` crate reads them.

use object::read::macho::{MachHeader, MachOFile, Segment as _};
use object::{Endianness, Object, ObjectSection, SectionFlags, macho};

use super::{EntryPoint, Executable, ExecutableKind, Section, elf, overlay_at};

pub(super) fn parse(file: &[u8]) -> Option<Executable> {
    match file.get(..4)? {
        b"\xfe\xed\xfa\xce" | b"\xce\xfa\xed\xfe" => {
            read::<macho::MachHeader32<Endianness>>(file, ExecutableKind::MachO32)
        }
        b"\xfe\xed\xfa\xcf" | b"\xcf\xfa\xed\xfe" => {
            read::<macho::MachHeader64<Endianness>>(file, ExecutableKind::MachO64)
        }
        _ => None,
    }
}

fn read<Mach: MachHeader<Endian = Endianness>>(
    file: &[u8],
    kind: ExecutableKind,
) -> Option<Executable> {
    let macho = MachOFile::<Mach>::parse(file).ok()?;
    let machine = macho.macho_header().cputype(macho.endian()).0;
    let mut executable = Executable::empty(kind, machine);
    let sections = macho.sections().take(Executable::MAX_SECTIONS);
    executable.sections = sections.map(|found| section(&found, file)).collect();
    executable.stated_sections = macho.sections().count() as u64;
    executable.imports = elf::collect(&macho);
    let layout = Layout::of(&macho);
    executable.entry_point = layout.entry_point(macho.entry());
    executable.overlay = overlay_at(layout.end, file);
    Some(executable)
}

fn section<'a>(section: &impl ObjectSection<'a>, file: &[u8]) -> Section {
    let name = section.name_bytes().unwrap_or_default();
    let (offset, size) = section.file_range().unwrap_or_default();
    let room = (file.len() as u64).saturating_sub(offset);
    let flags = match section.flags() {
        SectionFlags::MachO { flags, .. } => u64::from(flags.0),
        _ => 0,
    };
    Section {
        name: name.to_vec(),
        rva: section.address(),
        virtual_size: section.size(),
        offset,
        size: size.min(room),
        stated_rva: section.address(),
        stated_virtual_size: section.size(),
        stated_offset: offset,
        stated_size: size,
        flags,
    }
}

/// What the load commands say of the whole file.
#[derive(Default)]
struct Layout {
    /// Address, offset and stored size of each segment.
    segments: Vec<(u64, u64, u64)>,
    /// Where the segments end.
    end: u64,
    /// Whether the entry point is an offset (`LC_MAIN`), not an address.
    is_offset: bool,
}

impl Layout {
    fn of<'a, Mach: MachHeader<Endian = Endianness>>(macho: &MachOFile<'a, Mach>) -> Self {
        let mut layout = Self::default();
        let Ok(mut commands) = macho.macho_load_commands() else { return layout };
        while let Ok(Some(command)) = commands.next() {
            layout.is_offset |= matches!(command.entry_point(), Ok(Some(_)));
            if let Ok(Some((segment, _))) = Mach::Segment::from_command(command) {
                let endian = macho.endian();
                let (offset, size) = segment.file_range(endian);
                layout.end = layout.end.max(offset.saturating_add(size));
                if layout.segments.len() < MAX_SEGMENTS {
                    layout.segments.push((segment.vmaddr(endian).into(), offset, size));
                }
            }
        }
        layout
    }

    fn entry_point(&self, entry: u64) -> Option<EntryPoint> {
        if entry == 0 {
            return None;
        }
        let find = |start: fn(&(u64, u64, u64)) -> u64| {
            self.segments.iter().find_map(move |segment| {
                let distance = entry.checked_sub(start(segment))?;
                (distance < segment.2).then_some((segment, distance))
            })
        };
        if self.is_offset {
            let rva = find(|segment| segment.1)
                .map_or(entry, |(segment, distance)| segment.0.saturating_add(distance));
            return Some(EntryPoint { rva, offset: Some(entry) });
        }
        let offset = find(|segment| segment.0);
        let offset = offset.map(|(segment, distance)| segment.1.saturating_add(distance));
        Some(EntryPoint { rva: entry, offset })
    }
}

/// The most segments that are kept.
const MAX_SEGMENTS: usize = 256;
