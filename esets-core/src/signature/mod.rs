//! Signature sources: one file per format, one row each in [`LOADERS`], into one form.
//!
//! The formats are those of ClamAV's signature manual ("Signature formats"). A line that cannot be
//! used costs that line only and is reported with file, line and cause.

mod allow;
mod body;
mod comparison;
mod condition;
mod digest;
mod expression;
mod imports;
mod ldb;
mod ndb;
mod offset;
mod pattern;
mod regex;
mod section;
mod sub;
mod target;

use std::fmt;

use crate::database::DatabaseBuilder;
use crate::verdict::Class;

pub use comparison::{Comparison, Notation};
pub use condition::Condition;
pub use digest::{DigestSignature, SourceDigest};
pub use expression::{Expression, Test};
pub use ldb::LogicalSignature;
pub use ndb::BodySignature;
pub use offset::{Anchor, Offset};
pub use pattern::{Boundary, Element, MaskedByte, Pattern};
pub use regex::{Regex, RegexFlags};
pub(crate) use sub::GROUPS;
pub use sub::Sub;
pub use target::Target;
pub(crate) use target::Targets;

/// Every loader. A source goes to the one that names its extension.
pub static LOADERS: &[&dyn Loader] = &[
    &allow::Allow,
    &digest::Digests,
    &imports::Imports,
    &ldb::Logicals,
    &ndb::Bodies,
    &section::Sections,
];

/// Reads one format of signature sources.
pub trait Loader: Sync {
    /// What it reads, in one line.
    fn about(&self) -> &'static str;

    /// The extensions, lower case, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Hands every signature of `source` to `builder`.
    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded;
}

/// A signature source in memory.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// The name that rejections show; its extension selects the loader.
    pub name: &'a str,
    /// The content.
    pub bytes: &'a [u8],
}

impl<'a> SourceFile<'a> {
    /// A source.
    #[must_use]
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes }
    }

    /// What follows the last dot of the name, lower case.
    #[must_use]
    pub fn extension(&self) -> String {
        let extension = self.name.rsplit_once('.').map(|(_, extension)| extension);
        extension.unwrap_or_default().to_ascii_lowercase()
    }

    /// The loader of the extension, if there is one.
    #[must_use]
    pub fn loader(&self) -> Option<&'static dyn Loader> {
        let extension = self.extension();
        let reads = |loader: &&&dyn Loader| loader.extensions().contains(&&*extension);
        LOADERS.iter().find(reads).copied()
    }

    /// Whether the extension says that everything in it is potentially unwanted: `.hdu`, `.ndu`.
    fn is_unwanted(&self) -> bool {
        let extension = self.extension();
        extension.len() == 3 && extension.ends_with('u')
    }

    /// The class of a signature of this source.
    fn class(&self, name: &str) -> Class {
        match class_of(name) {
            Class::Malware if self.is_unwanted() => Class::PotentiallyUnwanted,
            class => class,
        }
    }

    /// Hands every line that is not empty and not a comment to `parse`.
    fn each_line(&self, mut parse: impl FnMut(&str) -> Result<(), Rejection>) -> Loaded {
        let mut loaded = Loaded::default();
        for (number, line) in (1..).zip(self.bytes.split(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let text = std::str::from_utf8(line).map_err(|_| Rejection::Field("text"));
            match text.and_then(&mut parse) {
                Ok(()) => loaded.added = loaded.added.saturating_add(1),
                Err(cause) => loaded.reject(self.name, number, cause),
            }
        }
        loaded
    }
}

/// Compiles sources into the bytes of a database, and says what came of them.
///
/// The same sources in the same order give the same bytes.
pub fn compile<'a>(
    version: &str,
    sources: impl IntoIterator<Item = SourceFile<'a>>,
) -> (Vec<u8>, Loaded) {
    let mut builder = DatabaseBuilder::new();
    builder.set_version(version);
    let mut loaded = Loaded::default();
    for source in sources {
        loaded.append(builder.load(&source));
    }
    (builder.build(), loaded)
}

/// What came of one or several sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// How many signatures were taken.
    pub added: u64,
    /// What was not, in the order of the sources.
    pub rejected: Vec<Rejected>,
}

impl Loaded {
    /// The whole of `source` is refused.
    pub(crate) fn refused(source: &SourceFile<'_>, cause: Rejection) -> Self {
        let mut loaded = Self::default();
        loaded.reject(source.name, 0, cause);
        loaded
    }

    /// Adds what came of another source.
    pub fn append(&mut self, mut other: Self) {
        self.added = self.added.saturating_add(other.added);
        self.rejected.append(&mut other.rejected);
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
    /// It is meant for engines of other functionality levels than [`FUNCTIONALITY_LEVEL`].
    #[error("not for functionality level {FUNCTIONALITY_LEVEL}")]
    Level,
    /// It needs an engine feature that this version does not have.
    #[error("unsupported {0}")]
    Unsupported(&'static str),
    /// It would match nearly everything or cost too much: too few fixed bytes.
    #[error("too few fixed bytes to search for")]
    Weak,
}

/// The level in ClamAV's numbering up to which sources are understood: that of ClamAV 1.4.
pub const FUNCTIONALITY_LEVEL: u32 = 213;

/// The class that a name states: `PUA.` potentially unwanted, `PUsA.` potentially unsafe.
#[must_use]
pub fn class_of(name: &str) -> Class {
    if name.starts_with("PUA.") {
        Class::PotentiallyUnwanted
    } else if name.starts_with("PUsA.") {
        Class::PotentiallyUnsafe
    } else {
        Class::Malware
    }
}

/// A name: at least one character, no control characters, not longer than 255 bytes.
fn name(text: &str) -> Result<&str, Rejection> {
    let is_good = !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control);
    is_good.then_some(text).ok_or(Rejection::Field("name"))
}

/// The optional fields `minfl` and `maxfl` at the end of a line.
fn level(fields: &[&str]) -> Result<(), Rejection> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| Rejection::Field("level"));
    let (lowest, highest) = match fields {
        [] => (0, u32::MAX),
        [lowest] => (number(lowest)?, u32::MAX),
        [lowest, highest] => (number(lowest)?, number(highest)?),
        _ => return Err(Rejection::Field("number of fields")),
    };
    if (lowest..=highest).contains(&FUNCTIONALITY_LEVEL) { Ok(()) } else { Err(Rejection::Level) }
}

/// `N` bytes written as hexadecimal digits.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let digits = text.as_bytes();
    if digits.len() != N.checked_mul(2)? {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_states_the_class() {
        assert_eq!(class_of("Win.Trojan.A-1"), Class::Malware);
        assert_eq!(class_of("PUA.Win.Tool"), Class::PotentiallyUnwanted);
        assert_eq!(class_of("PUsA.Win.Tool"), Class::PotentiallyUnsafe);
        assert_eq!(SourceFile::new("a/b.NDU", b"").class("X"), Class::PotentiallyUnwanted);
    }

    #[test]
    fn every_extension_has_one_loader() {
        let mut extensions: Vec<_> =
            LOADERS.iter().flat_map(|loader| loader.extensions()).collect();
        let count = extensions.len();
        extensions.sort_unstable();
        extensions.dedup();
        assert_eq!(extensions.len(), count);
    }

    #[test]
    fn levels_select_the_engine() {
        assert_eq!(level(&["51", "255"]), Ok(()));
        assert_eq!(level(&["1", "50"]), Err(Rejection::Level));
        assert_eq!(level(&["999"]), Err(Rejection::Level));
        assert_eq!(level(&["x"]), Err(Rejection::Field("level")));
    }
}
