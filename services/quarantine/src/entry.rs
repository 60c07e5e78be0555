//! What is known of an object in quarantine.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use esets_core::Verdict;
use serde::{Deserialize, Serialize};

/// The name of an entry: seconds since 1970, the first 16 digits of the SHA-256 of its content,
/// and a number that tells equal ones apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    pub(crate) fn new(seconds: u64, digest: &str, number: u32) -> Self {
        let digest = digest.get(..16).unwrap_or(digest);
        Self(format!("{seconds:011}-{digest}-{number}"))
    }

    /// The name as text, which is safe as a file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Accepts only what an entry can be called, so that no id leaves the folder.
impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_safe = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(is_safe) {
            return Err("an id has digits, the letters a to f, and hyphens");
        }
        Ok(Self(text.into()))
    }
}

/// What the one who quarantines an object says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who put it here: the section of `esets.cfg`.
    pub agent: String,
    /// The name of the object.
    pub name: String,
    /// The recipients of the message, if it is one.
    pub recipients: Vec<String>,
    /// The rule of the policy that decided.
    pub rule: String,
    /// The sender of the message, if it is one.
    pub sender: Option<String>,
    /// What was found.
    pub verdict: Verdict,
}

impl Note {
    /// A note that says no more than what was found.
    pub fn new(name: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            agent: String::new(),
            name: name.into(),
            recipients: Vec::new(),
            rule: String::new(),
            sender: None,
            verdict,
        }
    }
}

/// What stands in the head of an entry's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The SHA-256 of the content, in hexadecimal.
    pub digest: String,
    /// What was said of it.
    pub note: Note,
    /// When it was put here, in seconds since 1970.
    pub seconds: u64,
    /// Its size in bytes.
    pub size: u64,
}

impl Entry {
    /// When it was put here.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.seconds)).unwrap_or(UNIX_EPOCH)
    }
}
