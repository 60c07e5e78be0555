//! exFAT, as in Microsoft's exFAT File System Specification.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Clusters, Run, Walk, Way, Width, offer_runs, utf16_le, written};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct ExFat;

impl Unpacker for ExFat {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let volume = Volume::read(subject.bytes())?;
        let root = Place { first: volume.root, size: u64::MAX, is_chain: true };
        let mut walk = Walk::new(subject.bytes().len() as u64, root.first, root);
        while let Some((folder, way)) = walk.next() {
            match volume.folder(folder, &way, &mut walk, children) {
                Err(UnpackError::Reason(reason)) => children.not_scanned(reason),
                other => other?,
            }
        }
        Ok(())
    }
}

struct Volume<'a> {
    clusters: Clusters<'a>,
    /// The first cluster of the root.
    root: u64,
}

impl<'a> Volume<'a> {
    /// Reads the boot sector (section 3.1).
    fn read(image: &'a [u8]) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(image, 80)?;
        let table_sector = u64::from(cursor.u32_le()?);
        let table_sectors = u64::from(cursor.u32_le()?);
        let heap_sector = u64::from(cursor.u32_le()?);
        let count = u64::from(cursor.u32_le()?);
        let root = u64::from(cursor.u32_le()?);
        cursor.take(6)?; // serial number, revision
        let is_second = cursor.u16_le()? & ACTIVE_TABLE != 0;
        let sector_shift = u32::from(cursor.u8()?);
        let cluster_shift = u32::from(cursor.u8()?);
        if !(9..=12).contains(&sector_shift) || sector_shift.saturating_add(cluster_shift) > 25 {
            return Err(Reason::corrupt("boot sector"));
        }
        let sector = 1_u64 << sector_shift;
        let table_sector =
            if is_second { table_sector.saturating_add(table_sectors) } else { table_sector };
        let table = Cursor::at(image, table_sector.saturating_mul(sector))?
            .take_up_to(table_sectors.saturating_mul(sector));
        let at = heap_sector.saturating_mul(sector);
        let size = sector << cluster_shift;
        Ok(Self {
            clusters: Clusters { image, table, width: Width::Bits32, at, size, count },
            root,
        })
    }

    /// Reads a folder up to its end, which an entry of zeros marks.
    fn folder(
        &self,
        folder: Place,
        way: &Way,
        walk: &mut Walk<Place>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut set = Set::default();
        let mut left = folder.size;
        for run in self.runs(folder) {
            let run = run?;
            let bytes = self.clusters.bytes(run);
            walk.take(bytes.len() as u64)?;
            for record in bytes.as_chunks::<32>().0 {
                if record.first() == Some(&0) {
                    return Ok(());
                }
                if let Some(entry) = set.read(record) {
                    self.entry(&entry, way, walk, children)?;
                }
            }
            if (bytes.len() as u64) < run.length() {
                return Err(Reason::Truncated.into());
            }
            left = left.saturating_sub(run.length());
            if left == 0 {
                break;
            }
        }
        Ok(())
    }

    fn runs(&self, place: Place) -> impl Iterator<Item = Result<Run, Reason>> + use<'a> {
        let clusters = self.clusters;
        let chain = place.is_chain.then(|| clusters.chain(place.first));
        let stretch = (!place.is_chain).then(|| clusters.stretch(place.first, place.size));
        chain.into_iter().flatten().chain(stretch)
    }

    fn entry(
        &self,
        entry: &Entry,
        way: &Way,
        walk: &mut Walk<Place>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        if entry.is_folder {
            walk.add(entry.place.first, entry.place, way, &entry.name);
            return Ok(());
        }
        let size = entry.place.size;
        let runs = written(self.runs(entry.place), entry.written.min(size));
        let member = Member { size: Some(size), ..Member::named(way.to(&entry.name)) };
        Ok(offer_runs(self.clusters.image, runs, size, member, children)?)
    }
}

/// Where a file or folder lies: in a chain of clusters, or in clusters one behind the other.
#[derive(Clone, Copy, Default)]
struct Place {
    first: u64,
    size: u64,
    is_chain: bool,
}

struct Entry {
    name: Vec<u8>,
    is_folder: bool,
    place: Place,
    /// How much of it was written.
    written: u64,
}

/// The entries that together are one file (section 7.4 to 7.7), as far as they were met.
#[derive(Default)]
struct Set {
    is_folder: bool,
    stream: Option<(Place, u64)>,
    name: Vec<u8>,
    /// How many entries of the name are still to come.
    missing: u8,
}

impl Set {
    /// The file that this record completes.
    fn read(&mut self, record: &[u8; 32]) -> Option<Entry> {
        let kind = *record.first()?;
        match kind {
            FILE => *self = Self { is_folder: record.get(4)? & FOLDER != 0, ..Self::default() },
            STREAM => {
                self.missing = record.get(3)?.div_ceil(15);
                self.stream = stream(record).ok();
            }
            NAME if self.missing > 0 => {
                self.name.extend_from_slice(record.get(2..)?);
                self.missing = self.missing.saturating_sub(1);
                if self.missing == 0 {
                    return std::mem::take(self).entry();
                }
            }
            _ => {}
        }
        None
    }

    fn entry(self) -> Option<Entry> {
        let (place, written) = self.stream?;
        let name = utf16_le(&self.name);
        let name = name.trim_end_matches('\0').as_bytes().to_vec();
        Some(Entry { name, is_folder: self.is_folder, place, written })
    }
}

/// Where the file lies, and how much of it was written.
fn stream(record: &[u8]) -> Result<(Place, u64), Truncated> {
    let cursor = &mut Cursor::at(record, 1)?;
    let is_chain = cursor.u8()? & NO_CHAIN == 0;
    cursor.take(6)?; // length and hash of the name
    let written = cursor.u64_le()?;
    cursor.take(4)?;
    let first = u64::from(cursor.u32_le()?);
    Ok((Place { first, size: cursor.u64_le()?, is_chain }, written))
}

const ACTIVE_TABLE: u16 = 1;
const FILE: u8 = 0x85;
const FOLDER: u8 = 0x10;
const NAME: u8 = 0xc1;
const NO_CHAIN: u8 = 2;
const STREAM: u8 = 0xc0;

static FORMAT: Format = Format {
    name: "exfat",
    about: "exFAT file system",
    extensions: &["img"],
    magic: &[Magic::at(3, b"EXFAT   ")],
    specification: &["Microsoft, exFAT File System Specification 1.00"],
    limitations: &["deleted files"],
};
