//! Digests, as they are collected.

use std::collections::BTreeSet;

use super::digests::{self, key};
use super::names::{Numbers, PoolId};
use crate::signature::DigestSignature;
use crate::subject::Algorithm;

/// Digests of one algorithm, as they are collected.
#[derive(Debug, Default)]
pub(super) struct DigestPool {
    entries: Vec<([u8; digests::KEY], PoolId)>,
    sizes: BTreeSet<u64>,
    any_size: bool,
}

impl DigestPool {
    pub(super) fn add(&mut self, signature: &DigestSignature<'_>, name: PoolId) {
        self.entries.push((key(&signature.digest.bytes, signature.size), name));
        self.any_size |= signature.size.is_none();
        self.sizes.extend(signature.size);
    }

    pub(super) fn build(&self, numbers: &Numbers) -> Vec<u8> {
        let number = |(key, name): &([u8; digests::KEY], _)| (*key, numbers.of(*name));
        let entries: Vec<_> = self.entries.iter().map(number).collect();
        digests::build(entries, &self.sizes, self.any_size)
    }
}

/// The pool of an algorithm.
pub(super) fn pool(pools: &mut [DigestPool; 3], algorithm: Algorithm) -> &mut DigestPool {
    let [md5, sha1, sha256] = pools;
    match algorithm {
        Algorithm::Md5 => md5,
        Algorithm::Sha1 => sha1,
        Algorithm::Sha256 => sha256,
    }
}
