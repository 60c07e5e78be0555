//! What can happen to an object: the four actions of the Handle Object Policy.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Value;

/// What happens to an object; a later one is stricter than an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// It passes.
    Accept,
    /// The sender is asked to try again later.
    Defer,
    /// It vanishes, and the sender is told that it passed.
    Discard,
    /// It is refused, and the sender is told so.
    Reject,
}

/// The answer to `action_av` and `action_as`: what happens before a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Act(Action),
    Scan,
}

impl Action {
    /// As the configuration has it: `accept`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Defer => "defer",
            Self::Discard => "discard",
            Self::Reject => "reject",
        }
    }

    /// As the log and esets_cli have it: `accepted`.
    pub fn participle(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Defer => "deferred",
            Self::Discard => "discarded",
            Self::Reject => "rejected",
        }
    }

    /// Reads [`Action::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Accept, Self::Defer, Self::Discard, Self::Reject]
            .into_iter()
            .find(|action| action.word() == word)
    }

    /// The action that a key was set to. A value that is none can only be a mistake in the table
    /// of keys, and then nothing may pass.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Choice(word) => Self::from_word(word).unwrap_or(Self::Defer),
            _ => Self::Defer,
        }
    }
}

impl First {
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Choice("scan") => Self::Scan,
            other => Self::Act(Action::of(other)),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}
