//! Signature sources: one file per format, one row each in [`LOADERS`], into one form.
//!
//! The formats are those of ClamAV's signature manual ("Signature formats"). A line that cannot be
//! used costs that line only and is reported with file, line and cause.

mod allow;
mod body;
mod comparison;
mod condition;
mod container;
mod digest;
mod ere;
mod expression;
mod ignore;
mod imports;
mod kinds;
mod ldb;
mod links;
mod loaded;
mod magic;
mod member;
mod ndb;
mod offset;
mod old;
mod password;
mod pattern;
mod regex;
mod section;
mod sub;
mod target;
mod unused;

use crate::database::DatabaseBuilder;
use crate::verdict::Class;

pub use comparison::{Comparison, Notation};
pub use condition::Condition;
pub use container::{Manifest, each_member};
pub use digest::{DigestSignature, SourceDigest};
pub use expression::{Expression, Test};
pub(crate) use kinds::{Kinds, is_kind};
pub use ldb::LogicalSignature;
pub use links::{LinkRule, Threat};
pub use loaded::{Loaded, Rejected, Rejection};
pub use magic::{KindSignature, Magic};
pub use member::MemberSignature;
pub(crate) use member::Span;
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
    &container::Containers,
    &digest::Digests,
    &ignore::IgnoreLists,
    &imports::Imports,
    &ldb::Logicals,
    &links::Links,
    &magic::Magics,
    &member::Members,
    &member::OldMembers,
    &ndb::Bodies,
    &old::OldBodies,
    &password::Passwords,
    &section::Sections,
    &unused::Bytecode,
    &unused::Certificates,
    &unused::Configuration,
    &unused::Icons,
    &unused::Indicators,
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

    /// Whether it holds other sources.
    #[must_use]
    pub fn is_container(&self) -> bool {
        container::EXTENSIONS.contains(&&*self.extension())
    }

    /// Whether it must be loaded before others: it says which signatures are left out of them.
    #[must_use]
    pub fn comes_first(&self) -> bool {
        ignore::EXTENSIONS.contains(&&*self.extension())
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
    fn each_line(
        &self,
        builder: &mut DatabaseBuilder,
        mut parse: impl FnMut(&str, &mut DatabaseBuilder) -> Result<(), Rejection>,
    ) -> Loaded {
        let mut loaded = Loaded::default();
        for (number, line) in (1..).zip(self.bytes.split(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let text = std::str::from_utf8(line).map_err(|_| Rejection::Field("text"));
            let outcome = text.and_then(|text| {
                builder.begin_line(text);
                parse(text, builder)
            });
            loaded.note(self.name, number, outcome);
        }
        loaded
    }
}

/// Compiles sources into the bytes of a database, and says what came of them.
///
/// The same sources in the same order give the same bytes. Ignore lists are loaded first, wherever
/// they stand.
pub fn compile<'a>(
    version: &str,
    sources: impl IntoIterator<Item = SourceFile<'a>>,
) -> (Vec<u8>, Loaded) {
    let mut builder = DatabaseBuilder::new();
    builder.set_version(version);
    let mut loaded = Loaded::default();
    let mut sources: Vec<_> = sources.into_iter().collect();
    sources.sort_by_key(|source| !source.comes_first());
    for source in sources {
        loaded.append(builder.load(&source));
    }
    (builder.build(), loaded)
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

/// Bytes written as hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| hex::<1>(std::str::from_utf8(pair).ok()?);
    let bytes: Option<Vec<[u8; 1]>> = pairs.iter().map(byte).collect();
    bytes.filter(|_| rest.is_empty()).map(|bytes| bytes.concat())
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
