//! The data of a cabinet's folder: blocks of up to 32 KiB, unpacked one after the other.

use std::io::{self, Read};

use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::decode::{Inflate, LzxFrames, Quantum, head};
use crate::verdict::Reason;

/// Reads what the files of a folder share.
pub(super) struct Folder<'a> {
    blocks: Cursor<'a>,
    /// How many blocks are left, as the header says.
    left: u16,
    /// Bytes in each block's header that only its writer understands.
    reserved: usize,
    codec: Codec,
    ready: Vec<u8>,
    at: usize,
    /// What is wrong with the current block, and with one before that nobody has asked about.
    flaw: Option<Reason>,
    old_flaw: Option<Reason>,
    has_failed: bool,
    _lease: Lease,
}

/// How the blocks of a folder are packed.
enum Codec {
    Lzx(LzxFrames),
    /// The last 32 KiB, which the next block may refer to.
    MsZip(Vec<u8>),
    Quantum(Box<Quantum>),
    Stored,
}

/// What a cabinet says about a folder.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) offset: u32,
    pub(super) blocks: u16,
    pub(super) method: u16,
}

impl<'a> Folder<'a> {
    pub(super) fn open(
        entry: &Entry,
        cabinet: &'a [u8],
        reserved: usize,
        purse: &Lease,
    ) -> Result<Self, Reason> {
        let bits = entry.method >> 8 & 0x1f;
        let lease = purse.another(BLOCKS.saturating_add(1 << bits))?;
        let codec = match entry.method & 0x0f {
            0 => Codec::Stored,
            1 => Codec::MsZip(Vec::new()),
            2 => {
                let quantum = Quantum::new(bits).ok_or(Reason::corrupt("Quantum window"))?;
                Codec::Quantum(Box::new(quantum))
            }
            3 => Codec::Lzx(LzxFrames::new(bits.into()).ok_or(Reason::corrupt("LZX window"))?),
            _ => return Err(Reason::unsupported("cabinet method")),
        };
        Ok(Self {
            blocks: Cursor::at(cabinet, entry.offset.into())?,
            left: entry.blocks,
            reserved,
            codec,
            ready: Vec::new(),
            at: 0,
            flaw: None,
            old_flaw: None,
            has_failed: false,
            _lease: lease,
        })
    }

    /// What is wrong with the current block, or with another read since this was last asked.
    pub(super) fn take_flaw(&mut self) -> Option<Reason> {
        self.old_flaw.take().or_else(|| self.flaw.clone())
    }

    /// Unpacks the next block; `false` if there is none, or none that can be unpacked.
    fn next_block(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(1).filter(|_| !self.has_failed) else {
            return false;
        };
        self.left = left;
        self.old_flaw = self.old_flaw.take().or(self.flaw.take());
        match self.block() {
            Ok(block) => {
                self.ready = block;
                self.at = 0;
                true
            }
            Err(reason) => {
                self.flaw.get_or_insert(reason);
                self.has_failed = true;
                false
            }
        }
    }

    fn block(&mut self) -> Result<Vec<u8>, Reason> {
        let blocks = &mut self.blocks;
        let checksum = blocks.u32_le()?;
        let header = blocks.take(self.reserved.saturating_add(4))?;
        let mut sizes = Cursor::new(header);
        let (packed, size) = (sizes.u16_le()?, sizes.u16_le()?);
        let data = blocks.take_up_to(packed.into());
        if data.len() < packed.into() {
            self.flaw.get_or_insert(Reason::Truncated);
        } else if checksum != 0 && checksum != sum(data) ^ sum(header) {
            self.flaw.get_or_insert(Reason::corrupt("checksum"));
        }
        self.unpack(data, size.into())
    }

    fn unpack(&mut self, data: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
        if size == 0 && !data.is_empty() {
            return Err(Reason::unsupported("block that goes on in another cabinet"));
        }
        let flaw = &mut self.flaw;
        match &mut self.codec {
            Codec::Lzx(lzx) => lzx.frame(data, size),
            Codec::MsZip(before) => {
                let mut block = inflated(data, before, size);
                // The files behind it are the better for a block of the right size.
                if block.len() < size {
                    flaw.get_or_insert(Reason::corrupt("MSZIP data"));
                    block.resize(size, 0);
                }
                before.clear();
                let kept = block.len().saturating_sub(WINDOW);
                before.extend_from_slice(block.get(kept..).unwrap_or_default());
                Ok(block)
            }
            Codec::Quantum(quantum) => quantum.frame(data, size),
            Codec::Stored => Ok(data.to_vec()),
        }
    }
}

impl Read for Folder<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.ready.len() {
            if output.is_empty() || !self.next_block() {
                return Ok(0);
            }
        }
        let rest = self.ready.get(self.at..).unwrap_or_default();
        let count = rest.len().min(output.len());
        output.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// An MSZIP block, or as much of it as there is: its signature, then deflated data.
fn inflated(data: &[u8], before: &[u8], size: usize) -> Vec<u8> {
    let data = data.strip_prefix(b"CK").unwrap_or(data);
    head(&mut Inflate::with_dictionary(data, before), size)
}

/// The exclusive or of all words; the bytes behind the last whole one count from the highest.
fn sum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks();
    let sum = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    sum ^ rest.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

const WINDOW: usize = 32 << 10;
/// Two blocks and the tables of a decoder.
const BLOCKS: u64 = 256 << 10;
