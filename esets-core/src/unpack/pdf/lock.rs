//! The standard security handler: ISO 32000-2, 7.6, and Adobe's extensions 3 and 8 before it.

use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};

use super::value::Value;
use crate::decode::aes::{Aes, BLOCK, encrypt_cbc};
use crate::decode::rc4::Rc4;

/// A document that a password has opened.
pub(super) struct Lock {
    key: Vec<u8>,
    strings: Cipher,
    streams: Cipher,
    files: Cipher,
    is_metadata_clear: bool,
}

/// How strings or streams are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    Aes128,
    Aes256,
    Identity,
    Rc4,
}

impl Lock {
    /// Opens a document with the first password that fits; `id` is the first one of the trailer.
    pub(super) fn open(encrypt: &Value, id: &[u8], passwords: &[Vec<u8>]) -> Option<Self> {
        if !encrypt.is("Filter", "Standard") {
            return None;
        }
        let handler = Handler::read(encrypt, id)?;
        let key = passwords.iter().find_map(|password| handler.key(password))?;
        let version = encrypt.get("V").and_then(Value::number).unwrap_or(0);
        let cipher = |kind| if version < 4 { Cipher::Rc4 } else { cipher(encrypt, kind) };
        let streams = cipher("StmF");
        Some(Self {
            key,
            strings: cipher("StrF"),
            streams,
            files: if encrypt.get("EFF").is_some() { cipher("EFF") } else { streams },
            is_metadata_clear: handler.is_metadata_clear,
        })
    }

    /// A string of an object, in the clear.
    pub(super) fn string(&self, number: u32, generation: u16, text: &[u8]) -> Vec<u8> {
        self.decrypt(self.strings, (number, generation), text)
    }

    /// The data of a stream in the clear, `None` if that is how they lie.
    pub(super) fn stream(
        &self,
        number: u32,
        generation: u16,
        dict: &Value,
        data: &[u8],
    ) -> Option<Vec<u8>> {
        let first = dict.get("Filter").and_then(|filter| filter.elements().first());
        let has_filter = first.and_then(Value::name) == Some(b"Crypt");
        let cipher = if dict.is("Type", "EmbeddedFile") { self.files } else { self.streams };
        let is_clear = cipher == Cipher::Identity
            || has_filter
            || dict.is("Type", "XRef")
            || (self.is_metadata_clear && dict.is("Type", "Metadata"));
        (!is_clear).then(|| self.decrypt(cipher, (number, generation), data))
    }

    fn decrypt(&self, cipher: Cipher, object: (u32, u16), data: &[u8]) -> Vec<u8> {
        match cipher {
            Cipher::Identity => data.to_vec(),
            Cipher::Rc4 => {
                let mut data = data.to_vec();
                Rc4::new(&self.object_key(object, b"")).apply(&mut data);
                data
            }
            Cipher::Aes128 => aes(&self.object_key(object, b"sAlT"), data),
            Cipher::Aes256 => aes(&self.key, data),
        }
    }

    /// The key of one object.
    fn object_key(&self, (number, generation): (u32, u16), salt: &[u8]) -> Vec<u8> {
        let [a, b, c, _] = number.to_le_bytes();
        let [d, e] = generation.to_le_bytes();
        let mut key = md5(&[&self.key, &[a, b, c, d, e], salt]);
        key.truncate(self.key.len().saturating_add(5).min(16));
        key
    }
}

/// The cipher that a crypt filter names.
fn cipher(encrypt: &Value, kind: &str) -> Cipher {
    let name = encrypt.get(kind).and_then(Value::name).unwrap_or(b"Identity");
    let name = String::from_utf8_lossy(name);
    let filter = encrypt.get("CF").and_then(|filters| filters.get(&name));
    match filter.and_then(|filter| filter.get("CFM")).and_then(Value::name) {
        Some(b"V2") => Cipher::Rc4,
        Some(b"AESV2") => Cipher::Aes128,
        Some(b"AESV3") => Cipher::Aes256,
        _ => Cipher::Identity,
    }
}

/// Decrypts what begins with its initial vector, and takes the padding off.
fn aes(key: &[u8], data: &[u8]) -> Vec<u8> {
    let (Some((iv, data)), Some(aes)) = (data.split_first_chunk::<BLOCK>(), Aes::new(key)) else {
        return Vec::new();
    };
    let whole = data.len().saturating_sub(data.len() % BLOCK);
    let mut data = data.get(..whole).unwrap_or_default().to_vec();
    aes.cbc(*iv, &mut data);
    if let Some(padding @ 1..=16) = data.last().copied() {
        data.truncate(data.len().saturating_sub(usize::from(padding)));
    }
    data
}

/// What the dictionary says about passwords.
struct Handler<'a> {
    revision: i64,
    /// Bytes of the key.
    length: usize,
    owner: &'a [u8],
    user: &'a [u8],
    owner_key: &'a [u8],
    user_key: &'a [u8],
    permissions: [u8; 4],
    id: &'a [u8],
    is_metadata_clear: bool,
}

impl<'a> Handler<'a> {
    fn read(encrypt: &'a Value, id: &'a [u8]) -> Option<Self> {
        let text = |key: &str| encrypt.get(key).and_then(Value::text);
        let number = |key: &str| encrypt.get(key).and_then(Value::number);
        let version = number("V").unwrap_or(0);
        let bits = match version {
            4 => 128,
            1 => 40,
            _ => number("Length").unwrap_or(40),
        };
        // Stored as signed or unsigned.
        let [a, b, c, d, ..] = number("P").unwrap_or(0).to_le_bytes();
        let clear = encrypt.get("EncryptMetadata");
        Some(Self {
            revision: number("R")?,
            length: usize::try_from(bits / 8).ok()?.clamp(5, 16),
            owner: text("O")?,
            user: text("U")?,
            owner_key: text("OE").unwrap_or_default(),
            user_key: text("UE").unwrap_or_default(),
            permissions: [a, b, c, d],
            id,
            is_metadata_clear: matches!(clear, Some(Value::Word(word)) if word == b"false"),
        })
    }

    /// The key of the document, if the password is the user's or the owner's.
    fn key(&self, password: &[u8]) -> Option<Vec<u8>> {
        if self.revision >= 5 {
            let password = password.get(..127).unwrap_or(password);
            return self.key_256(password);
        }
        let by_owner = || self.user_password(password);
        self.key_128(password).or_else(|| self.key_128(&by_owner()))
    }

    /// Algorithms 2, 4 and 5.
    fn key_128(&self, password: &[u8]) -> Option<Vec<u8>> {
        let owner = self.owner.get(..32).unwrap_or(self.owner);
        let clear: &[u8] =
            if self.revision >= 4 && self.is_metadata_clear { &[0xFF; 4] } else { &[] };
        let mut key = md5(&[&pad(password), owner, &self.permissions, self.id, clear]);
        key.truncate(self.length);
        if self.revision >= 3 {
            for _ in 0..50 {
                key = md5(&[&key]);
                key.truncate(self.length);
            }
        }
        let mut proof = if self.revision >= 3 { md5(&[&PAD, self.id]) } else { PAD.to_vec() };
        for step in 0..self.steps() {
            Rc4::new(&masked(&key, step)).apply(&mut proof);
        }
        self.user.starts_with(&proof).then_some(key)
    }

    /// Algorithm 7: the user's password from the owner's.
    fn user_password(&self, password: &[u8]) -> Vec<u8> {
        let mut key = md5(&[&pad(password)]);
        if self.revision >= 3 {
            for _ in 0..50 {
                key = md5(&[&key]);
            }
        }
        key.truncate(self.length);
        let mut user = self.owner.get(..32).unwrap_or(self.owner).to_vec();
        for step in (0..self.steps()).rev() {
            Rc4::new(&masked(&key, step)).apply(&mut user);
        }
        user
    }

    /// How often RC4 is applied.
    fn steps(&self) -> u8 {
        if self.revision >= 3 { 20 } else { 1 }
    }

    /// Algorithm 2.A.
    fn key_256(&self, password: &[u8]) -> Option<Vec<u8>> {
        let user = self.user.get(..48)?;
        let tries = [(self.user, &[][..], self.user_key), (self.owner, user, self.owner_key)];
        tries.into_iter().find_map(|(entry, user, wrapped)| {
            let (proof, salts) = entry.get(..48)?.split_at_checked(32)?;
            let (check, salt) = salts.split_at_checked(8)?;
            if self.hash(password, check, user) != proof {
                return None;
            }
            let mut key = wrapped.get(..32)?.to_vec();
            Aes::new(&self.hash(password, salt, user))?.cbc([0; BLOCK], &mut key);
            Some(key)
        })
    }

    /// Algorithm 2.B, or the plain digest of the revision before.
    fn hash(&self, password: &[u8], salt: &[u8], user: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::digest([password, salt, user].concat()).to_vec();
        if self.revision < 6 {
            return hash;
        }
        for round in 0..MAX_ROUNDS {
            let mut block = [password, &hash, user].concat().repeat(64);
            let (key, rest) = hash.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
            encrypt_cbc(key, rest.first_chunk().copied().unwrap_or_default(), &mut block);
            let sum: u32 = block.iter().take(16).map(|byte| u32::from(*byte)).sum();
            hash = match sum % 3 {
                0 => Sha256::digest(&block).to_vec(),
                1 => Sha384::digest(&block).to_vec(),
                _ => Sha512::digest(&block).to_vec(),
            };
            let last = u32::from(block.last().copied().unwrap_or(0));
            if round >= 63 && last <= round.saturating_sub(31) {
                break;
            }
        }
        hash.truncate(32);
        hash
    }
}

fn masked(key: &[u8], mask: u8) -> Vec<u8> {
    key.iter().map(|byte| byte ^ mask).collect()
}

/// A password filled up to 32 bytes.
fn pad(password: &[u8]) -> Vec<u8> {
    password.iter().chain(&PAD).copied().take(32).collect()
}

fn md5(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().to_vec()
}

/// Every hash ends long before.
const MAX_ROUNDS: u32 = 512;

/// What fills passwords up (Algorithm 2, step a).
const PAD: [u8; 32] = [
    0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08,
    0x2E, 0x2E, 0x00, 0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C, 0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A,
];
