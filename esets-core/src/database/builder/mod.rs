//! Compiles signatures into the bytes of a database.

mod facts;
mod patterns;

use std::iter;

use super::format::{Section, assemble};
use super::ignored::IgnoredNames;
use super::meta::{self, Counts, SignatureKind};
use super::names::{NamePool, PoolId};
use super::patterns::PatternPool;
use super::pool::DigestPool;
use super::{allowed, kinds, links, logical, members};
use crate::signature::{Loaded, Rejection, SourceFile};
use crate::verdict::Class;

/// Compiles signatures into the bytes of a database. The same signatures in the same order give
/// the same bytes.
#[derive(Debug, Default)]
pub struct DatabaseBuilder {
    allowed: Vec<allowed::Entry>,
    counts: Counts,
    digests: [DigestPool; 3],
    ignored: IgnoredNames,
    imports: DigestPool,
    kinds: kinds::KindPool,
    links: links::Lists,
    logicals: Vec<logical::Entry>,
    members: Vec<members::Entry>,
    members_for_all: usize,
    names: NamePool,
    groups: Vec<(u8, u32)>,
    passwords: Vec<Vec<u8>>,
    patterns: PatternPool,
    sections: [DigestPool; 3],
    specials: Vec<u8>,
    unconditional: Vec<u32>,
    unsigned: bool,
    version: String,
}

impl DatabaseBuilder {
    /// A builder of an empty database.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// States the version in words, at most 255 bytes.
    pub fn set_version(&mut self, version: &str) {
        version.clone_into(&mut self.version);
    }

    /// Whether containers that nobody signed (`.cud`) are taken; they are not unless asked for.
    pub fn take_unsigned(&mut self, take: bool) {
        self.unsigned = take;
    }

    /// Whether containers that nobody signed are taken.
    #[must_use]
    pub fn takes_unsigned(&self) -> bool {
        self.unsigned
    }

    /// Leaves out what is added under this name from now on; with an MD5 only the source line
    /// that hashes to it.
    pub fn add_ignored(&mut self, name: &str, line: Option<[u8; 16]>) {
        self.ignored.add(name, line);
    }

    /// The line that signatures come from until the next one begins.
    pub(crate) fn begin_line(&mut self, line: &str) {
        self.ignored.begin_line(line);
    }

    /// Loads a source with the loader of its extension.
    pub fn load(&mut self, source: &SourceFile<'_>) -> Loaded {
        let loaded = match source.loader() {
            Some(loader) => loader.load(source, self),
            None => Loaded::refused(source, Rejection::Unsupported("kind of file")),
        };
        // A container has counted what is in it.
        if !source.is_container() {
            self.counts.refuse(loaded.rejected.len() as u64);
        }
        loaded
    }

    /// What was added, by kind.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn name(&mut self, name: &str, class: Class) -> Result<PoolId, Rejection> {
        if self.ignored.covers(name) {
            return Err(Rejection::Ignored);
        }
        self.names.add(name, class).ok_or(Rejection::Unsupported("number of names"))
    }

    /// The bytes of the database, for [`Database::from_bytes`](super::Database::from_bytes).
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        let (names, numbers) = self.names.build();
        let [md5, sha1, sha256] = self.digests.map(|pool| pool.build(&numbers));
        let [section_md5, section_sha1, section_sha256] =
            self.sections.map(|pool| pool.build(&numbers));
        let patterns = self.patterns.build(&numbers);
        let (places, logicals) = logical::build(&self.logicals, &numbers);
        let (members, member_keys) = members::build(&self.members, &numbers);
        let (kind_bytes, kind_patterns) = self.kinds.build();
        let passwords = self.passwords.iter().flat_map(|password| {
            let length = u8::try_from(password.len()).unwrap_or(u8::MAX);
            iter::once(length).chain(password.iter().copied())
        });
        let passwords = passwords.collect();
        let unconditional = self.unconditional.iter().flat_map(|number| number.to_le_bytes());
        let group = |(group, row): &(u8, u32)| [&[*group], &row.to_le_bytes()[..]].concat();
        let groups = self.groups.iter().flat_map(group);
        assemble(&[
            (Section::Meta, meta::build(&self.version, &self.counts)),
            (Section::Names, names),
            (Section::Md5, md5),
            (Section::Sha1, sha1),
            (Section::Sha256, sha256),
            (Section::Allowed, allowed::build(self.allowed)),
            (Section::Patterns, patterns.patterns),
            (Section::Offsets, patterns.offsets),
            (Section::Users, patterns.users),
            (Section::Programs, patterns.programs),
            (Section::Prefilter, patterns.tables.prefilter),
            (Section::Keys8, patterns.tables.keys8),
            (Section::Keys4, patterns.tables.keys4),
            (Section::Lists, patterns.tables.lists),
            (Section::Unanchored, patterns.unanchored),
            (Section::LogicalPlaces, places),
            (Section::Logicals, logicals),
            (Section::Unconditional, unconditional.collect()),
            (Section::PartMd5, section_md5),
            (Section::PartSha1, section_sha1),
            (Section::PartSha256, section_sha256),
            (Section::ImportsMd5, self.imports.build(&numbers)),
            (Section::Specials, self.specials),
            (Section::Groups, groups.collect()),
            (Section::Passwords, passwords),
            (Section::Views, patterns.views),
            (Section::Links, self.links.build()),
            (Section::Members, members),
            (Section::MemberKeys, member_keys),
            (Section::KindBytes, kind_bytes),
            (Section::KindPatterns, kind_patterns),
        ])
    }
}
