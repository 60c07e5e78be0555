//! Compiles signatures into the bytes of a database.

use std::collections::BTreeSet;

use super::allowed;
use super::digests::{self, key};
use super::format::{Section, assemble};
use super::meta::{self, Counts, SignatureKind};
use super::names::{NamePool, PoolId};
use super::patterns::PatternPool;
use crate::matcher::compile;
use crate::signature::{
    BodySignature, DigestSignature, Loaded, Rejection, SourceDigest, SourceFile,
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
    names: NamePool,
    patterns: PatternPool,
    version: String,
}

/// Digests of one algorithm, as they are collected.
#[derive(Debug, Default)]
struct DigestPool {
    entries: Vec<([u8; digests::KEY], PoolId)>,
    sizes: BTreeSet<u64>,
    any_size: bool,
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

    /// Loads a source with the loader of its extension.
    pub fn load(&mut self, source: &SourceFile<'_>) -> Loaded {
        match source.loader() {
            Some(loader) => loader.load(source, self),
            None => Loaded::refused(source, Rejection::Unsupported("kind of file")),
        }
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
        let [md5, sha1, sha256] = &mut self.digests;
        let pool = match signature.digest.algorithm {
            Algorithm::Md5 => md5,
            Algorithm::Sha1 => sha1,
            Algorithm::Sha256 => sha256,
        };
        pool.entries.push((key(&signature.digest.bytes, signature.size), name));
        pool.any_size |= signature.size.is_none();
        pool.sizes.extend(signature.size);
        self.counts.add(SignatureKind::Digest);
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
        let compiled = compile(&signature.pattern)?;
        let name = self.name(signature.name, signature.class)?;
        self.patterns.add(compiled, signature.offset, signature.target, name);
        self.counts.add(SignatureKind::Body);
        Ok(())
    }

    fn name(&mut self, name: &str, class: Class) -> Result<PoolId, Rejection> {
        self.names.add(name, class).ok_or(Rejection::Unsupported("number of names"))
    }

    /// The bytes of the database, for [`Database::from_bytes`](super::Database::from_bytes).
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        let (names, numbers) = self.names.build();
        let digests = self.digests.map(|pool| {
            let number = |(key, name): &([u8; digests::KEY], _)| (*key, numbers.of(*name));
            let entries: Vec<_> = pool.entries.iter().map(number).collect();
            digests::build(entries, &pool.sizes, pool.any_size)
        });
        let [md5, sha1, sha256] = digests;
        let patterns = self.patterns.build(&numbers);
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
        ])
    }
}
