//! What is wrong with a configuration, where, and what was probably meant.

use std::fmt;
use std::sync::Arc;

use super::key::Kind;
use super::lexer::Syntax;

/// One mistake, or one doubt, in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ConfigError {
    /// The file, as the caller named it.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 where there is no file.
    pub line: u32,
    /// What is wrong.
    pub cause: Cause,
    /// The known name that was probably meant.
    pub nearest: Option<String>,
}

/// What is wrong with a line. Texts from the file are cut to a readable length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A value that the key does not take.
    #[error("{key} cannot be {value:?}: expected {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value in the file.
        value: String,
        /// What the key takes.
        expected: Kind,
    },
    /// The same key twice in a section.
    #[error("{key} is set a second time (first in line {first})")]
    DuplicateKey {
        /// The key.
        key: &'static str,
        /// The line of the first.
        first: u32,
    },
    /// The same section twice.
    #[error("section [{section}] stands a second time (first in line {first})")]
    DuplicateSection {
        /// The section.
        section: String,
        /// The line of the first.
        first: u32,
    },
    /// An address or network in a section's name that is none.
    #[error("[{section}] is not an identity: {why}")]
    Identity {
        /// The section.
        section: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Sections that inherit from each other.
    #[error("parent_id goes round in a circle: {chain}")]
    Loop {
        /// The sections in the circle, `a -> b -> a`.
        chain: String,
    },
    /// A key before the first section.
    #[error("{key} stands before the first section")]
    NoSection {
        /// The key.
        key: String,
    },
    /// A line that cannot be read.
    #[error("{0}")]
    Syntax(Syntax),
    /// A doubt: quotes as word processors make them.
    #[error("typographic quotes are read as \"\", but should be replaced")]
    TypographicQuotes,
    /// A key that does not exist.
    #[error("unknown key {0:?}")]
    UnknownKey(String),
    /// A `parent_id` that names no section.
    #[error("parent_id names the section [{0}], which is not in this file")]
    UnknownParent(String),
    /// A section that does not exist.
    #[error("unknown section [{0}]")]
    UnknownSection(String),
    /// A special configuration file that the caller could not read.
    #[error("cannot read user_config {name:?}: {why}")]
    Unreadable {
        /// The value of `user_config`.
        name: String,
        /// The caller's reason.
        why: String,
    },
    /// A key in a section that it does not belong to.
    #[error("{key} has no meaning in section [{section}]")]
    WrongSection {
        /// The key.
        key: &'static str,
        /// The section.
        section: String,
    },
}

/// All that is wrong with a configuration, and all doubts, in the order of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigErrors {
    /// Mistakes and doubts; at least one is a mistake.
    pub problems: Vec<ConfigError>,
}

impl ConfigError {
    /// Whether the configuration can be used all the same.
    pub fn is_warning(&self) -> bool {
        matches!(self.cause, Cause::TypographicQuotes)
    }
}

impl ConfigErrors {
    /// The mistakes alone.
    pub fn errors(&self) -> impl Iterator<Item = &ConfigError> {
        self.problems.iter().filter(|problem| !problem.is_warning())
    }
}

/// `esets.cfg:7: unknown key "acton_av"; did you mean action_av?`
impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(out, "{}:{}: ", self.file, self.line)?;
        }
        let warning = if self.is_warning() { "warning: " } else { "" };
        write!(out, "{warning}{}", self.cause)?;
        match &self.nearest {
            Some(nearest) => write!(out, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

/// One problem a line.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(out, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// A text from the file at a length that fits into a message.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

const LONGEST: usize = 80;
