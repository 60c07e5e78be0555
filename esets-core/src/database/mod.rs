//! The signatures of a scanner: compiled by [`DatabaseBuilder`], read in place by [`Database`].

mod allowed;
mod builder;
mod default;
mod digests;
mod error;
mod evaluate;
mod executable;
mod format;
mod ignored;
mod kinds;
mod links;
mod logical;
mod members;
mod meta;
mod names;
mod offsets;
mod patterns;
mod pool;
mod regexes;
mod row;
mod search;
mod special;
mod url;
mod view;
mod views;

use std::{fmt, iter};

use bytes::Bytes;

use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::heuristic::Findings;
use crate::session::{Interrupt, Interruption};
use crate::signature::Kinds;
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};
use format::{Layout, Section};

pub use builder::DatabaseBuilder;
pub use default::compile_default;
pub use error::DatabaseError;
pub use meta::{Counts, SignatureKind};

/// Signatures, compiled and read in place. Cloning shares them.
#[derive(Clone, Default)]
pub struct Database {
    file: Bytes,
    layout: Layout,
    link_regexes: regexes::Regexes,
    member_regexes: regexes::Regexes,
    regexes: regexes::Regexes,
}

impl Database {
    /// The default database that every build carries.
    #[must_use]
    pub fn embedded() -> Self {
        // A test opens it, so that it never is the empty one.
        Self::from_bytes(Bytes::from_static(default::COMPILED)).unwrap_or_default()
    }

    /// Opens a compiled database: bytes that [`DatabaseBuilder::build`] made, from a vector, a
    /// static slice, or a mapping through [`Bytes::from_owner`].
    ///
    /// This reads the header and the section table only, whatever the number of signatures. All
    /// other bytes may hold anything: a damaged database finds less or something else, and that
    /// is all. [`Database::verify`] tells.
    ///
    /// # Errors
    /// [`DatabaseError`] if the header or the section table is not sound.
    pub fn from_bytes(file: impl Into<Bytes>) -> Result<Self, DatabaseError> {
        let file = file.into();
        let layout = Layout::read(&file)?;
        Ok(Self { file, layout, ..Self::default() })
    }

    /// Reads the whole database and compares it with the digest in its header.
    ///
    /// # Errors
    /// [`DatabaseError::Damaged`] if a bit has changed since it was compiled.
    pub fn verify(&self) -> Result<(), DatabaseError> {
        format::verify(&self.file)
    }

    /// Its version in words, as it was compiled; may be empty.
    #[must_use]
    pub fn version(&self) -> &str {
        meta::version(self.section(Section::Meta))
    }

    /// The version of the file format.
    #[must_use]
    pub fn format_version(&self) -> u32 {
        format::VERSION
    }

    /// How many signatures it has, by kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        meta::counts(self.section(Section::Meta))
    }

    /// The names of its signatures, sorted; a name that several have comes once.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let section = self.section(Section::Names);
        (0..).map_while(move |number| names::read(section, number)).map(|(name, _)| name)
    }

    /// The size of the compiled form in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.file.len()
    }

    fn section(&self, section: Section) -> &[u8] {
        self.layout.section(&self.file, section)
    }

    /// The passwords to try on encrypted archives.
    pub(crate) fn passwords(&self) -> impl Iterator<Item = &[u8]> {
        let mut cursor = Cursor::new(self.section(Section::Passwords));
        iter::from_fn(move || {
            let length = cursor.u8().ok()?;
            cursor.take(length.into()).ok()
        })
    }

    /// The kinds that `subject` is of by the magic bytes in the database, on top of its formats.
    pub(crate) fn kinds(&self, subject: &Subject<'_>, findings: &mut Findings) -> Kinds {
        let (bytes, patterns) =
            (self.section(Section::KindBytes), self.section(Section::KindPatterns));
        let (kinds, outcome) = kinds::of(bytes, patterns, subject);
        if outcome.is_err() {
            findings.not_scanned(Reason::Limit(Limit::Comparisons));
        }
        kinds
    }

    /// Adds to `findings` what the signatures say of `subject`, asking the caller whether to go on
    /// and taking memory from the budget of a lease.
    pub(crate) fn search(
        &self,
        subject: &Subject<'_>,
        means: (&dyn Interrupt, &Lease),
        findings: &mut Findings,
    ) -> Result<(), Interruption> {
        search::search(self, subject, means, findings)
    }

    /// Adds to `findings` what the lists of links say of `subject`.
    pub(crate) fn judge_links(
        &self,
        subject: &Subject<'_>,
        memory: &Lease,
        findings: &mut Findings,
    ) {
        links::search(self, subject, memory, findings);
    }

    /// Whether `subject` is known to be good.
    pub(crate) fn allows(&self, subject: &Subject<'_>) -> bool {
        allowed::contains(self.section(Section::Allowed), subject)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("size", &self.size())
            .field("version", &self.version())
            .field("counts", &self.counts())
            .finish()
    }
}
