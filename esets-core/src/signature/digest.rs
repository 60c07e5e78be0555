//! Digests of whole objects, `hash:size:name[:minfl[:maxfl]]`, in `.hdb`, `.hsb`, `.hdu`, `.hsu`.

use super::{Loaded, Loader, Rejection, SourceFile, hex, level, name};
use crate::database::DatabaseBuilder;
use crate::subject::Algorithm;
use crate::verdict::Class;

/// The digest of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestSignature<'a> {
    /// The name of what it finds.
    pub name: &'a str,
    /// How bad that is.
    pub class: Class,
    /// The digest.
    pub digest: SourceDigest,
    /// The size of the object in bytes; `None` is any.
    pub size: Option<u64>,
}

/// A digest as a source states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceDigest {
    /// By its length: 16, 20 or 32 bytes.
    pub algorithm: Algorithm,
    /// The digest, zeros behind it.
    pub bytes: [u8; 32],
}

impl SourceDigest {
    /// A digest in hexadecimal digits; its length says the algorithm.
    ///
    /// # Errors
    /// [`Rejection::Field`] for any other length and for what is not a hexadecimal digit.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let parsed = match text.len() {
            32 => hex::<16>(text).map(|bytes| Self::new(Algorithm::Md5, &bytes)),
            40 => hex::<20>(text).map(|bytes| Self::new(Algorithm::Sha1, &bytes)),
            64 => hex::<32>(text).map(|bytes| Self::new(Algorithm::Sha256, &bytes)),
            _ => None,
        };
        parsed.ok_or(Rejection::Field("hash"))
    }

    fn new(algorithm: Algorithm, digest: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
        Self { algorithm, bytes }
    }
}

/// Reads digests of whole objects.
pub(super) struct Digests;

impl Loader for Digests {
    fn about(&self) -> &'static str {
        "digests of whole objects: MD5, SHA-1, SHA-256"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["hdb", "hdu", "hsb", "hsu"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| {
            let line = DigestLine::parse(line)?;
            let class = source.class(line.name);
            builder.add_digest(&DigestSignature {
                name: line.name,
                class,
                digest: line.digest,
                size: line.size,
            })
        })
    }
}

/// A line of digest, size and name, which allow-lists share.
pub(super) struct DigestLine<'a> {
    pub(super) digest: SourceDigest,
    pub(super) size: Option<u64>,
    pub(super) name: &'a str,
}

impl<'a> DigestLine<'a> {
    pub(super) fn parse(line: &'a str) -> Result<Self, Rejection> {
        let fields: Vec<&str> = line.split(':').collect();
        let [digest, size, title, levels @ ..] = &*fields else {
            return Err(Rejection::Field("number of fields"));
        };
        Self::of(digest, size, title, levels)
    }

    /// The same with the size before the digest, as lists of sections have it.
    pub(super) fn parse_size_first(line: &'a str) -> Result<Self, Rejection> {
        let fields: Vec<&str> = line.split(':').collect();
        let [size, digest, title, levels @ ..] = &*fields else {
            return Err(Rejection::Field("number of fields"));
        };
        Self::of(digest, size, title, levels)
    }

    fn of(digest: &str, size: &str, title: &'a str, levels: &[&str]) -> Result<Self, Rejection> {
        let digest = SourceDigest::parse(digest)?;
        let size = match size {
            "*" => None,
            number => Some(number.parse().map_err(|_| Rejection::Field("size"))?),
        };
        let title = name(title)?;
        level(levels)?;
        Ok(Self { digest, size, name: title })
    }
}
