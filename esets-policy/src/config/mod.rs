//! `esets.cfg`: its lines, its keys, its sections; read, checked, edited, documented.
//!
//! ```
//! use esets_policy::config::Config;
//!
//! let wrong = Config::parse("esets.cfg", b"[global]\nacton_av = \"scan\"\n").unwrap_err();
//! assert_eq!(wrong.to_string(), "esets.cfg:2: unknown key \"acton_av\"; did you mean action_av?");
//! ```

pub mod document;
pub mod edit;
mod error;
pub mod key;
mod keys;
mod layout;
pub mod lexer;
mod nearest;
mod parse;
pub mod section;

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::Arc;

use esets_core::Text;
use serde::{Deserialize, Serialize};

pub(crate) use error::excerpt;
pub use error::{Cause, ConfigError, ConfigErrors};
pub use key::{Key, Value, find_key, keys};
pub use layout::{LAYOUT, LAYOUTS, Layout};
pub(crate) use nearest::nearest;
pub use section::{SECTIONS, SectionKind, find_section};

/// A configuration file that holds no mistake.
#[derive(Clone, Debug)]
pub struct Config {
    file: Arc<str>,
    sections: Vec<Section>,
    index: HashMap<Box<str>, usize>,
    warnings: Vec<ConfigError>,
}

/// Which keys and sections a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// `esets.cfg`.
    Main,
    /// A special configuration file, as `user_config` names it: sections are identities.
    Users,
}

/// A section and what it sets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Section {
    /// Its name; of two spellings, the first of the table.
    pub name: Arc<str>,
    /// The line of its header.
    pub line: u32,
    /// Its keys, in the order of the file.
    pub settings: Vec<Arc<Setting>>,
}

/// A key and the value it was given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The row of the table.
    pub key: &'static Key,
    /// The value.
    pub value: Value,
    /// Where it was given.
    pub rule: Rule,
}

/// The line that a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// The key.
    pub key: Text,
    /// The section; empty for a default.
    pub section: Arc<str>,
    /// The file; empty for a default.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 for a default.
    pub line: u32,
}

impl Config {
    /// Reads an `esets.cfg`; `file` is its name in messages.
    ///
    /// # Errors
    /// Every mistake in the file, not only the first.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, ConfigErrors> {
        parse::parse(file, bytes, FileKind::Main).faultless()
    }

    /// Reads a special configuration file, as `user_config` names it.
    ///
    /// # Errors
    /// Every mistake in the file, not only the first.
    pub fn parse_users(file: &str, bytes: &[u8]) -> Result<Self, ConfigErrors> {
        parse::parse(file, bytes, FileKind::Users).faultless()
    }

    /// What is right in a file, and all that is wrong with it.
    pub(crate) fn parse_leniently(
        file: &str,
        bytes: &[u8],
        kind: FileKind,
    ) -> (Self, Vec<ConfigError>) {
        let mut config = parse::parse(file, bytes, kind);
        let problems = mem::take(&mut config.warnings);
        (config, problems)
    }

    fn faultless(self) -> Result<Self, ConfigErrors> {
        if self.warnings.iter().all(ConfigError::is_warning) {
            return Ok(self);
        }
        Err(ConfigErrors { problems: self.warnings })
    }

    /// The name it was read under.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its sections, in the order of the file.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section of this name, in any case; of an alias, the section it means.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(self.position(name)?)
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name.to_ascii_lowercase().as_str()).copied()
    }

    /// What is doubtful, though usable.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// The setting of a key for an agent: its own, else that of `[global]` if the key may stand
    /// there.
    pub fn setting(&self, agent: &str, key: &str) -> Option<&Setting> {
        let name = find_section(agent).map_or(agent, |section| section.name);
        let own = self.section(name).and_then(|section| section.setting(key));
        own.or_else(|| self.section("global")?.setting(key))
    }

    /// The value of a key for an agent: as [`Config::setting`], else the key's default.
    pub fn value(&self, agent: &str, key: &str) -> Option<Value> {
        match self.setting(agent, key) {
            Some(setting) => Some(setting.value.clone()),
            None => find_key(key)?.default_value(),
        }
    }
}

impl Section {
    /// What this section itself says of a key.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().map(Arc::as_ref).find(|setting| setting.key.name == key)
    }
}

impl Rule {
    /// The rule of a value that no file gives.
    pub fn default_of(key: &'static str) -> Self {
        Self { key: key.into(), section: "".into(), file: "".into(), line: 0 }
    }

    /// Whether no file gives the value.
    pub fn is_default(&self) -> bool {
        self.line == 0
    }
}

/// `action_av in [smtp], esets.cfg:12`, or `action_av, default`.
impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_default() {
            return write!(out, "{}, default", self.key);
        }
        write!(out, "{} in [{}], {}:{}", self.key, self.section, self.file, self.line)
    }
}
