//! FAT12, FAT16 and FAT32 with long names, as in Microsoft's fatgen103.

mod entry;

use self::entry::{ENTRY, Entries, Entry};
use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Clusters, Run, Walk, Way, Width, offer_runs};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Fat;

impl Unpacker for Fat {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// There is no magic; what an operating system needs in order to mount it must be there.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        Header::read(subject.bytes()).is_ok_and(|header| header.is_sound())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let header = Header::read(subject.bytes())?;
        for table in header.tables_in_use() {
            let volume = Volume::new(subject.bytes(), &header, table)?;
            volume.walk(children)?;
        }
        Ok(())
    }
}

/// The parameters in the first sector.
struct Header {
    sector: u64,
    cluster_sectors: u64,
    reserved: u64,
    tables: u64,
    root_entries: u64,
    sectors: u64,
    media: u8,
    table_sectors: u64,
    /// What only FAT32 has: flags, and the cluster of the root.
    wide: Option<(u16, u64)>,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(bytes, 11)?;
        let sector = u64::from(cursor.u16_le()?);
        let cluster_sectors = u64::from(cursor.u8()?);
        let reserved = u64::from(cursor.u16_le()?);
        let tables = u64::from(cursor.u8()?);
        let root_entries = u64::from(cursor.u16_le()?);
        let few_sectors = u64::from(cursor.u16_le()?);
        let media = cursor.u8()?;
        let narrow = u64::from(cursor.u16_le()?);
        cursor.take(8)?; // geometry, sectors before
        let many_sectors = u64::from(cursor.u32_le()?);
        let wide_sectors = u64::from(cursor.u32_le()?);
        let flags = cursor.u16_le()?;
        cursor.take(2)?; // version
        let root = u64::from(cursor.u32_le()?);
        let is_wide = narrow == 0;
        Ok(Self {
            sector,
            cluster_sectors,
            reserved,
            tables,
            root_entries,
            sectors: if few_sectors > 0 { few_sectors } else { many_sectors },
            media,
            table_sectors: if is_wide { wide_sectors } else { narrow },
            wide: is_wide.then_some((flags, root)),
        })
    }

    fn is_sound(&self) -> bool {
        matches!(self.sector, 512 | 1024 | 2048 | 4096)
            && self.cluster_sectors.is_power_of_two()
            && self.reserved > 0
            && (1..=4).contains(&self.tables)
            && (self.media == 0xf0 || self.media >= 0xf8)
            && self.table_sectors > 0
            && self.sectors > self.data_sector()
    }

    fn root_sector(&self) -> u64 {
        self.reserved.saturating_add(self.tables.saturating_mul(self.table_sectors))
    }

    fn data_sector(&self) -> u64 {
        let root = self.root_entries.saturating_mul(ENTRY).div_ceil(self.sector.max(1));
        self.root_sector().saturating_add(root)
    }

    /// The first table, and the one that FAT32 may name instead; systems differ in whether they
    /// look at that.
    fn tables_in_use(&self) -> impl Iterator<Item = u64> {
        let flags = self.wide.map_or(0, |(flags, _)| flags);
        let active = u64::from(flags & 0x0f);
        let active = (flags & 0x80 != 0 && (1..self.tables).contains(&active)).then_some(active);
        std::iter::once(0).chain(active)
    }
}

/// A folder: the root of FAT12 and FAT16 has a place of its own.
#[derive(Clone, Copy)]
enum Folder {
    Chain(u64),
    Root(Run),
}

struct Volume<'a> {
    clusters: Clusters<'a>,
    root: Folder,
}

impl<'a> Volume<'a> {
    fn new(image: &'a [u8], header: &Header, table: u64) -> Result<Self, Reason> {
        let sector = header.sector;
        let count = header.sectors.saturating_sub(header.data_sector());
        let count = count.checked_div(header.cluster_sectors).unwrap_or(0);
        let length = header.table_sectors.saturating_mul(sector);
        let table_at = header.reserved.saturating_mul(sector);
        let table_at = table_at.saturating_add(table.saturating_mul(length));
        let width = match header.wide {
            Some(_) => Width::Bits28,
            None if count > MOST_12 => Width::Bits16,
            None => Width::Bits12,
        };
        let root_at = header.root_sector().saturating_mul(sector);
        let root_length = header.root_entries.saturating_mul(ENTRY);
        let clusters = Clusters {
            image,
            table: Cursor::at(image, table_at)?.take_up_to(length),
            width,
            at: header.data_sector().saturating_mul(sector),
            size: header.cluster_sectors.saturating_mul(sector),
            count,
        };
        let root = match header.wide {
            Some((_, cluster)) => Folder::Chain(cluster),
            None => Folder::Root(Run::Stored { at: root_at, length: root_length }),
        };
        Ok(Self { clusters, root })
    }

    /// Walks the folders. What breaks one is said, and the others are walked all the same.
    fn walk(&self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let id = if let Folder::Chain(cluster) = self.root { cluster } else { 0 };
        let mut walk = Walk::new(self.clusters.image.len() as u64, id, self.root);
        while let Some((folder, way)) = walk.next() {
            match self.folder(folder, &way, &mut walk, children) {
                Err(UnpackError::Reason(reason)) => children.not_scanned(reason),
                other => other?,
            }
        }
        Ok(())
    }

    /// Reads all of a folder: not every system takes an unused entry for its end.
    fn folder(
        &self,
        folder: Folder,
        way: &Way,
        walk: &mut Walk<Folder>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut entries = Entries { is_wide: self.clusters.width == Width::Bits28, long: vec![] };
        for run in self.runs(folder) {
            let run = run?;
            let bytes = self.clusters.bytes(run);
            walk.take(bytes.len() as u64)?;
            for record in bytes.as_chunks().0 {
                if let Some(entry) = entries.read(record) {
                    self.entry(&entry, way, walk, children)?;
                }
            }
            if (bytes.len() as u64) < run.length() {
                return Err(Reason::Truncated.into());
            }
        }
        Ok(())
    }

    fn runs(&self, folder: Folder) -> impl Iterator<Item = Result<Run, Reason>> {
        let (root, chain) = match folder {
            Folder::Root(run) => (Some(Ok(run)), None),
            Folder::Chain(first) => (None, Some(self.clusters.chain(first))),
        };
        root.into_iter().chain(chain.into_iter().flatten())
    }

    fn entry(
        &self,
        entry: &Entry,
        way: &Way,
        walk: &mut Walk<Folder>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        if entry.is_folder {
            walk.add(entry.first, Folder::Chain(entry.first), way, &entry.name);
            return Ok(());
        }
        let runs = self.clusters.chain(entry.first);
        let member = Member { size: Some(entry.size), ..Member::named(way.to(&entry.name)) };
        Ok(offer_runs(self.clusters.image, runs, entry.size, member, children)?)
    }
}

/// The most clusters that have entries of 12 bits.
const MOST_12: u64 = 4084;

static FORMAT: Format = Format {
    name: "fat",
    about: "FAT12, FAT16 or FAT32 file system",
    extensions: &["img", "ima", "flp", "vfd"],
    magic: &[],
    specification: &["Microsoft, FAT: General Overview of On-Disk Format 1.03", "ECMA-107"],
    limitations: &["floppies without parameters in the first sector (DOS 1)", "deleted files"],
};
