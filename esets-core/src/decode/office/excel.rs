//! Encrypted workbooks of Excel 5 to 2003: \[MS-XLS\] 2.2.10.

use std::io::{self, Read};

use super::binary::{Keys, Scheme, xor_mask, xor_verifier};
use super::key_stream::KeyStream;
use crate::decode::head;

/// The record that says how a workbook is encrypted.
pub(crate) enum FilePass {
    Rc4(Scheme),
    Xor { key: u16, verifier: u16 },
    Other,
}

impl FilePass {
    /// Finds the record near the start of a workbook; `None` if it is not encrypted.
    pub(crate) fn find(workbook: &[u8]) -> Option<Self> {
        let mut rest = workbook;
        let is_old = rest.get(1).is_some_and(|version| *version < 8);
        while let Some((header, behind)) = rest.split_first_chunk::<4>() {
            let [id, size] = words(*header);
            let (content, behind) = behind.split_at_checked(size.into()).unwrap_or((behind, &[]));
            if id == FILEPASS {
                return Some(Self::read(content, is_old));
            }
            rest = behind;
        }
        None
    }

    fn read(content: &[u8], is_old: bool) -> Self {
        let xor = |at: usize| {
            let words = content.get(at..)?.first_chunk::<4>().map(|chunk| words(*chunk));
            words.map(|[key, verifier]| Self::Xor { key, verifier })
        };
        let found = match content {
            [_, _, _, _] if is_old => xor(0),
            [0, 0, ..] => xor(2),
            [1, 0, header @ ..] => Scheme::read(header).map(Self::Rc4),
            _ => None,
        };
        found.unwrap_or(Self::Other)
    }

    /// The way to decrypt by this password, if it is the right one.
    pub(crate) fn open(&self, password: &[u8], utf16: &[u8]) -> Option<Cipher> {
        match self {
            Self::Rc4(scheme) => scheme
                .open(utf16)
                .map(|keys: Keys| Cipher::Rc4(Box::new(KeyStream::new(keys, BLOCK)))),
            Self::Xor { key, verifier } => (password.len() < 16
                && xor_verifier(password) == *verifier)
                .then(|| Cipher::Xor(xor_mask(password, *key))),
            Self::Other => None,
        }
    }
}

/// How the records are decrypted.
pub(crate) enum Cipher {
    Rc4(Box<KeyStream>),
    Xor([u8; 16]),
}

/// Decrypts a workbook record by record: the headers and a few records lie in clear.
pub(crate) struct Workbook<R> {
    inner: R,
    cipher: Cipher,
    position: usize,
    record: Vec<u8>,
    at: usize,
}

impl<R: Read> Workbook<R> {
    pub(crate) fn new(inner: R, cipher: Cipher) -> Self {
        Self { inner, cipher, position: 0, record: Vec::new(), at: 0 }
    }

    /// Reads and decrypts one record, header included.
    fn next_record(&mut self) {
        self.at = 0;
        self.record = head(&mut self.inner, HEADER);
        let Some((header, _)) = self.record.split_first_chunk() else { return };
        let [id, size] = words(*header);
        self.record.append(&mut head(&mut self.inner, size.into()));
        let clear = match id {
            BOF | FILEPASS | INTERFACE_HEADER | LOCK | REVISION | REVISION_HEAD | EXCLUSIVE => {
                self.record.len()
            }
            // The position of a sheet's stream.
            BOUND_SHEET => HEADER.saturating_add(4),
            _ => HEADER,
        };
        self.decrypt(clear);
        self.position = self.position.saturating_add(self.record.len());
    }

    fn decrypt(&mut self, clear: usize) {
        let start = self.position.saturating_add(self.record.len());
        for (index, byte) in self.record.iter_mut().enumerate() {
            let clear = index < clear;
            match &mut self.cipher {
                Cipher::Rc4(keys) => {
                    let mask = keys.next();
                    *byte ^= if clear { 0 } else { mask };
                }
                Cipher::Xor(_) if clear => {}
                Cipher::Xor(mask) => {
                    let place = start.wrapping_add(index.saturating_sub(HEADER)) & 0xF;
                    *byte = byte.rotate_left(3) ^ mask.get(place).copied().unwrap_or_default();
                }
            }
        }
    }
}

impl<R: Read> Read for Workbook<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.record.len() {
            self.next_record();
        }
        let count = self.record.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

fn words([a, b, c, d]: [u8; 4]) -> [u16; 2] {
    [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
}

const FILEPASS: u16 = 0x002F;
const BOF: u16 = 0x0809;
const BOUND_SHEET: u16 = 0x0085;
const EXCLUSIVE: u16 = 0x0194;
const INTERFACE_HEADER: u16 = 0x00E1;
const LOCK: u16 = 0x0195;
const REVISION: u16 = 0x0196;
const REVISION_HEAD: u16 = 0x0138;
/// Bytes in front of a record's content.
const HEADER: usize = 4;
/// Bytes of a workbook under one key.
const BLOCK: u64 = 1024;
