//! The section of facts about a database: its version in words, and counts by kind.
//!
//! Layout: length of the version (1), version, then for each kind its number (1) and count (8).

use crate::cursor::{Cursor, Truncated};

/// A kind of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureKind {
    /// Digests of objects that are known to be good.
    Allowed,
    /// Patterns.
    Body,
    /// Digests of whole objects.
    Digest,
    /// Digests of what PE files import.
    Imports,
    /// Magic bytes of kinds of objects.
    Kind,
    /// Hosts and pairs of hosts that links of mails are judged by.
    Link,
    /// Several patterns and what must hold of them.
    Logical,
    /// What a container says of a member.
    Member,
    /// Passwords to try on encrypted archives.
    Password,
    /// Digests of sections of PE files.
    Section,
}

impl SignatureKind {
    /// Every kind, in the order of their names.
    pub const ALL: &'static [Self] = &[
        Self::Allowed,
        Self::Body,
        Self::Digest,
        Self::Imports,
        Self::Kind,
        Self::Link,
        Self::Logical,
        Self::Member,
        Self::Password,
        Self::Section,
    ];

    /// Its name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Body => "body",
            Self::Digest => "digest",
            Self::Imports => "imports",
            Self::Kind => "kind",
            Self::Link => "link",
            Self::Logical => "logical",
            Self::Member => "member",
            Self::Password => "password",
            Self::Section => "section",
        }
    }

    /// The number in the file; it never changes its meaning.
    fn code(self) -> u8 {
        match self {
            Self::Digest => 0,
            Self::Allowed => 1,
            Self::Body => 2,
            Self::Logical => 3,
            Self::Section => 4,
            Self::Imports => 5,
            Self::Password => 6,
            Self::Member => 7,
            Self::Kind => 8,
            Self::Link => 9,
        }
    }
}

/// Counts by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    kinds: Vec<(SignatureKind, u64)>,
    refused: u64,
}

impl Counts {
    /// One more.
    pub(super) fn add(&mut self, kind: SignatureKind) {
        match self.kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.kinds.push((kind, 1)),
        }
    }

    /// How many there are of a kind.
    #[must_use]
    pub fn of(&self, kind: SignatureKind) -> u64 {
        self.kinds.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
    }

    /// Counts lines of sources that were not taken.
    pub(super) fn refuse(&mut self, lines: u64) {
        self.refused = self.refused.saturating_add(lines);
    }

    /// How many lines of the sources were not taken.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.kinds.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Every kind there is something of.
    pub fn iter(&self) -> impl Iterator<Item = (SignatureKind, u64)> {
        let count = |kind: &SignatureKind| (*kind, self.of(*kind));
        SignatureKind::ALL.iter().map(count).filter(|(_, count)| *count > 0)
    }
}

pub(super) fn build(version: &str, counts: &Counts) -> Vec<u8> {
    let version = version.as_bytes().get(..255).unwrap_or(version.as_bytes());
    let mut section = vec![u8::try_from(version.len()).unwrap_or(u8::MAX)];
    section.extend(version);
    for (kind, count) in counts.iter() {
        section.push(kind.code());
        section.extend(count.to_le_bytes());
    }
    if counts.refused > 0 {
        section.push(REFUSED);
        section.extend(counts.refused.to_le_bytes());
    }
    section
}

/// The version; empty if the section is.
pub(super) fn version(section: &[u8]) -> &str {
    let mut cursor = Cursor::new(section);
    let length = cursor.u8().unwrap_or_default();
    std::str::from_utf8(cursor.take(length.into()).unwrap_or_default()).unwrap_or_default()
}

/// The counts; kinds that this version does not know are left out.
pub(super) fn counts(section: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let mut cursor = Cursor::new(section);
    let length = cursor.u8().unwrap_or_default();
    if cursor.take(length.into()).is_ok() {
        while let Ok((code, count)) = row(&mut cursor) {
            if code == REFUSED {
                counts.refused = count;
            }
            let kind = SignatureKind::ALL.iter().find(|kind| kind.code() == code);
            counts.kinds.extend(kind.map(|kind| (*kind, count)));
        }
    }
    counts
}

fn row(cursor: &mut Cursor<'_>) -> Result<(u8, u64), Truncated> {
    Ok((cursor.u8()?, cursor.u64_le()?))
}

/// What stands in the place of a kind before the number of refused lines.
const REFUSED: u8 = u8::MAX;
