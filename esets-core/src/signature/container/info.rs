//! What `.info` says of the other members: `name:size:sha256`, one line each, and who says so.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::trust::Key;
use crate::signature::{Rejection, hex};

/// What a `.info` file says of the sources that lie beside it, unpacked from a container: those of
/// its own name must be as it says.
#[derive(Debug)]
pub struct Manifest(Info);

impl Manifest {
    /// Reads a `.info` file.
    ///
    /// # Errors
    /// [`Rejection::Field`] if it is none, [`Rejection::Untrusted`] if it states a signature that
    /// is not ClamAV's; one without is taken.
    pub fn parse(bytes: &[u8]) -> Result<Self, Rejection> {
        let info = Info::parse(bytes, &super::trust::CLAMAV.info)?;
        if info.states_signature && !info.is_signed {
            return Err(Rejection::Untrusted("signature of .info"));
        }
        Ok(Self(info))
    }

    /// Checks a source, by its name without folders.
    ///
    /// # Errors
    /// [`Rejection::Untrusted`] if it is not listed, or has another size or digest.
    pub fn check(&self, name: &str, content: &[u8]) -> Result<(), Rejection> {
        if self.0.lists(name, content) {
            Ok(())
        } else {
            Err(Rejection::Untrusted("it is not as in .info"))
        }
    }
}

/// What `.info` says of the other members.
#[derive(Debug, Default)]
pub(super) struct Info {
    members: HashMap<String, (u64, [u8; 32])>,
    states_signature: bool,
    is_signed: bool,
}

impl Info {
    /// Reads the lines; the signature, if there is one, stands behind `DSIG:` in the last.
    pub(super) fn parse(text: &[u8], key: &Key) -> Result<Self, Rejection> {
        let mut info = Self::default();
        let mut before = 0_usize;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let words = std::str::from_utf8(line).map_err(|_| Rejection::Field("info"))?;
            let words = words.trim_end();
            if let Some(signature) = words.strip_prefix("DSIG:") {
                info.states_signature = true;
                info.is_signed = key.signed_text(text.get(..before).unwrap_or_default(), signature);
                let is_last = before.saturating_add(line.len()) == text.len();
                return if is_last { Ok(info) } else { Err(Rejection::Field("info")) };
            }
            before = before.saturating_add(line.len());
            if !words.is_empty() && !words.starts_with("ClamAV-VDB:") {
                let (name, facts) = member(words).ok_or(Rejection::Field("info"))?;
                info.members.insert(name, facts);
            }
        }
        Ok(info)
    }

    /// Whether the owner of the key signed it.
    pub(super) fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// Whether it lists this very content under this name.
    pub(super) fn lists(&self, name: &str, content: &[u8]) -> bool {
        self.members.get(name).is_some_and(|(size, digest)| {
            *size == content.len() as u64 && *digest == <[u8; 32]>::from(Sha256::digest(content))
        })
    }
}

fn member(line: &str) -> Option<(String, (u64, [u8; 32]))> {
    let mut fields = line.split(':');
    let (name, size, digest) = (fields.next()?, fields.next()?, fields.next()?);
    let facts = (size.parse().ok()?, hex::<32>(digest)?);
    fields.next().is_none().then(|| (name.to_owned(), facts))
}
