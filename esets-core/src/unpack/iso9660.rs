//! ISO 9660 (ECMA-119) with Joliet and Rock Ridge names: the files of all trees, each once.

use std::collections::HashSet;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Extents, stored, utf16_be, zisofs};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Iso9660;

impl Unpacker for Iso9660 {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut disc =
            Disc { bytes: subject.bytes(), folders: Chain::default(), files: HashSet::new() };
        // The names of Joliet are the long ones; a file is offered under the first that it has.
        let mut volumes = disc.volumes()?;
        volumes.sort_by_key(|volume| !volume.is_joliet);
        for volume in volumes {
            disc.tree(&volume, children)?;
        }
        Ok(())
    }
}

/// A disc and what has been met on it.
struct Disc<'a> {
    bytes: &'a [u8],
    folders: Chain,
    files: HashSet<(u32, u32)>,
}

/// A tree of names, from its volume descriptor (8.4, 8.5).
struct Volume {
    root: (u32, u32),
    is_joliet: bool,
    block: u64,
}

impl<'a> Disc<'a> {
    /// The descriptors from sector 16 on, up to the one that ends them.
    fn volumes(&self) -> Result<Vec<Volume>, Reason> {
        let mut volumes = Vec::new();
        for sector in 16..16 + MAX_DESCRIPTORS {
            let cursor = &mut Cursor::at(self.bytes, sector.saturating_mul(SECTOR))?;
            let kind = cursor.u8()?;
            if cursor.take(5)? != b"CD001" || kind == 255 {
                break;
            }
            if kind == 1 || kind == 2 {
                volumes.push(Volume::read(cursor)?);
            }
        }
        Ok(volumes)
    }

    /// Walks the folders without recursion; one that was met before is not entered again.
    fn tree(&mut self, volume: &Volume, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let mut waiting = vec![(volume.root, Vec::new())];
        while let Some(((start, size), path)) = waiting.pop() {
            if !self.folders.step(start.into()) {
                continue;
            }
            let at = u64::from(start).saturating_mul(volume.block);
            let folder = Cursor::at(self.bytes, at)?.take_up_to(size.into());
            if (folder.len() as u64) < u64::from(size) {
                children.not_scanned(Reason::Truncated);
            }
            let mut extents = Vec::new();
            for entry in entries(folder) {
                let path = [&path[..], &entry.name(volume, self.bytes)].concat();
                if entry.flags & FOLDER != 0 {
                    waiting.push((entry.place, [&path[..], b"/"].concat()));
                    continue;
                }
                extents.push(entry.place);
                if entry.flags & CONTINUES == 0 {
                    self.file(volume, &path, &extents, children)?;
                    extents.clear();
                }
            }
        }
        Ok(())
    }

    /// Offers a file of one or more extents.
    fn file(
        &mut self,
        volume: &Volume,
        path: &[u8],
        extents: &[(u32, u32)],
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let Some(first) = extents.first().filter(|first| self.files.insert(**first)) else {
            return Ok(());
        };
        let bytes = self.bytes;
        let place = |(start, size): &(u32, u32)| {
            (u64::from(*start).saturating_mul(volume.block), u64::from(*size))
        };
        let member = Member::named(path);
        if extents.len() > 1 {
            let pieces = extents.iter().map(place).map(|(at, size)| stored(bytes, at, size));
            return Ok(children.stream(member, &mut Extents::new(pieces))?);
        }
        let (at, size) = place(first);
        let body = Cursor::at(bytes, at).map(|mut cursor| cursor.take_up_to(size));
        let body = body.unwrap_or_default();
        children.slice(member.clone(), body)?;
        if (body.len() as u64) < size {
            children.not_scanned(Reason::Truncated);
        }
        if let Some(blocks) = zisofs(body) {
            children.stream(member, &mut Extents::new(blocks))?;
        }
        Ok(())
    }
}

impl Volume {
    /// Reads what lies behind the identifier.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        cursor.take(82)?; // version, flags, names, space
        let escape = cursor.take(32)?;
        let is_joliet = [b"%/@", b"%/C", b"%/E"].iter().any(|set| escape.starts_with(&set[..]));
        cursor.take(8)?; // set size, number
        let block = u64::from(cursor.u16_le()?);
        let block = if block.is_power_of_two() { block } else { SECTOR };
        cursor.take(26)?; // rest of the block size, path tables
        let root = Entry::read(cursor.take(34)?)?;
        Ok(Self { root: root.place, is_joliet, block })
    }
}

/// A directory record (9.1).
struct Entry<'a> {
    /// Its first block, and its length in bytes.
    place: (u32, u32),
    flags: u8,
    field: &'a [u8],
    system_use: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(record: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(record, 2)?;
        let start = cursor.u32_le()?;
        cursor.take(4)?;
        let size = cursor.u32_le()?;
        cursor.take(11)?; // big-endian size, time
        let flags = cursor.u8()?;
        cursor.take(6)?;
        let length = cursor.u8()?;
        let field = cursor.take_up_to(length.into());
        cursor.take_up_to(u64::from(length & 1 ^ 1)); // padding to an even place
        Ok(Self { place: (start, size), flags, field, system_use: cursor.rest() })
    }

    /// The long name if there is one.
    fn name(&self, volume: &Volume, bytes: &[u8]) -> Vec<u8> {
        if volume.is_joliet {
            return utf16_be(self.field).into_bytes();
        }
        let long = rock_ridge(self.system_use, volume.block, bytes);
        if !long.is_empty() {
            return long;
        }
        let name = self.field.split(|byte| *byte == b';').next().unwrap_or(self.field);
        name.strip_suffix(b".").unwrap_or(name).to_vec()
    }
}

/// The records of a folder but those for itself and its parent. None crosses a sector.
fn entries(folder: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    folder.chunks(2048).flat_map(|sector| {
        let mut rest = sector;
        std::iter::from_fn(move || {
            loop {
                let length = usize::from(*rest.first()?);
                let (record, behind) = rest.split_at_checked(length).filter(|_| length > 33)?;
                rest = behind;
                let entry = Entry::read(record).ok()?;
                if !matches!(entry.field, [0] | [1]) {
                    return Some(entry);
                }
            }
        })
    })
}

/// The pieces of the name in `NM` entries (RRIP 4.1.4), also where `CE` continues the area.
fn rock_ridge(area: &[u8], block: u64, bytes: &[u8]) -> Vec<u8> {
    let mut name = Vec::new();
    let mut rest = area;
    for _ in 0..MAX_SYSTEM_USE {
        let Some(([first, second, length, _], _)) = rest.split_first_chunk() else { break };
        let Some((entry, behind)) = rest.split_at_checked(usize::from(*length).max(4)) else {
            break;
        };
        rest = behind;
        match [*first, *second] {
            [b'N', b'M'] => name.extend_from_slice(entry.get(5..).unwrap_or_default()),
            [b'C', b'E'] => rest = continuation(entry, block, bytes).unwrap_or_default(),
            _ => {}
        }
    }
    name
}

fn continuation<'a>(entry: &[u8], block: u64, bytes: &'a [u8]) -> Result<&'a [u8], Truncated> {
    let cursor = &mut Cursor::at(entry, 4)?;
    let start = u64::from(cursor.u32_le()?).saturating_mul(block);
    cursor.take(4)?;
    let offset = u64::from(cursor.u32_le()?);
    cursor.take(4)?;
    let length = u64::from(cursor.u32_le()?);
    Ok(Cursor::at(bytes, start.saturating_add(offset))?.take_up_to(length))
}

const SECTOR: u64 = 2048;
const MAX_DESCRIPTORS: u64 = 64;
const MAX_SYSTEM_USE: usize = 64;
const FOLDER: u8 = 0x02;
const CONTINUES: u8 = 0x80;

static FORMAT: Format = Format {
    name: "iso9660",
    about: "ISO 9660 disc image, with Joliet and Rock Ridge",
    extensions: &["iso", "img"],
    magic: &[Magic::at(0x8001, b"CD001")],
    specification: &["ECMA-119", "Joliet Specification 1995", "IEEE P1282 (Rock Ridge)", "zisofs"],
    limitations: &["raw images with sectors of 2352 bytes", "interleaved files", "boot images"],
};
