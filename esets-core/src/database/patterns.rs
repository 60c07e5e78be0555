//! Collects patterns and writes the sections of [`row`](super::row), of programs, and of the tables
//! that all patterns are searched with. Equal patterns share a row.

use std::collections::HashMap;

use super::names::{Numbers, PoolId};
use super::offsets::OffsetPool;
use super::row::LOGICAL;
use super::special::SPECIAL;
use super::view;
use crate::cursor::Cursor;
use crate::matcher::{Chain, Compiled, Tables, Wanted};
use crate::signature::{Offset, Rejection, Target};

/// Patterns as they are collected.
#[derive(Debug, Default)]
pub(super) struct PatternPool {
    numbers: HashMap<Key, u32>,
    rows: Vec<(Key, Vec<User>)>,
}

type Key = (Compiled, Offset, Target);

/// Who wants to know that a pattern was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// A logical signature, by its number.
    Logical(u32),
    /// A body signature, by its name.
    Name(PoolId),
}

/// The sections that come of patterns.
#[derive(Default)]
pub(super) struct PatternSections {
    pub(super) patterns: Vec<u8>,
    pub(super) offsets: Vec<u8>,
    pub(super) users: Vec<u8>,
    pub(super) programs: Vec<u8>,
    pub(super) tables: Tables,
    /// The rows that have users but no anchor.
    pub(super) unanchored: Vec<u8>,
    /// Which targets the patterns are for.
    pub(super) views: Vec<u8>,
}

impl PatternPool {
    /// The row of a pattern.
    pub(super) fn add(
        &mut self,
        pattern: Compiled,
        offset: Offset,
        target: Target,
    ) -> Result<u32, Rejection> {
        let next = u32::try_from(self.rows.len()).ok().filter(|next| *next < SPECIAL);
        let next = next.ok_or(Rejection::Unsupported("number of patterns"))?;
        let key = (pattern, offset, target);
        if let Some(known) = self.numbers.get(&key) {
            return Ok(*known);
        }
        self.numbers.insert(key.clone(), next);
        self.rows.push((key, Vec::new()));
        Ok(next)
    }

    /// Adds a user to a row.
    pub(super) fn used_by(&mut self, row: u32, user: User) {
        let row = usize::try_from(row).ok().and_then(|row| self.rows.get_mut(row));
        if let Some((_, users)) = row.filter(|(_, users)| users.last() != Some(&user)) {
            users.push(user);
        }
    }

    pub(super) fn build(self, numbers: &Numbers) -> PatternSections {
        drop(self.numbers);
        let mut sections = PatternSections::default();
        let mut offsets = OffsetPool::default();
        let mut wanted = Vec::new();
        for (number, ((compiled, offset, target), users)) in (0..).zip(&self.rows) {
            let start = number_of(sections.programs.len());
            if !users.is_empty() {
                wanted.extend(chains(compiled, number, start));
            }
            sections.programs.extend(&compiled.program);
            let first = number_of(sections.users.len() / 4);
            let count = push_users(users, numbers, &mut sections.users);
            let head = [offsets.number(*offset), *target as u32, start];
            let tail = [number_of(compiled.program.len()), first, count];
            sections
                .patterns
                .extend(head.iter().chain(&tail).flat_map(|field| field.to_le_bytes()));
        }
        sections.offsets = offsets.build();
        sections.views = view::build(&self.rows.iter().map(|((.., target), _)| *target).collect());
        sections.tables = Tables::build(&wanted);
        sections.count_anchors(&wanted);
        let unanchored = (0_u32..).zip(&self.rows).filter(|(number, (_, users))| {
            !users.is_empty() && sections.anchors_of(*number) == Some(0)
        });
        sections.unanchored = unanchored.flat_map(|(number, _)| number.to_le_bytes()).collect();
        sections
    }
}

impl PatternSections {
    /// Writes into each row how many of its chains are anchored.
    fn count_anchors(&mut self, wanted: &[Wanted]) {
        for (chain, is_anchored) in wanted.iter().zip(&self.tables.is_anchored) {
            let row = usize::try_from(chain.row).unwrap_or(usize::MAX);
            let (rows, _) = self.patterns.as_chunks_mut::<{ super::row::ROW }>();
            if let Some(row) = rows.get_mut(row).filter(|_| *is_anchored) {
                row[5] = row[5].saturating_add(1);
            }
        }
    }

    fn anchors_of(&self, row: u32) -> Option<u8> {
        let (rows, _) = self.patterns.as_chunks::<{ super::row::ROW }>();
        rows.get(usize::try_from(row).ok()?).map(|row| row[5])
    }
}

/// The chains of a pattern that are to be searched for: not more than bits are kept for.
fn chains(compiled: &Compiled, row: u32, start: u32) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut cursor = Cursor::new(&compiled.program);
    for number in 0..MOST_CHAINS {
        let program = start.saturating_add(number_of(cursor.position()));
        let Ok(chain) = Chain::read(&mut cursor) else { break };
        wanted.push(Wanted { run: chain.run(), row, program, chain: number });
    }
    wanted
}

fn push_users(users: &[User], numbers: &Numbers, section: &mut Vec<u8>) -> u32 {
    let number = |user: &User| match user {
        User::Logical(number) => *number | LOGICAL,
        User::Name(name) => numbers.of(*name),
    };
    let mut users: Vec<u32> = users.iter().map(number).collect();
    users.sort_unstable();
    users.dedup();
    section.extend(users.iter().flat_map(|user| user.to_le_bytes()));
    number_of(users.len())
}

fn number_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// So many chains of a pattern are anchored at most.
const MOST_CHAINS: u8 = 31;
