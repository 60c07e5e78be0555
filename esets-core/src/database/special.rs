//! The section of sub-signatures that are no patterns.
//!
//! Each is its kind (1) and what belongs to it. A regular expression: offset (a row as in
//! [`offsets`]), flags (2), trigger and expression (each its length (2) and bytes, the latter
//! masked by [`VEIL`]). A comparison: other sub-signature (1), distance (8), notation (1), whether
//! little-endian (1), whether exact (1), length (1), number of tests (1), tests (kind (1), value
//! (8)). A group: number (1), sub-signature before (1), least (4) and greatest (4) distance.
//!
//! The section of groups has a row of 5 bytes for each member: group (1), row of the pattern (4).

use super::logical::{block, push_block, push_expression};
use super::offsets;
use crate::cursor::{Cursor, Truncated};
use crate::matcher::VEIL;
use crate::signature::{Comparison, Notation, Offset, RegexFlags, Sub, Test};

/// Adds a sub-signature to the section, and says where; `None` for patterns.
pub(super) fn push(own: u8, sub: &Sub, section: &mut Vec<u8>) -> Option<u32> {
    let place = u32::try_from(section.len()).ok().filter(|place| *place < SPECIAL)?;
    match sub {
        Sub::Comparison(comparison) => push_comparison(comparison, section),
        Sub::Group { group, min, max } => {
            section.extend([GROUP, *group, own.saturating_sub(1)]);
            section.extend([*min, *max].into_iter().flat_map(u32::to_le_bytes));
        }
        Sub::Patterns { .. } => return None,
        Sub::Regex(regex) => {
            section.push(REGEX);
            offsets::push(section, regex.offset);
            section.extend(regex.flags.0.to_le_bytes());
            let mut trigger = Vec::new();
            push_expression(&regex.trigger, &mut trigger);
            push_block(&trigger, section);
            let veiled: Vec<u8> = regex.pattern.bytes().map(|byte| byte ^ VEIL).collect();
            push_block(&veiled, section);
        }
    }
    Some(place)
}

fn push_comparison(comparison: &Comparison, section: &mut Vec<u8>) {
    section.extend([COMPARISON, comparison.of]);
    section.extend(comparison.distance.to_le_bytes());
    let flags = [comparison.is_little, comparison.is_exact].map(u8::from);
    section.push(comparison.notation as u8);
    section.extend(flags);
    section.extend([comparison.length, u8::try_from(comparison.tests.len()).unwrap_or(u8::MAX)]);
    for (test, value) in &comparison.tests {
        section.push(*test as u8);
        section.extend(value.to_le_bytes());
    }
}

/// A sub-signature that is no pattern, read in place.
pub(super) enum Special<'f> {
    Comparison(Comparison),
    Group { group: u8, before: u8, distance: (u32, u32) },
    Regex { offset: Offset, flags: RegexFlags, trigger: &'f [u8], pattern: &'f [u8] },
}

impl<'f> Special<'f> {
    /// The one at `place` of the section.
    pub(super) fn read(section: &'f [u8], place: u32) -> Option<Self> {
        Self::parse(&mut Cursor::at(section, place.into()).ok()?).ok().flatten()
    }

    fn parse(cursor: &mut Cursor<'f>) -> Result<Option<Self>, Truncated> {
        Ok(match cursor.u8()? {
            COMPARISON => comparison(cursor)?.map(Self::Comparison),
            GROUP => {
                let [group, before] = cursor.array()?;
                let distance = (cursor.u32_le()?, cursor.u32_le()?);
                Some(Self::Group { group, before, distance })
            }
            REGEX => {
                let offset = offsets::parse(&cursor.array()?)?;
                let flags = RegexFlags(cursor.u16_le()?);
                let (trigger, pattern) = (block(cursor)?, block(cursor)?);
                offset.map(|offset| Self::Regex { offset, flags, trigger, pattern })
            }
            _ => None,
        })
    }
}

fn comparison(cursor: &mut Cursor<'_>) -> Result<Option<Comparison>, Truncated> {
    let of = cursor.u8()?;
    let distance = i64::from_le_bytes(cursor.array()?);
    let [notation, is_little, is_exact, length, count] = cursor.array()?;
    let mut tests = Vec::new();
    for _ in 0..count {
        let test = match cursor.u8()? {
            test if test == Test::Equal as u8 => Test::Equal,
            test if test == Test::Greater as u8 => Test::Greater,
            _ => Test::Less,
        };
        tests.push((test, i64::from_le_bytes(cursor.array()?)));
    }
    let notation = match notation {
        code if code == Notation::Automatic as u8 => Notation::Automatic,
        code if code == Notation::Binary as u8 => Notation::Binary,
        code if code == Notation::Decimal as u8 => Notation::Decimal,
        _ => Notation::Hexadecimal,
    };
    let (is_little, is_exact) = (is_little != 0, is_exact != 0);
    Ok(Some(Comparison { of, distance, notation, is_little, is_exact, length, tests }))
}

/// The rows of a group's patterns.
pub(super) fn members(section: &[u8], group: u8) -> impl Iterator<Item = u32> {
    let (rows, _) = section.as_chunks::<5>();
    let of_group = rows.iter().filter(move |[number, ..]| *number == group);
    of_group.map(|[_, row @ ..]| u32::from_le_bytes(*row))
}

/// What marks the place of a special sub-signature where else a row would stand.
pub(super) const SPECIAL: u32 = 1 << 30;

const COMPARISON: u8 = 0;
const GROUP: u8 = 1;
const REGEX: u8 = 2;
