//! What a logical signature asks of an object besides its bytes: the target description block.

use std::ops::RangeInclusive;

use super::kinds::{is_kind, kind};
use super::{FUNCTIONALITY_LEVEL, Rejection, Target};
use crate::subject::Subject;

/// What a logical signature asks of an object besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The object lies directly in a container of this kind; by its place in `KINDS`. The
    /// first of them, any, is no container.
    Container(u8),
    /// The offset of the entry point of an executable.
    EntryPoint(RangeInclusive<u64>),
    /// The size of the object in bytes.
    FileSize(RangeInclusive<u64>),
    /// No condition: what matches is scanned as this kind as well; by its place in `KINDS`.
    Handler(u8),
    /// The containers around the object, the outermost first; by their places in `KINDS`.
    Intermediates(Vec<u8>),
    /// The number of sections of an executable.
    Sections(RangeInclusive<u64>),
}

impl Condition {
    /// Whether it holds for `subject`.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Container(0) => subject.depth() == 0,
            Self::Container(kind) => {
                subject.ancestors().next().is_some_and(|it| is_kind(it, *kind))
            }
            Self::EntryPoint(range) => {
                let entry = subject.executable().and_then(|executable| executable.entry_point);
                entry.and_then(|entry| entry.offset).is_some_and(|offset| range.contains(&offset))
            }
            Self::FileSize(range) => range.contains(&(subject.bytes().len() as u64)),
            Self::Handler(_) => true,
            Self::Intermediates(kinds) => {
                let mut around = subject.ancestors();
                kinds.iter().rev().all(|kind| around.next().is_some_and(|it| is_kind(it, *kind)))
            }
            Self::Sections(range) => subject
                .executable()
                .is_some_and(|executable| range.contains(&(executable.sections.len() as u64))),
        }
    }
}

/// The target and the conditions of `Key:value,…`.
pub(super) fn parse(text: &str) -> Result<(Target, Vec<Condition>), Rejection> {
    let mut target = Target::Any;
    let mut conditions = Vec::new();
    for pair in text.split(',') {
        let (key, value) = pair.split_once(':').ok_or(Rejection::Field("target description"))?;
        match key {
            "Engine" => engine(value)?,
            "Target" => target = Target::parse(value)?,
            "FileSize" => conditions.push(Condition::FileSize(range(value)?)),
            "EntryPoint" => conditions.push(Condition::EntryPoint(range(value)?)),
            "NumberOfSections" => conditions.push(Condition::Sections(range(value)?)),
            "Container" => conditions.push(Condition::Container(kind(value)?)),
            "Intermediates" => {
                let kinds: Result<_, _> = value.split('>').map(kind).collect();
                conditions.push(Condition::Intermediates(kinds?));
            }
            "IconGroup1" | "IconGroup2" => return Err(Rejection::Unsupported("icon group")),
            "HandlerType" => conditions.push(Condition::Handler(kind(value)?)),
            _ => return Err(Rejection::Unsupported("key of the target description")),
        }
    }
    Ok((target, conditions))
}

fn engine(value: &str) -> Result<(), Rejection> {
    let levels = range(value)?;
    if levels.contains(&FUNCTIONALITY_LEVEL.into()) { Ok(()) } else { Err(Rejection::Level) }
}

fn range(value: &str) -> Result<RangeInclusive<u64>, Rejection> {
    let numbers = match value.split_once('-') {
        Some((low, high)) => low.parse().ok().zip(high.parse().ok()),
        None => value.parse().ok().map(|number| (number, number)),
    };
    numbers.map(|(low, high)| low..=high).ok_or(Rejection::Field("range"))
}
