//! Decoders that fill one block at a time, as readers.

use std::io::{self, Read};

use crate::cursor::Cursor;
use crate::verdict::Reason;

/// What unpacks one block after the other.
pub(crate) trait NextBlock {
    /// Puts the next block into `block`, where the one before still stands; `false` at the end.
    fn next_block(&mut self, block: &mut Vec<u8>) -> Result<bool, Reason>;
}

/// Reads the blocks as if they were one.
pub(crate) struct Blockwise<B> {
    source: B,
    block: Vec<u8>,
    read: usize,
}

impl<B> Blockwise<B> {
    pub(crate) fn new(source: B) -> Self {
        Self { source, block: Vec::new(), read: 0 }
    }

    /// What the blocks come from, as far as it was read.
    pub(crate) fn source(&self) -> &B {
        &self.source
    }
}

impl<B: NextBlock> Read for Blockwise<B> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.read == self.block.len() {
            if !self.source.next_block(&mut self.block).map_err(io::Error::other)? {
                return Ok(0);
            }
            self.read = 0;
        }
        let count = Cursor::new(self.block.get(self.read..).unwrap_or_default()).read(output)?;
        self.read = self.read.saturating_add(count);
        Ok(count)
    }
}
