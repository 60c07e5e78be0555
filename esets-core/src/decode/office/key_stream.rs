//! The key stream over a document of Office 97 to 2003, with a key for each block.

use std::io::{self, Read};

use super::binary::Keys;
use crate::decode::rc4::Rc4;

/// A key stream that changes its key at every `block` bytes of a document.
pub(crate) struct KeyStream {
    keys: Keys,
    block: u64,
    at: u64,
    rc4: Rc4,
}

impl KeyStream {
    /// The stream from the document's first byte on.
    pub(crate) fn new(keys: Keys, block: u64) -> Self {
        let rc4 = keys.block(0);
        Self { keys, block, at: 0, rc4 }
    }

    /// The mask of the next byte.
    pub(crate) fn next(&mut self) -> u8 {
        if self.at > 0 && self.at.checked_rem(self.block) == Some(0) {
            let number = self.at.checked_div(self.block).unwrap_or_default();
            self.rc4 = self.keys.block(u32::try_from(number).unwrap_or(u32::MAX));
        }
        self.at = self.at.saturating_add(1);
        self.rc4.next()
    }
}

/// Decrypts a stream whose first bytes lie in clear.
pub(crate) struct Deciphered<R> {
    inner: R,
    keys: KeyStream,
    clear: u64,
}

impl<R: Read> Deciphered<R> {
    /// The content of `inner`, of which `clear` bytes are not encrypted.
    pub(crate) fn new(inner: R, keys: KeyStream, clear: u64) -> Self {
        Self { inner, keys, clear }
    }
}

impl<R: Read> Read for Deciphered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in buffer.iter_mut().take(count) {
            let is_clear = self.keys.at < self.clear;
            let mask = self.keys.next();
            *byte ^= if is_clear { 0 } else { mask };
        }
        Ok(count)
    }
}
