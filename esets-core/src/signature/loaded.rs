//! What came of sources, and why lines were not taken.

use std::fmt;

use super::container::UNSIGNED;
use super::{FUNCTIONALITY_LEVEL, SourceFile};

/// What came of one or several sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// How many signatures were taken.
    pub added: u64,
    /// How many were left out because an ignore list names them.
    pub ignored: u64,
    /// What was not, in the order of the sources.
    pub rejected: Vec<Rejected>,
}

impl Loaded {
    /// The whole of `source` is refused.
    #[must_use]
    pub fn refused(source: &SourceFile<'_>, cause: Rejection) -> Self {
        let mut loaded = Self::default();
        loaded.reject(source.name, 0, cause);
        loaded
    }

    /// Adds what came of another source.
    pub fn append(&mut self, mut other: Self) {
        self.added = self.added.saturating_add(other.added);
        self.ignored = self.ignored.saturating_add(other.ignored);
        self.rejected.append(&mut other.rejected);
    }

    /// Notes what came of a line.
    pub(super) fn note(&mut self, file: &str, line: u64, outcome: Result<(), Rejection>) {
        match outcome {
            Ok(()) => self.added = self.added.saturating_add(1),
            Err(Rejection::Ignored) => self.ignored = self.ignored.saturating_add(1),
            Err(cause) => self.reject(file, line, cause),
        }
    }

    fn reject(&mut self, file: &str, line: u64, cause: Rejection) {
        self.rejected.push(Rejected { file: file.to_owned(), line, cause });
    }
}

/// A line that was not taken; prints as `file:line: cause`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// The name of the source.
    pub file: String,
    /// The line, from 1; 0 is the source as a whole.
    pub line: u64,
    /// Why.
    pub cause: Rejection,
}

impl Rejected {
    /// Whether it is a container that nobody signed, see
    /// [`DatabaseBuilder::take_unsigned`](crate::DatabaseBuilder::take_unsigned).
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.cause == Rejection::Untrusted(UNSIGNED)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { file, line: 0, cause } => write!(f, "{file}: {cause}"),
            Self { file, line, cause } => write!(f, "{file}:{line}: {cause}"),
        }
    }
}

/// Why a line was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// A field is missing or malformed.
    #[error("bad {0}")]
    Field(&'static str),
    /// An ignore list names it.
    #[error("ignored")]
    Ignored,
    /// It is meant for engines of other functionality levels than [`FUNCTIONALITY_LEVEL`].
    #[error("not for functionality level {FUNCTIONALITY_LEVEL}")]
    Level,
    /// It is not what its maker signed, or nobody signed it; the text says where that shows.
    #[error("not trusted: {0}")]
    Untrusted(&'static str),
    /// It needs an engine feature that this version does not have.
    #[error("unsupported {0}")]
    Unsupported(&'static str),
    /// It would match nearly everything or cost too much: too few fixed bytes.
    #[error("too few fixed bytes to search for")]
    Weak,
}
