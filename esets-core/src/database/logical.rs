//! The sections of logical signatures.
//!
//! One holds the place of each (4), the other the signatures: number of the name (4), target (1),
//! number of sub-signatures (1), which of them are counted (8), conditions, expression (each its
//! length (2) and bytes), and for each sub-signature the rows of its patterns (4 each), with
//! [`MORE`] set if another one follows, or the place of a [`special`](super::special) one. In the expression operators come first.

use super::names::{Numbers, PoolId};
use crate::cursor::{Cursor, Truncated};
use crate::signature::{Condition, Expression, Target, Test};

/// A logical signature as it is collected.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: PoolId,
    pub(super) target: Target,
    pub(super) conditions: Vec<Condition>,
    pub(super) expression: Expression,
    /// One bit for each sub-signature whose matches are counted.
    pub(super) counted: u64,
    pub(super) subs: Vec<Vec<u32>>,
}

/// Both sections.
pub(super) fn build(entries: &[Entry], numbers: &Numbers) -> (Vec<u8>, Vec<u8>) {
    let (mut places, mut section) = (Vec::new(), Vec::new());
    for entry in entries {
        places.extend(u32::try_from(section.len()).unwrap_or(u32::MAX).to_le_bytes());
        section.extend(numbers.of(entry.name).to_le_bytes());
        section.extend([entry.target as u8, u8::try_from(entry.subs.len()).unwrap_or_default()]);
        section.extend(entry.counted.to_le_bytes());
        let mut conditions = Vec::new();
        entry.conditions.iter().for_each(|condition| push_condition(condition, &mut conditions));
        push_block(&conditions, &mut section);
        let mut expression = Vec::new();
        push_expression(&entry.expression, &mut expression);
        push_block(&expression, &mut section);
        for rows in &entry.subs {
            for (left, row) in (0..rows.len()).rev().zip(rows) {
                let more = if left == 0 { 0 } else { MORE };
                section.extend((row | more).to_le_bytes());
            }
        }
    }
    (places, section)
}

pub(super) fn push_block(block: &[u8], section: &mut Vec<u8>) {
    section.extend(u16::try_from(block.len()).unwrap_or(u16::MAX).to_le_bytes());
    section.extend(block);
}

fn push_condition(condition: &Condition, code: &mut Vec<u8>) {
    let (kind, range) = match condition {
        Condition::Container(kind) => return code.extend([CONTAINER, *kind]),
        Condition::Handler(kind) => return code.extend([HANDLER, *kind]),
        Condition::Intermediates(kinds) => {
            code.extend([INTERMEDIATES, u8::try_from(kinds.len()).unwrap_or(u8::MAX)]);
            return code.extend(kinds);
        }
        Condition::EntryPoint(range) => (ENTRY_POINT, range),
        Condition::FileSize(range) => (FILE_SIZE, range),
        Condition::Sections(range) => (SECTIONS, range),
    };
    code.push(kind);
    code.extend(range.start().to_le_bytes());
    code.extend(range.end().to_le_bytes());
}

/// The operator comes first, and each part has its length (2), so that it can be passed over.
pub(super) fn push_expression(expression: &Expression, code: &mut Vec<u8>) {
    let mut join = |parts: &[Expression], operator| {
        code.extend([operator, u8::try_from(parts.len()).unwrap_or(u8::MAX)]);
        for part in parts {
            let mut inner = Vec::new();
            push_expression(part, &mut inner);
            push_block(&inner, code);
        }
    };
    match expression {
        Expression::All(parts) => join(parts, ALL),
        Expression::Any(parts) => join(parts, ANY),
        Expression::Count { of, test, number, distinct } => {
            code.extend([COUNT, *test as u8]);
            code.extend(number.to_le_bytes());
            code.extend(distinct.to_le_bytes());
            push_expression(of, code);
        }
        Expression::Sub(number) => code.push(*number),
    }
}

/// A logical signature, read in place.
#[derive(Clone, Debug)]
pub(super) struct Logical<'f> {
    pub(super) name: u32,
    pub(super) target: Target,
    counted: u64,
    conditions: &'f [u8],
    expression: &'f [u8],
    rows: Cursor<'f>,
    subs: u8,
}

impl<'f> Logical<'f> {
    /// The signature of this number.
    pub(super) fn read(places: &[u8], section: &'f [u8], number: u32) -> Option<Self> {
        let (places, _) = places.as_chunks::<4>();
        let place = places.get(usize::try_from(number).ok()?)?;
        Self::parse(Cursor::at(section, u32::from_le_bytes(*place).into()).ok()?).ok().flatten()
    }

    fn parse(mut cursor: Cursor<'f>) -> Result<Option<Self>, Truncated> {
        let name = cursor.u32_le()?;
        let [target, subs] = cursor.array()?;
        let counted = cursor.u64_le()?;
        let (conditions, expression) = (block(&mut cursor)?, block(&mut cursor)?);
        let logical =
            |target| Self { name, target, counted, conditions, expression, rows: cursor, subs };
        Ok(Target::from_number(target).map(logical))
    }

    /// The conditions; what is damaged is left out.
    pub(super) fn conditions(&self) -> impl Iterator<Item = Condition> + use<'f> {
        let mut cursor = Cursor::new(self.conditions);
        std::iter::from_fn(move || condition(&mut cursor).ok().flatten())
    }

    /// For each sub-signature its rows, and whether its matches are counted.
    pub(super) fn subs(&self) -> impl Iterator<Item = (Vec<u32>, bool)> {
        let mut cursor = self.rows.clone();
        (0..self.subs).map(move |sub| {
            let mut rows = Vec::new();
            while let Ok(row) = cursor.u32_le() {
                rows.push(row & !MORE);
                if row & MORE == 0 {
                    break;
                }
            }
            (rows, self.counted.checked_shr(sub.into()).unwrap_or_default() & 1 == 1)
        })
    }

    /// Whether the expression holds for so many matches of each sub-signature, which are asked
    /// for in order and only as far as they matter.
    pub(super) fn holds(&self, mut matches: impl FnMut(u8) -> u32) -> bool {
        holds(self.expression, &mut matches)
    }
}

/// The same for an expression by itself.
pub(super) fn holds(expression: &[u8], matches: &mut dyn FnMut(u8) -> u32) -> bool {
    let mut evaluation = Evaluation { matches, depth: 0, counts: false };
    evaluation.value(&mut Cursor::new(expression)).is_ok_and(|value| value.holds)
}

/// What a part of an expression comes to.
#[derive(Clone, Copy, Default)]
struct Value {
    holds: bool,
    matches: u32,
    distinct: u32,
}

struct Evaluation<'m> {
    matches: &'m mut dyn FnMut(u8) -> u32,
    depth: u8,
    /// Whether matches are counted, so that every part matters.
    counts: bool,
}

impl Evaluation<'_> {
    fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<Value, Truncated> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth < 128).ok_or(Truncated)?;
        let value = match cursor.u8()? {
            operator @ (ALL | ANY) => self.join(operator, cursor)?,
            COUNT => self.count(cursor)?,
            sub => {
                let matches = (self.matches)(sub);
                Value { holds: matches > 0, matches, distinct: u32::from(matches > 0) }
            }
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn join(&mut self, operator: u8, cursor: &mut Cursor<'_>) -> Result<Value, Truncated> {
        let mut joined = Value { holds: operator == ALL, ..Value::default() };
        for _ in 0..cursor.u8()? {
            let part = block(cursor)?;
            if !self.counts && joined.holds == (operator == ANY) {
                continue;
            }
            let value = self.value(&mut Cursor::new(part))?;
            joined.holds = match operator {
                ALL => joined.holds && value.holds,
                _ => joined.holds || value.holds,
            };
            joined.matches = joined.matches.saturating_add(value.matches);
            joined.distinct = joined.distinct.saturating_add(value.distinct);
        }
        Ok(joined)
    }

    fn count(&mut self, cursor: &mut Cursor<'_>) -> Result<Value, Truncated> {
        let test = cursor.u8()?;
        let (number, distinct) = (cursor.u32_le()?, cursor.u32_le()?);
        let outer = std::mem::replace(&mut self.counts, true);
        let value = self.value(cursor)?;
        self.counts = outer;
        let holds = compares(test, value.matches, number) && value.distinct >= distinct;
        Ok(Value { holds, ..value })
    }
}

fn compares(test: u8, matches: u32, number: u32) -> bool {
    match test {
        t if t == Test::Equal as u8 => matches == number,
        t if t == Test::Greater as u8 => matches > number,
        _ => matches < number,
    }
}

fn condition(cursor: &mut Cursor<'_>) -> Result<Option<Condition>, Truncated> {
    let kind = cursor.u8()?;
    if kind == CONTAINER {
        return cursor.u8().map(|kind| Some(Condition::Container(kind)));
    }
    if kind == HANDLER {
        return cursor.u8().map(|kind| Some(Condition::Handler(kind)));
    }
    if kind == INTERMEDIATES {
        let count = cursor.u8()?;
        let kinds = cursor.take(count.into())?.to_vec();
        return Ok(Some(Condition::Intermediates(kinds)));
    }
    let range = cursor.u64_le()?..=cursor.u64_le()?;
    Ok(match kind {
        ENTRY_POINT => Some(Condition::EntryPoint(range)),
        FILE_SIZE => Some(Condition::FileSize(range)),
        SECTIONS => Some(Condition::Sections(range)),
        _ => None,
    })
}

pub(super) fn block<'f>(cursor: &mut Cursor<'f>) -> Result<&'f [u8], Truncated> {
    let length = cursor.u16_le()?;
    cursor.take(length.into())
}

/// What marks a row behind which another one of the same sub-signature follows.
const MORE: u32 = 1 << 31;

const CONTAINER: u8 = 1;
const ENTRY_POINT: u8 = 2;
const FILE_SIZE: u8 = 3;
const INTERMEDIATES: u8 = 4;
const SECTIONS: u8 = 5;
const HANDLER: u8 = 6;

const ALL: u8 = 0x80;
const ANY: u8 = 0x81;
const COUNT: u8 = 0x82;
