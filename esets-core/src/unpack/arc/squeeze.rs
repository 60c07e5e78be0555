//! Squeezing: a Huffman code whose tree stands before the data (R. Greenlaw's SQ of CP/M).

use std::io;

use crate::cursor::Cursor;
use crate::decode::Bytewise;
use crate::verdict::Reason;

/// Decodes what was squeezed.
pub(super) struct Squeezed<'a> {
    data: &'a [u8],
    /// Where a bit of 0 and one of 1 lead: to a node, or to a symbol if negative.
    nodes: Vec<[i16; 2]>,
    /// The place of the next bit.
    at: usize,
}

impl<'a> Squeezed<'a> {
    /// Reads the tree.
    pub(super) fn reader(data: &'a [u8]) -> Result<Bytewise<Self>, Reason> {
        let mut cursor = Cursor::new(data);
        let count = usize::from(cursor.u16_le()?);
        if count > MAX_NODES {
            return Err(Reason::corrupt("squeezed tree"));
        }
        let mut nodes = Vec::new();
        for _ in 0..count {
            let [low, high, low1, high1] = cursor.array()?;
            nodes.push([i16::from_le_bytes([low, high]), i16::from_le_bytes([low1, high1])]);
        }
        Ok(Bytewise::new(Self { data: cursor.rest(), nodes, at: 0 }))
    }

    /// The next symbol; `None` at the end.
    fn symbol(&mut self) -> io::Result<Option<u8>> {
        let mut node = 0_usize;
        for _ in 0..=self.nodes.len() {
            let Some(branches) = self.nodes.get(node) else { break };
            let Some(byte) = self.data.get(self.at / 8) else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            let bit = usize::from(byte >> (self.at % 8) & 1);
            self.at = self.at.saturating_add(1);
            let branch = branches.get(bit).copied().unwrap_or_default();
            match usize::try_from(branch) {
                Ok(next) => node = next,
                // The complement of a byte, or of 256 for the end.
                Err(_) => return Ok(u8::try_from(!branch).ok()),
            }
        }
        Err(io::Error::other(Reason::corrupt("squeezed data")))
    }
}

impl Iterator for Squeezed<'_> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        self.symbol().transpose()
    }
}

/// One for each symbol but the last.
const MAX_NODES: usize = 256;
