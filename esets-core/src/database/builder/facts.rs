//! What is added of signatures that are no patterns.

use super::super::pool::pool;
use super::super::{allowed, members};
use super::{DatabaseBuilder, SignatureKind};
use crate::signature::{
    DigestSignature, KindSignature, LinkRule, MemberSignature, Rejection, SourceDigest,
};
use crate::subject::Algorithm;

impl DatabaseBuilder {
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

    /// Adds magic bytes of a kind of objects.
    ///
    /// # Errors
    /// [`Rejection::Weak`] if a pattern cannot be searched for at a bearable cost,
    /// [`Rejection::Unsupported`] for one too many: each costs time for every object.
    pub fn add_kind(&mut self, signature: &KindSignature) -> Result<(), Rejection> {
        self.kinds.add(signature)?;
        self.counts.add(SignatureKind::Kind);
        Ok(())
    }

    /// Adds a signature of what a container says of a member.
    ///
    /// # Errors
    /// [`Rejection::Unsupported`] if the database has no room for another name, or too many have
    /// to be asked for every member: those with neither an exact number nor three letters of the
    /// name.
    pub fn add_member(&mut self, signature: &MemberSignature<'_>) -> Result<(), Rejection> {
        let name = self.name(signature.name, signature.class)?;
        let entry = members::Entry::new(signature, name);
        if entry.is_for_all() {
            if self.members_for_all >= MOST_FOR_ALL {
                return Err(Rejection::Unsupported("number of signatures for every member"));
            }
            self.members_for_all = self.members_for_all.saturating_add(1);
        }
        self.members.push(entry);
        self.counts.add(SignatureKind::Member);
        Ok(())
    }

    /// Adds a rule for judging links of mails.
    ///
    /// # Errors
    /// [`Rejection::Unsupported`] if too many expressions would have to be asked for every link.
    pub fn add_link(&mut self, rule: &LinkRule<'_>) -> Result<(), Rejection> {
        self.links.add(rule)?;
        self.counts.add(SignatureKind::Link);
        Ok(())
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
}

/// So many signatures may have to be asked for every member.
const MOST_FOR_ALL: usize = 256;

/// So many passwords are tried at most.
const MOST_PASSWORDS: usize = 64;
