//! Compiles signatures into the bytes of a database.

use std::iter;

use super::format::{Section, assemble};
use super::ignored::IgnoredNames;
use super::meta::{self, Counts, SignatureKind};
use super::names::{NamePool, PoolId};
use super::patterns::{PatternPool, User};
use super::pool::{DigestPool, pool};
use super::row::LOGICAL;
use super::{allowed, logical, special};
use crate::matcher::{Compiled, compile};
use crate::signature::{
    BodySignature, DigestSignature, Loaded, LogicalSignature, Offset, Pattern, Rejection,
    SourceDigest, SourceFile, Sub, Target,
};
use crate::subject::Algorithm;
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
    logicals: Vec<logical::Entry>,
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

    /// Adds a password to try on encrypted archives, at most 255 bytes.
    ///
    /// # Errors
    /// [`Rejection::Unsupported`] if it is too long, or one too many: each costs time.
    pub fn add_password(&mut self, password: &[u8]) -> Result<(), Rejection> {
        if password.len() > 255 {
            return Err(Rejection::Unsupported("length of the password"));
        }
        if !self.passwords.iter().any(|known| known == password) {
            if self.passwords.len() >= MOST_PASSWORDS {
                return Err(Rejection::Unsupported("number of passwords"));
            }
            self.passwords.push(password.to_vec());
        }
        self.counts.add(SignatureKind::Password);
        Ok(())
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

    /// Adds a digest to accuse.
    ///
    /// # Errors
    /// [`Rejection::Unsupported`] if the database has no room for another name.
    pub fn add_digest(&mut self, signature: &DigestSignature<'_>) -> Result<(), Rejection> {
        let name = self.name(signature.name, signature.class)?;
        pool(&mut self.digests, signature.digest.algorithm).add(signature, name);
        self.counts.add(SignatureKind::Digest);
        Ok(())
    }

    /// Adds the digest of a section of PE files; its size is that of the section in the file.
    ///
    /// # Errors
    /// [`Rejection::Unsupported`] if the database has no room for another name.
    pub fn add_section(&mut self, signature: &DigestSignature<'_>) -> Result<(), Rejection> {
        let name = self.name(signature.name, signature.class)?;
        pool(&mut self.sections, signature.digest.algorithm).add(signature, name);
        self.counts.add(SignatureKind::Section);
        Ok(())
    }

    /// Adds the digest of what PE files import, see
    /// [`Executable::import_hash`](crate::Executable::import_hash); its size is the
    /// length of the text that is hashed.
    ///
    /// # Errors
    /// [`Rejection::Unsupported`] for another digest than MD5, and if the database has no room for
    /// another name.
    pub fn add_imports(&mut self, signature: &DigestSignature<'_>) -> Result<(), Rejection> {
        if signature.digest.algorithm != Algorithm::Md5 {
            return Err(Rejection::Unsupported("digest of imports: only MD5 is used for them"));
        }
        let name = self.name(signature.name, signature.class)?;
        self.imports.add(signature, name);
        self.counts.add(SignatureKind::Imports);
        Ok(())
    }

    /// Adds a digest to allow; `None` is any size.
    pub fn add_allowed(&mut self, digest: SourceDigest, size: Option<u64>) {
        self.allowed.push(allowed::entry(digest, size));
        self.counts.add(SignatureKind::Allowed);
    }

    /// Adds a pattern.
    ///
    /// # Errors
    /// [`Rejection::Weak`] if it cannot be searched for at a bearable cost.
    pub fn add_body(&mut self, signature: &BodySignature<'_>) -> Result<(), Rejection> {
        let compiled = compile(&signature.pattern, &signature.offset)?;
        let name = self.name(signature.name, signature.class)?;
        let row = self.patterns.add(compiled, signature.offset, signature.target)?;
        self.patterns.used_by(row, User::Name(name));
        self.counts.add(SignatureKind::Body);
        Ok(())
    }

    /// Adds a pattern to a group that logical signatures name: `${2-9}3$`.
    ///
    /// # Errors
    /// [`Rejection::Weak`] if it cannot be searched for at a bearable cost.
    pub fn add_group_member(
        &mut self,
        group: u8,
        target: Target,
        pattern: &Pattern,
    ) -> Result<(), Rejection> {
        let offset = Offset::default();
        let row = self.patterns.add(compile(pattern, &offset)?, offset, target)?;
        self.groups.push((group, row));
        self.counts.add(SignatureKind::Body);
        Ok(())
    }

    /// Adds a logical signature.
    ///
    /// # Errors
    /// [`Rejection::Weak`] if one of its patterns cannot be searched for at a bearable cost.
    pub fn add_logical(&mut self, signature: &LogicalSignature<'_>) -> Result<(), Rejection> {
        let compiled: Vec<Vec<Compiled>> =
            signature.subs.iter().map(compiled).collect::<Result<_, _>>()?;
        let trigger = |sub: u8| signature.subs.get(usize::from(sub)).and_then(|it| it.trigger(sub));
        let own = |sub: u8| compiled.get(usize::from(sub)).map_or(0, |patterns| price(patterns));
        let cost = |sub: u8| match trigger(sub) {
            None => own(sub),
            // It is tried only when all that is cheaper was found.
            Some(trigger) => trigger.cost(&own).saturating_add(SPECIAL_PRICE),
        };
        let pattern = |sub: u8| Some(vec![sub]);
        let leaf = |sub: u8| match trigger(sub) {
            None => pattern(sub),
            Some(trigger) => trigger.necessary(&own, &|sub| match signature
                .subs
                .get(usize::from(sub))
            {
                Some(Sub::Patterns { .. }) => pattern(sub),
                // Whatever it depends on in turn, a pattern of it is only one step away.
                _ => signature.subs.get(usize::from(sub))?.trigger(sub)?.necessary(&own, &pattern),
            }),
        };
        let necessary = signature.expression.necessary(&cost, &leaf);
        let counted = (0..64).filter_map(trigger).map(|trigger| trigger.counted());
        let counted = counted.fold(signature.expression.counted(), |all, bits| all | bits);
        let expression = signature.expression.sorted(&cost);
        let number = u32::try_from(self.logicals.len()).ok().filter(|number| *number < LOGICAL);
        let number = number.ok_or(Rejection::Unsupported("number of signatures"))?;
        let name = self.name(signature.name, signature.class)?;
        let subs = self.add_subs(signature, compiled)?;
        match necessary {
            None => self.unconditional.push(number),
            Some(necessary) => {
                let rows = necessary.iter().filter_map(|sub| subs.get(usize::from(*sub))).flatten();
                rows.for_each(|row| self.patterns.used_by(*row, User::Logical(number)));
            }
        }
        let (target, conditions) = (signature.target, signature.conditions.clone());
        self.logicals.push(logical::Entry { name, target, conditions, expression, counted, subs });
        self.counts.add(SignatureKind::Logical);
        Ok(())
    }

    /// For each sub-signature the rows of its patterns, or its place among the special ones.
    fn add_subs(
        &mut self,
        signature: &LogicalSignature<'_>,
        compiled: Vec<Vec<Compiled>>,
    ) -> Result<Vec<Vec<u32>>, Rejection> {
        let mut subs = Vec::new();
        for ((own, sub), compiled) in (0_u8..).zip(&signature.subs).zip(compiled) {
            subs.push(if let Sub::Patterns { offset, .. } = sub {
                let add = |pattern| self.patterns.add(pattern, *offset, signature.target);
                compiled.into_iter().map(add).collect::<Result<_, _>>()?
            } else {
                let place = special::push(own, sub, &mut self.specials);
                let place = place.ok_or(Rejection::Unsupported("number of sub-signatures"))?;
                vec![place | special::SPECIAL]
            });
        }
        Ok(subs)
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
        ])
    }
}

/// The patterns of a sub-signature, if it has some.
fn compiled(sub: &Sub) -> Result<Vec<Compiled>, Rejection> {
    match sub {
        Sub::Patterns { offset, patterns } => {
            patterns.iter().map(|pattern| compile(pattern, offset)).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// What it costs to search for any of these patterns all the time.
fn price(patterns: &[Compiled]) -> u64 {
    patterns.iter().map(Compiled::price).fold(0, u64::saturating_add)
}

/// What a sub-signature costs that is no pattern: more than any pattern.
const SPECIAL_PRICE: u64 = 1 << 40;

/// So many passwords are tried at most.
const MOST_PASSWORDS: usize = 64;
