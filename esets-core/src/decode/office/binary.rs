//! Encryption of Office 97 to 2003: RC4 by MD5, RC4 by CryptoAPI, XOR: \[MS-OFFCRYPTO\] 2.3.5 on.

use super::Hash;
use crate::cursor::Cursor;
use crate::decode::rc4::Rc4;

/// An encryption header and verifier, as CryptoAPI has them.
pub(crate) struct Info {
    pub(super) key_size: usize,
    pub(super) salt: Vec<u8>,
    pub(super) verifier: [u8; 16],
    pub(super) verifier_hash: Vec<u8>,
}

impl Info {
    /// Reads them, behind the version.
    pub(super) fn read(info: &[u8]) -> Option<Self> {
        let mut fields = Cursor::new(info);
        fields.take(4).ok()?; // flags
        let size = usize::try_from(fields.u32_le().ok()?).ok()?;
        let mut header = Cursor::new(fields.take(size).ok()?);
        header.take(16).ok()?; // flags, extra, algorithms
        let bits = usize::try_from(header.u32_le().ok()?).ok()?;
        let salt = usize::try_from(fields.u32_le().ok()?).ok()?;
        let salt = fields.take(salt).ok()?.to_vec();
        let verifier = fields.array().ok()?;
        fields.take(4).ok()?; // size of the hash
        let verifier_hash = fields.take_up_to(32).to_vec();
        // CryptoAPI takes 0 for the 40 bits of old.
        let key_size = if bits == 0 { 5 } else { bits.checked_div(8)? };
        (key_size <= 32).then_some(Self { key_size, salt, verifier, verifier_hash })
    }
}

/// How a document of Office 97 to 2003 is encrypted.
pub(crate) enum Scheme {
    /// RC4 with a 40-bit key by MD5: salt, verifier, its digest.
    Md5 { salt: [u8; 16], verifier: [u8; 16], hash: [u8; 16] },
    /// RC4 with a key by CryptoAPI.
    CryptoApi(Info),
}

/// A key for every block of a document.
#[derive(Clone)]
pub(crate) struct Keys {
    hash: Hash,
    secret: Vec<u8>,
    size: usize,
}

impl Scheme {
    /// Reads the header from its version on.
    pub(crate) fn read(header: &[u8]) -> Option<Self> {
        let mut fields = Cursor::new(header);
        match (fields.u16_le().ok()?, fields.u16_le().ok()?) {
            (1, 1) => Some(Self::Md5 {
                salt: fields.array().ok()?,
                verifier: fields.array().ok()?,
                hash: fields.array().ok()?,
            }),
            (2..=4, 2) => Info::read(fields.rest()).map(Self::CryptoApi),
            _ => None,
        }
    }

    /// The keys by a password in UTF-16; `None` if it is not the right one.
    pub(crate) fn open(&self, password: &[u8]) -> Option<Keys> {
        let (keys, mut verifier, mut hash) = match self {
            Self::Md5 { salt, verifier, hash } => {
                (Keys::by_md5(salt, password)?, *verifier, hash.to_vec())
            }
            Self::CryptoApi(info) => {
                let secret = Hash::Sha1.of(&[&info.salt, password]);
                let keys = Keys { hash: Hash::Sha1, secret, size: info.key_size };
                (keys, info.verifier, info.verifier_hash.clone())
            }
        };
        let mut rc4 = keys.block(0);
        rc4.apply(&mut verifier);
        rc4.apply(&mut hash);
        hash.starts_with(&keys.hash.of(&[&verifier])).then_some(keys)
    }
}

impl Keys {
    fn by_md5(salt: &[u8; 16], password: &[u8]) -> Option<Self> {
        let hash = Hash::Md5.of(&[password]);
        let parts = [hash.get(..5)?, salt];
        let secret = Hash::Md5.of(&parts.repeat(16));
        Some(Self { hash: Hash::Md5, secret: secret.get(..5)?.to_vec(), size: 16 })
    }

    /// The key stream of a block.
    pub(crate) fn block(&self, number: u32) -> Rc4 {
        let mut key = self.hash.of(&[&self.secret, &number.to_le_bytes()]);
        key.truncate(self.size);
        if self.size == 5 {
            key.resize(16, 0);
        }
        Rc4::new(&key)
    }
}

/// The XOR mask of Excel 5 to 95, method 1: \[MS-OFFCRYPTO\] 2.3.7.2.
pub(crate) fn xor_mask(password: &[u8], key: u16) -> [u8; 16] {
    let mut mask = [0; 16];
    let pad = PAD.iter().copied();
    let letters = password.iter().copied().chain(pad).take(16);
    let key = key.to_le_bytes();
    for ((slot, letter), half) in mask.iter_mut().zip(letters).zip(key.iter().cycle()) {
        *slot = (letter ^ half).rotate_left(2);
    }
    mask
}

/// The check value of a password for the XOR mask: \[MS-OFFCRYPTO\] 2.3.7.1.
pub(crate) fn xor_verifier(password: &[u8]) -> u16 {
    let length = u8::try_from(password.len()).unwrap_or(u8::MAX);
    let letters = password.iter().rev().copied().chain([length]);
    let sum = letters.fold(0_u16, |sum, letter| {
        let turned = (sum >> 14 & 1) | (sum << 1 & 0x7FFF);
        turned ^ u16::from(letter)
    });
    sum ^ 0xCE4B
}

/// What short passwords are padded with.
const PAD: [u8; 15] =
    [0xBB, 0xFF, 0xFF, 0xBA, 0xFF, 0xFF, 0xB9, 0x80, 0x00, 0xBE, 0x0F, 0x00, 0xBF, 0x0F, 0x00];
