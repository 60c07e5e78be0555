//! The section of patterns, read in place. A row is [`ROW`] bytes: number of its offset (4), number
//! of its target (1), how many of its chains are anchored (1), 2 zeros, place of its program (4),
//! length of its program (4), first user (4), number of users (4).
//!
//! A user (4) is the number of a name or, with [`LOGICAL`] set, of a logical signature.

use crate::cursor::{Cursor, Truncated};
use crate::matcher::Chain;
use crate::signature::Target;

/// A row of the patterns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) offset: u32,
    pub(super) target: Target,
    /// How many of its chains are found by an anchor.
    pub(super) anchored: u8,
    program: (u32, u32),
    users: (u32, u32),
}

impl Row {
    /// The row of this number.
    pub(super) fn read(section: &[u8], number: u32) -> Option<Self> {
        let (rows, _) = section.as_chunks::<ROW>();
        let row = rows.get(usize::try_from(number).ok()?)?;
        Self::parse(&mut Cursor::new(row)).ok().flatten()
    }

    fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Self>, Truncated> {
        let offset = cursor.u32_le()?;
        let [target, anchored, _, _] = cursor.array()?;
        let program = (cursor.u32_le()?, cursor.u32_le()?);
        let users = (cursor.u32_le()?, cursor.u32_le()?);
        let row = |target| Self { offset, target, anchored, program, users };
        Ok(Target::from_number(target).map(row))
    }

    /// Its program in the section of programs.
    pub(super) fn program<'f>(&self, programs: &'f [u8]) -> &'f [u8] {
        range(programs, self.program, 1)
    }

    /// Whether its program has no second chain.
    pub(super) fn is_one_chain(&self, programs: &[u8]) -> bool {
        let mut cursor = Cursor::new(self.program(programs));
        Chain::read(&mut cursor).is_ok() && cursor.is_empty()
    }

    /// Its users.
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

/// What marks a user that is a logical signature.
pub(super) const LOGICAL: u32 = 1 << 31;
/// Bytes of a row.
pub(super) const ROW: usize = 24;
