//! The master file table of NTFS: records by their number, and the names of folders.

use std::collections::HashMap;

use super::record::{self, Body, Record, Stretch, runs};
use crate::cursor::{Cursor, Truncated};
use crate::decode::Run;
use crate::verdict::Reason;

pub(super) struct Table<'a> {
    pub(super) image: &'a [u8],
    /// Bytes in a cluster.
    pub(super) cluster: u64,
    /// Bytes in a record.
    record: u64,
    /// Where the table lies: the offset of each run in it, and the run.
    runs: Vec<(u64, Run)>,
    /// Bytes in it, as far as its runs are known.
    length: u64,
    broken: Option<Reason>,
}

impl<'a> Table<'a> {
    /// Reads the boot sector, and the record with which the table describes itself.
    pub(super) fn open(image: &'a [u8]) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(image, 11)?;
        let sector = u64::from(cursor.u16_le()?);
        let sectors = cursor.u8()?;
        let places = &mut Cursor::at(image, 48)?;
        let (first, copy) = (places.u64_le()?, places.u64_le()?);
        let size = places.u8()?;
        let cluster = sector.saturating_mul(units(sectors)?);
        let record = if size < 0x80 { cluster.saturating_mul(size.into()) } else { units(size)? };
        if !(256..=4096).contains(&sector)
            || !cluster.is_power_of_two()
            || cluster > MOST_CLUSTER
            || !(512..=MOST_RECORD).contains(&record)
            || !record.is_power_of_two()
        {
            return Err(Reason::corrupt("boot sector"));
        }
        let mut table = Self { image, cluster, record, runs: vec![], length: 0, broken: None };
        let outcome = table.describe(first);
        if outcome.is_err() && table.describe(copy).is_err() {
            return outcome.map(|()| table);
        }
        table.broken = outcome.err();
        Ok(table)
    }

    /// Why the table is not what it should be.
    pub(super) fn outcome(self) -> Result<(), Reason> {
        self.broken.map_or(Ok(()), Err)
    }

    /// Takes the runs of the table from its first record, at a cluster.
    fn describe(&mut self, cluster: u64) -> Result<(), Reason> {
        let at = cluster.saturating_mul(self.cluster);
        let bytes = Cursor::at(self.image, at)?.take(length(self.record)?)?;
        let record = Record::read(bytes)?.ok_or(Reason::corrupt("master file table"))?;
        self.extend(&record);
        if self.length == 0 { Err(Reason::corrupt("master file table")) } else { Ok(()) }
    }

    /// Adds the runs of the table that a record names.
    fn extend(&mut self, record: &Record) {
        for attribute in record.attributes().flatten() {
            if attribute.kind != record::DATA || !attribute.name.is_empty() {
                continue;
            }
            let Body::Outside(stretch) = attribute.body else { continue };
            if stretch.first.saturating_mul(self.cluster) == self.length {
                self.add(stretch);
            }
        }
    }

    fn add(&mut self, stretch: Stretch<'_>) {
        for run in runs(&[stretch], self.cluster) {
            let fits = |run: &Run| self.length.saturating_add(run.length()) <= self.most();
            match run {
                Ok(run) if fits(&run) => {
                    self.runs.push((self.length, run));
                    self.length = self.length.saturating_add(run.length());
                }
                Ok(_) => self.broken = Some(Reason::corrupt("master file table")),
                Err(reason) => self.broken = Some(reason),
            }
        }
    }

    /// No table is longer than the disk; a short image may hold the beginning of one.
    fn most(&self) -> u64 {
        self.image.len() as u64
    }

    /// Whether the table has a record of that number.
    pub(super) fn has(&self, number: u64) -> bool {
        number < self.count()
    }

    /// How many records there are, as far as the runs are known.
    pub(super) fn count(&self) -> u64 {
        self.length.checked_div(self.record).unwrap_or(0)
    }

    /// What it may cost to keep the names of all folders.
    pub(super) fn most_names_cost(&self) -> u64 {
        self.most().checked_div(self.record).unwrap_or(0).saturating_mul(16)
    }

    /// The record of that number; `None` if none was ever written there.
    pub(super) fn record(&self, number: u64) -> Result<Option<Record>, Reason> {
        let mut at = number.saturating_mul(self.record);
        let mut bytes = Vec::new();
        let mut missing = self.record;
        while missing > 0 {
            let index = self.runs.partition_point(|(start, _)| *start <= at).checked_sub(1);
            let found = index.and_then(|index| self.runs.get(index)).ok_or(Truncated)?;
            let run = found.1.behind(at.saturating_sub(found.0)).up_to(missing);
            let Run::Stored { at: place, length: count @ 1.. } = run else {
                return Err(Reason::corrupt("master file table"));
            };
            bytes.extend_from_slice(Cursor::at(self.image, place)?.take(length(count)?)?);
            at = at.saturating_add(count);
            missing = missing.saturating_sub(count);
        }
        Record::read(&bytes)
    }

    /// Remembers what others need to know of a record.
    pub(super) fn note(&mut self, number: u64, record: &Record, names: &mut Names) {
        if !record.is_in_use() {
            return;
        }
        if let Some(base) = record.base() {
            names.extensions.entry(base).or_default().push(number);
            if base == TABLE {
                self.extend(record);
            }
            return;
        }
        if record.is_folder() {
            names.folders.extend(record.name().map(|name| (number, name)));
        }
    }
}

/// What is known of the records beyond each by itself.
#[derive(Default)]
pub(super) struct Names {
    /// The parent and the name of each folder.
    folders: HashMap<u64, (u64, Vec<u8>)>,
    /// The further records of a file.
    extensions: HashMap<u64, Vec<u64>>,
}

impl Names {
    pub(super) fn extensions(&self, number: u64) -> impl Iterator<Item = u64> {
        self.extensions.get(&number).into_iter().flatten().copied()
    }

    /// The way to a folder from the root.
    pub(super) fn path(&self, number: u64) -> Option<Vec<u8>> {
        let (parent, name) = self.folders.get(&number)?;
        Some(self.join(*parent, name))
    }

    /// The way to a file in the folder `parent`, at most so many folders of it.
    pub(super) fn join(&self, parent: u64, name: &[u8]) -> Vec<u8> {
        let mut names = vec![name];
        let mut number = parent;
        while names.len() < MOST_NAMES && number != ROOT {
            let Some((parent, name)) = self.folders.get(&number) else { break };
            names.push(name);
            number = *parent;
        }
        names.reverse();
        names.join(&b'/')
    }
}

/// A count, or the exponent of one.
fn units(field: u8) -> Result<u64, Reason> {
    let exponent = u32::from(field.wrapping_neg());
    match field {
        0..=0x80 => Ok(field.into()),
        _ => 1_u64.checked_shl(exponent).ok_or(Reason::corrupt("boot sector")),
    }
}

fn length(bytes: u64) -> Result<usize, Truncated> {
    usize::try_from(bytes).map_err(|_| Truncated)
}

const MOST_CLUSTER: u64 = 2 << 20;
const MOST_NAMES: usize = 64;
const MOST_RECORD: u64 = 64 << 10;
const ROOT: u64 = 5;
const TABLE: u64 = 0;
