//! Runs of bytes, as ARC packs them: a byte, 0x90, and how often it stands there in all.

use std::io::{self, Read};

use crate::decode::Bytewise;

/// Unpacks runs.
pub(super) struct Rle<R> {
    input: R,
    ready: Vec<u8>,
    at: usize,
    last: u8,
    /// How often the last byte is still to come.
    repeats: u8,
}

impl<R: Read> Rle<R> {
    pub(super) fn reader(input: R) -> Bytewise<Self> {
        Bytewise::new(Self { input, ready: Vec::new(), at: 0, last: 0, repeats: 0 })
    }

    /// The next packed byte.
    fn packed(&mut self) -> io::Result<Option<u8>> {
        if self.at >= self.ready.len() {
            self.ready.resize(CHUNK, 0);
            let count = self.input.read(&mut self.ready)?;
            self.ready.truncate(count);
            self.at = 0;
        }
        let byte = self.ready.get(self.at).copied();
        self.at = self.at.saturating_add(1);
        Ok(byte)
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(left) = self.repeats.checked_sub(1) {
                self.repeats = left;
                return Ok(Some(self.last));
            }
            let Some(byte) = self.packed()? else { return Ok(None) };
            if byte != MARK {
                self.last = byte;
                return Ok(Some(byte));
            }
            match self.packed()? {
                None => return Ok(None),
                Some(0) => return Ok(Some(MARK)),
                Some(count) => self.repeats = count.saturating_sub(1),
            }
        }
    }
}

impl<R: Read> Iterator for Rle<R> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        self.byte().transpose()
    }
}

const MARK: u8 = 0x90;
const CHUNK: usize = 4096;
