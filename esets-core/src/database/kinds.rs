//! The sections of magic bytes of kinds of objects.
//!
//! One holds bytes at an offset, in groups of one offset (4), one length (1), and so many (4) rows:
//! the bytes, kind before (1), kind (1), sorted. So an object costs one search in each group, and
//! there are few: the magic bytes of most formats lie in the same few places. The other holds
//! patterns: kind before (1), kind (1), offset (a row as in [`offsets`]), program (length (2) and
//! bytes).

use std::collections::BTreeMap;

use super::logical::{block, push_block};
use super::offsets;
use crate::cursor::{Cursor, Truncated};
use crate::matcher::{Exhausted, Steps, compile, find};
use crate::signature::{Anchor, KindSignature, Kinds, Magic, Rejection, is_kind};
use crate::subject::Subject;

/// Magic bytes as they are collected.
#[derive(Debug, Default)]
pub(super) struct KindPool {
    groups: BTreeMap<(u32, u8), Vec<Vec<u8>>>,
    patterns: Vec<u8>,
    count: usize,
}

impl KindPool {
    pub(super) fn add(&mut self, signature: &KindSignature) -> Result<(), Rejection> {
        let kinds = [signature.before, signature.kind];
        match &signature.magic {
            Magic::Bytes { offset, bytes } => {
                let length = u8::try_from(bytes.len()).map_err(|_| Rejection::Field("magic"))?;
                let key = (*offset, length);
                if !self.groups.contains_key(&key) && self.groups.len() >= MOST {
                    return Err(Rejection::Unsupported("number of places of magic bytes"));
                }
                self.groups.entry(key).or_default().push([&**bytes, &kinds].concat());
            }
            Magic::Pattern { offset, pattern } => {
                let compiled = compile(pattern, offset)?;
                if self.count >= MOST || compiled.program.len() > usize::from(u16::MAX) {
                    return Err(Rejection::Unsupported("number of patterns of kinds"));
                }
                self.count = self.count.saturating_add(1);
                self.patterns.extend(kinds);
                offsets::push(&mut self.patterns, *offset);
                push_block(&compiled.program, &mut self.patterns);
            }
        }
        Ok(())
    }

    /// Both sections: bytes and patterns.
    pub(super) fn build(self) -> (Vec<u8>, Vec<u8>) {
        let mut section = Vec::new();
        for ((offset, length), mut rows) in self.groups {
            rows.sort_unstable();
            rows.dedup();
            section.extend(offset.to_le_bytes());
            section.push(length);
            section.extend(u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
            section.extend(rows.concat());
        }
        (section, self.patterns)
    }
}

/// The kinds that the sections know an object by.
///
/// # Errors
/// [`Exhausted`] if a pattern cost too much to be looked for; the others still count.
pub(super) fn of(
    bytes: &[u8],
    patterns: &[u8],
    subject: &Subject<'_>,
) -> (Kinds, Result<(), Exhausted>) {
    let mut kinds = Kinds::default();
    let mut add = |before: u8, kind: u8| {
        if is_kind(subject, before) {
            kinds.insert(kind);
        }
    };
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_empty() && group(&mut cursor, subject, &mut add).is_ok() {}
    let mut cursor = Cursor::new(patterns);
    let mut outcome = Ok(());
    while let Ok(searched) = pattern(&mut cursor, subject, &mut add) {
        outcome = outcome.and(searched);
    }
    (kinds, outcome)
}

fn group(
    cursor: &mut Cursor<'_>,
    subject: &Subject<'_>,
    add: &mut dyn FnMut(u8, u8),
) -> Result<(), Truncated> {
    let offset = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
    let length = usize::from(cursor.u8()?);
    let count = usize::try_from(cursor.u32_le()?).unwrap_or(usize::MAX);
    let width = length.saturating_add(2);
    let rows = cursor.take(count.saturating_mul(width))?;
    let there = subject.bytes().get(offset..).and_then(|rest| rest.get(..length));
    let Some(there) = there else { return Ok(()) };
    let row = |index: usize| rows.get(index.saturating_mul(width)..).unwrap_or_default();
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        match row(middle).get(..length) {
            Some(bytes) if bytes < there => low = middle.saturating_add(1),
            _ => high = middle,
        }
    }
    let equal = (low..count).map_while(|index| row(index).strip_prefix(there));
    for rest in equal {
        if let [before, kind, ..] = rest {
            add(*before, *kind);
        }
    }
    Ok(())
}

fn pattern(
    cursor: &mut Cursor<'_>,
    subject: &Subject<'_>,
    add: &mut dyn FnMut(u8, u8),
) -> Result<Result<(), Exhausted>, Truncated> {
    let [before, kind] = cursor.array()?;
    let offset = offsets::parse(&cursor.array()?)?;
    let program = block(cursor)?;
    let Some(offset) = offset else { return Ok(Ok(())) };
    let bytes = subject.bytes();
    let (starts, bytes) = match offset.anchor {
        Anchor::Anywhere => (Some(0..=HEAD as u64), bytes.get(..SEARCHED).unwrap_or(bytes)),
        _ => (offset.resolve(subject, bytes.len()), bytes),
    };
    let Some(starts) = starts else { return Ok(Ok(())) };
    Ok(find(program, bytes, &starts, &mut Steps::for_object(SEARCHED)).map(|found| {
        if found.is_some() {
            add(before, kind);
        }
    }))
}

/// How many groups and how many patterns there may be at most: each is asked for every object.
const MOST: usize = 256;
/// Where a pattern without offset must begin.
const HEAD: usize = 1024;
/// Where it must end.
const SEARCHED: usize = 8 << 10;
