//! The section of offsets. A row is [`ROW`] bytes: anchor (1), 1 zero, section (2), shift (4),
//! distance (8). The first row is "anywhere".

use std::collections::BTreeMap;

use crate::cursor::{Cursor, Truncated};
use crate::signature::{Anchor, Offset};

/// Offsets as they are collected, each once.
#[derive(Debug)]
pub(super) struct OffsetPool {
    numbers: BTreeMap<Offset, u32>,
    section: Vec<u8>,
}

impl Default for OffsetPool {
    fn default() -> Self {
        let mut pool = Self { numbers: BTreeMap::new(), section: Vec::new() };
        pool.number(Offset::default());
        pool
    }
}

impl OffsetPool {
    /// The number of an offset.
    pub(super) fn number(&mut self, offset: Offset) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let section = &mut self.section;
        *self.numbers.entry(offset).or_insert_with(|| {
            push(section, offset);
            next
        })
    }

    pub(super) fn build(self) -> Vec<u8> {
        self.section
    }
}

pub(super) fn push(section: &mut Vec<u8>, offset: Offset) {
    let (code, index) = match offset.anchor {
        Anchor::Anywhere => (0, 0),
        Anchor::Start => (1, 0),
        Anchor::End => (2, 0),
        Anchor::EntryPoint => (3, 0),
        Anchor::Section(index) => (4, index),
        Anchor::LastSection => (5, 0),
        Anchor::WithinSection(index) => (6, index),
        Anchor::VersionResource => (7, 0),
    };
    section.extend([code, 0]);
    section.extend(index.to_le_bytes());
    section.extend(offset.shift.to_le_bytes());
    section.extend(offset.distance.to_le_bytes());
}

/// The offset with this number.
pub(super) fn read(section: &[u8], number: u32) -> Option<Offset> {
    let (rows, _) = section.as_chunks::<ROW>();
    parse(rows.get(usize::try_from(number).ok()?)?).ok().flatten()
}

pub(super) fn parse(row: &[u8; ROW]) -> Result<Option<Offset>, Truncated> {
    let mut cursor = Cursor::new(row);
    let [code, _] = cursor.array()?;
    let (index, shift) = (cursor.u16_le()?, cursor.u32_le()?);
    let distance = i64::from_le_bytes(cursor.array()?);
    let anchor = match code {
        0 => Anchor::Anywhere,
        1 => Anchor::Start,
        2 => Anchor::End,
        3 => Anchor::EntryPoint,
        4 => Anchor::Section(index),
        5 => Anchor::LastSection,
        6 => Anchor::WithinSection(index),
        7 => Anchor::VersionResource,
        _ => return Ok(None),
    };
    Ok(Some(Offset { anchor, distance, shift }))
}

const ROW: usize = 16;
