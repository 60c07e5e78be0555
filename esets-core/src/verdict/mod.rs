//! What a scan found: a tree of records, and the rule that the worst of them wins.

mod bytes;
mod detection;
mod print;
mod reason;

use std::borrow::Cow;
use std::iter;

use serde::{Deserialize, Serialize};

pub use detection::{Class, Detection, Source};
pub use print::Printable;
pub use reason::{Limit, Reason};

/// A text that is nearly always a literal.
pub type Text = Cow<'static, str>;

/// How an object ended; the worst of a tree is the status of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// All of it was looked at, and nothing was found.
    Clean,
    /// Nothing was found, but part of it was not looked at.
    NotScanned,
    /// Something was found.
    Infected,
}

/// The place of a [`Record`] in its [`Verdict`], from 0 (the scanned object).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(pub(crate) u32);

impl ObjectId {
    /// The scanned object itself.
    pub const ROOT: Self = Self(0);

    pub(crate) fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The position in [`Verdict::records`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// One object met by a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The container, `None` for the scanned object.
    pub parent: Option<ObjectId>,
    /// The position in the container as its format counts, from 0, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The name as raw bytes; a string in JSON if it is UTF-8, else an array of numbers.
    #[serde(with = "bytes")]
    pub name: Vec<u8>,
    /// The names of all formats that recognised the object.
    pub formats: Vec<Text>,
    /// The size in bytes, as far as it was unpacked.
    pub size: u64,
    /// What was found in the object's own bytes and name.
    pub detections: Vec<Detection>,
    /// Why part of the object was not looked at.
    pub not_scanned: Vec<Reason>,
    /// Breaches of the format that leave more than one reading; every reading was scanned.
    pub defects: Vec<Text>,
}

impl Record {
    /// The status of this object alone.
    #[must_use]
    pub fn status(&self) -> Status {
        if !self.detections.is_empty() {
            Status::Infected
        } else if !self.not_scanned.is_empty() {
            Status::NotScanned
        } else {
            Status::Clean
        }
    }

    /// Adds a reason once.
    pub(crate) fn add_reason(&mut self, reason: Reason) {
        if !self.not_scanned.contains(&reason) {
            self.not_scanned.push(reason);
        }
    }
}

/// What a scan found. It owns all it says and goes through serde both ways.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub(crate) records: Vec<Record>,
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

impl Verdict {
    /// A verdict on an object that could not even be opened.
    #[must_use]
    pub fn not_scanned<N: Into<Vec<u8>>>(name: N, reason: Reason) -> Self {
        let record = Record { name: name.into(), not_scanned: vec![reason], ..Record::default() };
        Self { records: vec![record], objects: 1, bytes: 0 }
    }

    /// The same verdict for a caller who could hand over only a part of the object.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        if let Some(root) = self.records.first_mut() {
            root.add_reason(reason);
        }
        self
    }

    /// The same verdict on an object that the caller knows by another name.
    #[must_use]
    pub fn renamed<N: Into<Vec<u8>>>(mut self, name: N) -> Self {
        if let Some(root) = self.records.first_mut() {
            root.name = name.into();
        }
        self
    }

    /// The worst status of all records.
    #[must_use]
    pub fn status(&self) -> Status {
        self.records.iter().map(Record::status).max().unwrap_or(Status::Clean)
    }

    /// The records, a container before its members. Clean ones may be left out, see
    /// [`Records`](crate::Records).
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many objects were met, those without a record included.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// How many bytes were scanned, each object counted for itself.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The record and the containers around it, the nearest first.
    pub fn lineage(&self, record: usize) -> impl Iterator<Item = &Record> {
        // A parent stands before its members; one that does not comes from a damaged report.
        let parent = |&at: &usize| {
            let parent = self.records.get(at)?.parent?.index();
            (parent < at).then_some(parent)
        };
        iter::successors(Some(record), parent).filter_map(|at| self.records.get(at))
    }

    /// Every detection with the position of its record, the deepest object that shows it only.
    pub fn threats(&self) -> impl Iterator<Item = (usize, &Detection)> {
        self.records.iter().enumerate().flat_map(move |(index, record)| {
            let deepest = move |detection: &&Detection| !self.repeats_below(index, &detection.name);
            record.detections.iter().filter(deepest).map(move |detection| (index, detection))
        })
    }

    /// Every reason with the position of its record.
    pub fn reasons(&self) -> impl Iterator<Item = (usize, &Reason)> {
        self.records.iter().enumerate().flat_map(|(index, record)| {
            record.not_scanned.iter().map(move |reason| (index, reason))
        })
    }

    /// Whether a record inside the one at `index` shows the same detection.
    fn repeats_below(&self, index: usize, name: &str) -> bool {
        let inside = self.descendants(index);
        inside.iter().any(|record| record.detections.iter().any(|found| found.name == name))
    }

    /// Everything inside the record at `index`: records come in the order of the tree.
    fn descendants(&self, index: usize) -> &[Record] {
        let behind = self.records.get(index.saturating_add(1)..).unwrap_or_default();
        let outside = |record: &Record| record.parent.is_none_or(|parent| parent.index() < index);
        let count = behind.iter().position(outside).unwrap_or(behind.len());
        behind.get(..count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_whose_parents_go_in_a_circle_can_be_shown() {
        let record = |parent| Record { parent: Some(ObjectId(parent)), ..Record::default() };
        let verdict = Verdict { records: vec![record(1), record(0)], objects: 2, bytes: 0 };
        assert_eq!(verdict.lineage(1).count(), 2);
        assert_eq!(verdict.to_string().lines().count(), 2);
    }
}
