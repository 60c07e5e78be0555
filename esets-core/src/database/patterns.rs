//! The sections of patterns.
//!
//! A row of the patterns is [`ROW`] bytes: place of its offset (4), number of its target (1), 3
//! zeros, place of its program (4), length of its program (4), first user (4), number of users (4).
//! An offset is [`OFFSET`] bytes: anchor (1), 1 zero, section (2), shift (4), distance (8); the
//! first one is "anywhere". A user is the number of a name (4). Equal patterns share a row.

use std::collections::BTreeMap;

use super::names::{Numbers, PoolId};
use crate::cursor::{Cursor, Truncated};
use crate::matcher::Compiled;
use crate::signature::{Anchor, Offset, Target};

/// Patterns as they are collected.
#[derive(Debug, Default)]
pub(super) struct PatternPool(BTreeMap<(Compiled, Offset, Target), Vec<PoolId>>);

/// The sections that come of them.
pub(super) struct PatternSections {
    pub(super) patterns: Vec<u8>,
    pub(super) offsets: Vec<u8>,
    pub(super) users: Vec<u8>,
    pub(super) programs: Vec<u8>,
}

impl PatternPool {
    pub(super) fn add(&mut self, pattern: Compiled, offset: Offset, target: Target, user: PoolId) {
        self.0.entry((pattern, offset, target)).or_default().push(user);
    }

    pub(super) fn build(&self, numbers: &Numbers) -> PatternSections {
        let mut sections = PatternSections {
            patterns: Vec::new(),
            offsets: Vec::new(),
            users: Vec::new(),
            programs: Vec::new(),
        };
        let mut offsets: BTreeMap<Offset, u32> = BTreeMap::new();
        if !self.0.is_empty() {
            offsets.insert(Offset::default(), 0);
            push_offset(&mut sections.offsets, Offset::default());
        }
        for ((compiled, offset, target), users) in &self.0 {
            let place = *offsets.entry(*offset).or_insert_with(|| {
                let place = place(&sections.offsets, OFFSET);
                push_offset(&mut sections.offsets, *offset);
                place
            });
            sections.patterns.extend(place.to_le_bytes());
            sections.patterns.extend([*target as u8, 0, 0, 0]);
            let start = place_of(sections.programs.len());
            sections.programs.extend(&compiled.program);
            let length = place_of(compiled.program.len());
            let mut names: Vec<u32> = users.iter().map(|user| numbers.of(*user)).collect();
            names.sort_unstable();
            names.dedup();
            let first = self::place(&sections.users, 4);
            let count = place_of(names.len());
            sections.patterns.extend([start, length, first, count].map(u32::to_le_bytes).concat());
            sections.users.extend(names.iter().flat_map(|name| name.to_le_bytes()));
        }
        sections
    }
}

/// The number of the row behind the last one.
fn place(section: &[u8], width: usize) -> u32 {
    place_of(section.len().checked_div(width).unwrap_or_default())
}

fn place_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn push_offset(section: &mut Vec<u8>, offset: Offset) {
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

/// A row of the patterns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) offset: u32,
    pub(super) target: Target,
    program: (u32, u32),
    users: (u32, u32),
}

impl Row {
    /// A row at its place.
    pub(super) fn read(bytes: &[u8; ROW]) -> Option<Self> {
        Self::parse(&mut Cursor::new(bytes)).ok().flatten()
    }

    fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Self>, Truncated> {
        let offset = cursor.u32_le()?;
        let [target, _, _, _] = cursor.array()?;
        let program = (cursor.u32_le()?, cursor.u32_le()?);
        let users = (cursor.u32_le()?, cursor.u32_le()?);
        let row = |target| Self { offset, target, program, users };
        Ok(Target::from_number(target).map(row))
    }

    /// Its program in the section of programs.
    pub(super) fn program<'f>(&self, programs: &'f [u8]) -> &'f [u8] {
        range(programs, self.program, 1)
    }

    /// The numbers of the names of its users.
    pub(super) fn users<'f>(&self, users: &'f [u8]) -> impl Iterator<Item = u32> + use<'f> {
        let (users, _) = range(users, self.users, 4).as_chunks::<4>();
        users.iter().map(|user| u32::from_le_bytes(*user))
    }
}

fn range(section: &[u8], (first, count): (u32, u32), width: usize) -> &[u8] {
    let bytes = |count: u32| usize::try_from(count).ok()?.checked_mul(width);
    let bounds = bytes(first).zip(bytes(count));
    bounds
        .and_then(|(start, length)| section.get(start..start.checked_add(length)?))
        .unwrap_or_default()
}

/// The offset with this number.
pub(super) fn offset(section: &[u8], number: u32) -> Option<Offset> {
    let (rows, _) = section.as_chunks::<OFFSET>();
    parse_offset(rows.get(usize::try_from(number).ok()?)?).ok().flatten()
}

fn parse_offset(row: &[u8; OFFSET]) -> Result<Option<Offset>, Truncated> {
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

pub(super) const ROW: usize = 24;
const OFFSET: usize = 16;
