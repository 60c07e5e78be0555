//! Encryption of Office documents: \[MS-OFFCRYPTO\].

pub(crate) mod agile;
pub(crate) mod binary;
pub(crate) mod excel;
pub(crate) mod key_stream;
pub(crate) mod powerpoint;
pub(crate) mod standard;

use std::io::{self, Read};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::decode::aes::{Aes, BLOCK};

/// A digest algorithm by the name that documents use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn named(name: &str) -> Option<Self> {
        match name {
            "MD5" => Some(Self::Md5),
            "SHA1" | "SHA-1" => Some(Self::Sha1),
            "SHA256" | "SHA-256" => Some(Self::Sha256),
            "SHA384" | "SHA-384" => Some(Self::Sha384),
            "SHA512" | "SHA-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The digest of all parts, one after the other.
    fn of(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Md5 => digest::<Md5>(parts),
            Self::Sha1 => digest::<Sha1>(parts),
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }

    /// The digest of salt and password, hashed on `spins` times with a counter in front.
    fn spun(self, salt: &[u8], password: &[u8], spins: u32) -> Vec<u8> {
        let first = self.of(&[salt, password]);
        (0..spins).fold(first, |hash, spin| self.of(&[&spin.to_le_bytes(), &hash]))
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = D::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().to_vec()
}

/// How many digests may be computed for one document: guessing must not take longer than a scan.
pub(crate) struct Effort {
    digests: u32,
}

impl Effort {
    pub(crate) fn new() -> Self {
        Self { digests: 2_000_000 }
    }

    /// Whether `digests` more may be computed.
    fn spend(&mut self, digests: u32) -> Option<()> {
        self.digests = self.digests.checked_sub(digests)?;
        Some(())
    }
}

/// A password as documents hash it: UTF-16 in little-endian order.
pub(crate) fn utf16(password: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(password);
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The initial vector of each segment; without, blocks are decrypted each for itself.
type Vectors = Box<dyn Fn(u32) -> [u8; BLOCK]>;

/// Decrypts the stream `EncryptedPackage`: its size, then segments of 4 KiB.
pub(crate) struct PackageReader<R> {
    inner: R,
    aes: Aes,
    vectors: Option<Vectors>,
    left: u64,
    segment: Vec<u8>,
    at: usize,
    count: u32,
}

impl<R: Read> PackageReader<R> {
    fn new(mut inner: R, aes: Aes, vectors: Option<Vectors>) -> io::Result<Self> {
        let mut size = [0; 8];
        inner.read_exact(&mut size)?;
        let left = u64::from_le_bytes(size);
        Ok(Self { inner, aes, vectors, left, segment: Vec::new(), at: 0, count: 0 })
    }

    fn next_segment(&mut self) -> io::Result<()> {
        self.segment = super::head(&mut self.inner, SEGMENT);
        if self.segment.is_empty() {
            // Only now does it matter why there was no more.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match &self.vectors {
            Some(vectors) => self.aes.cbc(vectors(self.count), &mut self.segment),
            None => self.aes.ecb(&mut self.segment),
        }
        let size = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.segment.truncate(size);
        self.left = self.left.saturating_sub(self.segment.len() as u64);
        self.at = 0;
        self.count = self.count.wrapping_add(1);
        Ok(())
    }
}

impl<R: Read> Read for PackageReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.segment.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.next_segment()?;
        }
        let count = self.segment.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// The first bytes of `hash`, padded as the standard says, as the vector of a block.
fn vector(hash: &[u8]) -> [u8; BLOCK] {
    let mut vector = [PAD; BLOCK];
    vector.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    vector
}

const SEGMENT: usize = 4096;
/// What a digest that is too short for a key is padded with.
const PAD: u8 = 0x36;
