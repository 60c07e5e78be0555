//! AES-256 in CBC mode with a key from SHA-256 (7-Zip, Methods.txt, "7zAES").

use std::cell::RefCell;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::cursor::Cursor;
use crate::decode::aes::{Aes, BLOCK};
use crate::verdict::Reason;

/// How a key is made from a password, and what the first block is chained to.
pub(super) struct Key<'p> {
    cycles: u32,
    salt: &'p [u8],
    iv: [u8; BLOCK],
}

impl<'p> Key<'p> {
    /// Reads the properties of the coder.
    pub(super) fn read(properties: &'p [u8]) -> Result<Self, Reason> {
        let cursor = &mut Cursor::new(properties);
        let first = cursor.u8()?;
        let (mut salt, mut iv) = (usize::from(first >> 7 & 1), usize::from(first >> 6 & 1));
        if first & 0xc0 != 0 {
            let second = cursor.u8()?;
            salt = salt.saturating_add(usize::from(second >> 4));
            iv = iv.saturating_add(usize::from(second & 15));
        }
        let cycles = u32::from(first & 0x3f);
        if cycles > MAX_CYCLES && cycles != NO_CYCLES {
            return Err(Reason::unsupported("key of more than 2^20 rounds"));
        }
        let salt = cursor.take(salt)?;
        let mut key = Self { cycles, salt, iv: [0; BLOCK] };
        key.iv.iter_mut().zip(cursor.take(iv)?).for_each(|(to, from)| *to = *from);
        Ok(key)
    }

    /// Decrypts `input` with a password of UTF-8.
    pub(super) fn cipher<R: Read>(
        &self,
        password: &[u8],
        keys: &Keys,
        input: R,
    ) -> Result<Cipher<R>, Reason> {
        let aes = Aes::new(&keys.key(self, password)?).ok_or(Reason::Encrypted)?;
        Ok(Cipher { input, aes, before: self.iv, ready: Vec::new(), at: 0 })
    }

    /// Makes the key.
    fn derive(&self, password: &[u8]) -> [u8; 32] {
        let text = String::from_utf8_lossy(password);
        let password: &Vec<u8> = &text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        if self.cycles == NO_CYCLES {
            let mut key = [0; 32];
            let bytes = self.salt.iter().chain(password.iter());
            key.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            return key;
        }
        let mut hash = Sha256::new();
        let mut block = [self.salt, password, &[0; 8]].concat();
        for round in 0..1_u64 << self.cycles {
            if let Some(counter) = block.last_chunk_mut() {
                *counter = round.to_le_bytes();
            }
            hash.update(&block);
        }
        hash.finalize().into()
    }
}

/// The keys made so far for one archive: making one takes a while, and folders share them.
#[derive(Default)]
pub(super) struct Keys(RefCell<Vec<Made>>);

/// A key and all that it was made from.
struct Made {
    cycles: u32,
    salt: Vec<u8>,
    password: Vec<u8>,
    key: [u8; 32],
}

impl Keys {
    fn key(&self, from: &Key<'_>, password: &[u8]) -> Result<[u8; 32], Reason> {
        let made = &mut *self.0.borrow_mut();
        let is_same = |made: &&Made| {
            made.cycles == from.cycles && made.salt == from.salt && made.password == password
        };
        if let Some(made) = made.iter().find(is_same) {
            return Ok(made.key);
        }
        if made.len() >= MAX_KEYS {
            return Err(Reason::Unsupported("more keys than are made for one archive".into()));
        }
        let key = from.derive(password);
        let (salt, password) = (from.salt.to_vec(), password.to_vec());
        made.push(Made { cycles: from.cycles, salt, password, key });
        Ok(key)
    }
}

/// Decrypts what it reads; a block that is not whole at the end is dropped.
pub(super) struct Cipher<R> {
    input: R,
    aes: Aes,
    /// The encrypted block before.
    before: [u8; BLOCK],
    ready: Vec<u8>,
    at: usize,
}

impl<R: Read> Read for Cipher<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.ready.len() {
            self.ready.clear();
            self.at = 0;
            io::copy(&mut (&mut self.input).take(CHUNK), &mut self.ready)?;
            self.ready.truncate(self.ready.len() & !BLOCK.saturating_sub(1));
            let last = self.ready.last_chunk().copied();
            self.aes.cbc(self.before, &mut self.ready);
            self.before = last.unwrap_or(self.before);
        }
        let rest = self.ready.get(self.at..).unwrap_or_default();
        let count = rest.len().min(output.len());
        output.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// Twice what 7-Zip writes; it reads up to 2^24, which would hold a scan up.
const MAX_CYCLES: u32 = 20;
/// The key is the password itself.
const NO_CYCLES: u32 = 0x3f;
/// A second's work at the most.
const MAX_KEYS: usize = 32;
const CHUNK: u64 = 16 << 10;
