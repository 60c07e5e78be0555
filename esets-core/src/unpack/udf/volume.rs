//! The descriptors of a UDF volume, and where the blocks of its partitions are.

use super::entry::Entry;
use crate::cursor::{Chain, Cursor};
use crate::decode::{Extents, Run, extents, head};
use crate::verdict::Reason;

/// A block of a partition, by the number that the volume gives it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address {
    pub(super) block: u32,
    pub(super) partition: u16,
}

impl Address {
    /// The block and the partition of a long allocation descriptor (4/14.14.2), behind its length.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Reason> {
        Ok(Self { block: cursor.u32_le()?, partition: cursor.u16_le()? })
    }

    pub(super) fn key(self) -> u64 {
        u64::from(self.partition) << 32 | u64::from(self.block)
    }
}

pub(super) struct Volume<'a> {
    pub(super) image: &'a [u8],
    /// Bytes in a block.
    pub(super) block: u64,
    partitions: Vec<Partition>,
    /// The first set of files.
    set: Address,
}

/// A partition: its first block, and how its blocks are found.
struct Partition {
    start: u64,
    kind: Kind,
}

enum Kind {
    /// In a file, as the runs of it say.
    Metadata(Vec<(u64, Run)>),
    Plain,
    /// Packets of so many blocks, some of which lie elsewhere.
    Sparable(u64, Vec<(u64, u64)>),
    /// By a table, at the end of a disc that is written once.
    Virtual(Vec<u32>),
}

impl<'a> Volume<'a> {
    /// Finds the anchor, for any size of sectors, and reads the descriptors that it names.
    pub(super) fn open(image: &'a [u8]) -> Result<Self, Reason> {
        let mut outcome = Err(Reason::corrupt("anchor"));
        for sector in [2048, 512, 1024, 4096] {
            let count = (image.len() as u64).checked_div(sector).unwrap_or(0);
            for place in [256, count.saturating_sub(1), count.saturating_sub(257), 512] {
                let at = place.saturating_mul(sector);
                if tag(image, at).is_ok_and(|kind| kind == ANCHOR) {
                    outcome = Self::read(image, sector, at);
                    if outcome.is_ok() {
                        return outcome;
                    }
                }
            }
        }
        outcome
    }

    /// Reads the sequence of descriptors, or its copy if that is broken.
    fn read(image: &'a [u8], sector: u64, anchor: u64) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(image, anchor.saturating_add(16))?;
        let mut sequence = || -> Result<_, Reason> {
            Ok((u64::from(cursor.u32_le()?), u64::from(cursor.u32_le()?)))
        };
        let (first, copy) = (sequence()?, sequence()?);
        Self::from_sequence(image, sector, first)
            .or_else(|reason| Self::from_sequence(image, sector, copy).map_err(|_| reason))
    }

    fn from_sequence(
        image: &'a [u8],
        sector: u64,
        (length, start): (u64, u64),
    ) -> Result<Self, Reason> {
        let mut starts = Vec::new();
        let mut logical = None;
        for index in 0..length.checked_div(sector).unwrap_or(0).min(MOST_DESCRIPTORS) {
            let at = start.saturating_add(index).saturating_mul(sector);
            let Ok(kind) = tag(image, at) else { continue };
            let field = |offset: u64| Cursor::at(image, at.saturating_add(offset));
            match kind {
                PARTITION => {
                    let number = field(22)?.u16_le()?;
                    starts.push((number, u64::from(field(188)?.u32_le()?)));
                }
                LOGICAL_VOLUME => logical = Some(at),
                TERMINATOR => break,
                _ => {}
            }
        }
        let logical = logical.ok_or(Reason::corrupt("logical volume descriptor"))?;
        Self::logical(image, logical, &starts)
    }

    /// Reads the logical volume descriptor (3/10.6) and the maps of partitions in it.
    fn logical(image: &'a [u8], at: u64, starts: &[(u16, u64)]) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(image, at.saturating_add(212))?;
        let block = u64::from(cursor.u32_le()?);
        if !block.is_power_of_two() || !(512..=32768).contains(&block) {
            return Err(Reason::corrupt("size of a block"));
        }
        cursor.take(36)?; // domain, length of the first set
        let set = Address::read(cursor)?;
        cursor.take(10)?; // the rest of it, length of the maps
        let count = cursor.u32_le()?.min(MOST_PARTITIONS);
        let maps = &mut Cursor::at(image, at.saturating_add(440))?;
        let mut volume = Self { image, block, partitions: Vec::new(), set };
        for _ in 0..count {
            let length = usize::from(*maps.clone().take(2)?.last().unwrap_or(&0));
            let partition = volume.partition(maps.take(length)?, starts)?;
            volume.partitions.push(partition);
        }
        Ok(volume)
    }

    fn partition(&self, map: &[u8], starts: &[(u16, u64)]) -> Result<Partition, Reason> {
        let is_plain = map.first() == Some(&1);
        let number = Cursor::at(map, if is_plain { 4 } else { 38 })?.u16_le()?;
        let start = starts.iter().find(|(known, _)| *known == number).map(|(_, start)| *start);
        let start = start.ok_or(Reason::corrupt("map of partitions"))?;
        let plain = Partition { start, kind: Kind::Plain };
        let name = Cursor::at(map, 5)?.take_up_to(23);
        let kind = if is_plain {
            Kind::Plain
        } else if name.starts_with(b"*UDF Virtual Partition") {
            self.virtual_table(plain)?
        } else if name.starts_with(b"*UDF Sparable Partition") {
            self.sparing_table(map)?
        } else if name.starts_with(b"*UDF Metadata Partition") {
            self.metadata(map, plain)?
        } else {
            return Err(Reason::unsupported("kind of partition"));
        };
        Ok(Partition { start, kind })
    }

    /// A volume that is like this one but for its only partition.
    fn with(&self, partition: Partition) -> Self {
        Self { image: self.image, block: self.block, partitions: vec![partition], set: self.set }
    }

    /// The table that is the last file on the disc (UDF 2.2.11).
    fn virtual_table(&self, plain: Partition) -> Result<Kind, Reason> {
        let start = plain.start;
        let volume = self.with(plain);
        let count = (self.image.len() as u64).checked_div(self.block).unwrap_or(0);
        let last = (1..=MOST_BEHIND).filter_map(|back| {
            let block = count.checked_sub(back)?.checked_sub(start)?;
            let block = u32::try_from(block).ok()?;
            volume.entry(Address { block, partition: 0 }).ok().filter(Entry::is_virtual_table)
        });
        let entry = last.into_iter().next().ok_or(Reason::corrupt("virtual allocation table"))?;
        let content = volume.content(&entry);
        let words = if entry.is_old_table() {
            content.get(..content.len().saturating_sub(36)).unwrap_or_default()
        } else {
            let header = usize::from(Cursor::new(&content).u16_le()?);
            content.get(header..).unwrap_or_default()
        };
        let words = words.as_chunks().0;
        Ok(Kind::Virtual(words.iter().map(|word| u32::from_le_bytes(*word)).collect()))
    }

    /// Where packets are that could not be written in their place (UDF 2.2.12).
    fn sparing_table(&self, map: &[u8]) -> Result<Kind, Reason> {
        let cursor = &mut Cursor::at(map, 40)?;
        let packet = u64::from(cursor.u16_le()?).max(1);
        cursor.take(6)?; // number and size of the tables
        let at = u64::from(cursor.u32_le()?).saturating_mul(self.block);
        let count = Cursor::at(self.image, at.saturating_add(48))?.u16_le()?;
        let entries = &mut Cursor::at(self.image, at.saturating_add(56))?;
        let mut packets = Vec::new();
        for _ in 0..count {
            let (from, to) = (entries.u32_le()?, entries.u32_le()?);
            packets.push((u64::from(from), u64::from(to)));
        }
        packets.sort_unstable();
        Ok(Kind::Sparable(packet, packets))
    }

    /// The file in which a metadata partition lies, or its mirror (UDF 2.2.13).
    fn metadata(&self, map: &[u8], plain: Partition) -> Result<Kind, Reason> {
        let volume = self.with(plain);
        let cursor = &mut Cursor::at(map, 40)?;
        let places = [cursor.u32_le()?, cursor.u32_le()?];
        let entries = places.iter().map(|block| Address { block: *block, partition: 0 });
        let entry = entries.filter_map(|address| volume.entry(address).ok()).next();
        let entry = entry.ok_or(Reason::corrupt("metadata file"))?;
        let mut offset = 0_u64;
        let mut runs = Vec::new();
        for run in volume.data(&entry) {
            let run = run?;
            runs.push((offset, run));
            offset = offset.saturating_add(run.length());
        }
        Ok(Kind::Metadata(runs))
    }

    /// The roots of all sets of files (4/14.1), and of the streams that belong to all of a set.
    pub(super) fn sets(&self) -> Result<Vec<Address>, Reason> {
        let mut roots = Vec::new();
        let mut chain = Chain::default();
        let mut next = Some(self.set);
        while let Some(address) = next.take().filter(|address| chain.step(address.key())) {
            let at = self.place(address)?;
            if tag(self.image, at)? != FILE_SET {
                return Err(Reason::corrupt("set of files"));
            }
            let field = |offset| -> Result<_, Reason> {
                let cursor = &mut Cursor::at(self.image, at.saturating_add(offset))?;
                let length = cursor.u32_le()?;
                Ok(Some(Address::read(cursor)?).filter(|_| length > 0))
            };
            roots.extend(field(400)?);
            roots.extend(field(464)?);
            next = field(448)?;
        }
        Ok(roots)
    }

    /// Where a block is in the image.
    pub(super) fn place(&self, address: Address) -> Result<u64, Reason> {
        let outside = Reason::corrupt("number of a block");
        let partition =
            self.partitions.get(usize::from(address.partition)).ok_or(outside.clone())?;
        let block = u64::from(address.block);
        let inside = match &partition.kind {
            Kind::Plain => block,
            Kind::Virtual(table) => {
                let index = usize::try_from(block).unwrap_or(usize::MAX);
                u64::from(*table.get(index).ok_or(outside)?)
            }
            Kind::Sparable(packet, packets) => {
                let within = block.checked_rem(*packet).unwrap_or(0);
                let first = block.saturating_sub(within);
                match packets.binary_search_by_key(&first, |(from, _)| *from) {
                    Ok(index) => {
                        let to = packets.get(index).map_or(0, |(_, to)| *to);
                        return Ok(to.saturating_add(within).saturating_mul(self.block));
                    }
                    Err(_) => block,
                }
            }
            Kind::Metadata(runs) => {
                let at = block.saturating_mul(self.block);
                let index = runs.partition_point(|(start, _)| *start <= at).checked_sub(1);
                let (start, run) =
                    *index.and_then(|index| runs.get(index)).ok_or(outside.clone())?;
                return match run.behind(at.saturating_sub(start)) {
                    Run::Stored { at, length: 1.. } => Ok(at),
                    _ => Err(outside),
                };
            }
        };
        Ok(partition.start.saturating_add(inside).saturating_mul(self.block))
    }

    /// How many bytes of a partition surely lie one behind the other.
    pub(super) fn step(&self, partition: u16) -> u64 {
        let partition = self.partitions.get(usize::from(partition));
        let is_plain = partition.is_some_and(|partition| matches!(partition.kind, Kind::Plain));
        if is_plain { MOST_EXTENT } else { self.block }
    }

    /// All of a small file of the file system itself.
    fn content(&self, entry: &Entry<'_>) -> Vec<u8> {
        let limit = usize::try_from(entry.size).unwrap_or(usize::MAX).min(self.image.len());
        head(&mut Extents::new(extents(self.image, self.data(entry), entry.size)), limit)
    }
}

/// The kind of the descriptor at an offset (3/7.2), if its tag adds up.
pub(super) fn tag(image: &[u8], at: u64) -> Result<u16, Reason> {
    let tag: [u8; 16] = Cursor::at(image, at)?.array()?;
    let [low, high, _, _, stated, ..] = tag;
    let sum = tag.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)).wrapping_sub(stated);
    if sum == stated { Ok(u16::from_le_bytes([low, high])) } else { Err(Reason::corrupt("tag")) }
}

const ANCHOR: u16 = 2;
const FILE_SET: u16 = 256;
const LOGICAL_VOLUME: u16 = 6;
const MOST_BEHIND: u64 = 160;
const MOST_DESCRIPTORS: u64 = 256;
const MOST_EXTENT: u64 = 1 << 30;
const MOST_PARTITIONS: u32 = 16;
const PARTITION: u16 = 5;
const TERMINATOR: u16 = 8;
