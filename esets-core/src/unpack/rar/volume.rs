//! Where the volumes of RAR 1.5 and later lie in an object, and which of their blocks are whole
//! (RAR 4.x technical note, techinfo.txt; RAR 5.0 archive format, "General archive block").

use std::ops::Range;

use super::block::{Block, Generation, Kind, MAX_SEARCHED_HEADER, MIN_BLOCK};
use crate::verdict::Reason;

/// One archive volume: a signature and the blocks behind it.
pub(super) struct Volume<'a> {
    /// From the signature to the end of the last block.
    pub(super) bytes: &'a [u8],
    generation: Generation,
    /// Blocks in a row whose headers are right, as places in `bytes`.
    runs: Vec<Range<usize>>,
    /// What is wrong with the blocks.
    pub(super) flaw: Option<Reason>,
    /// Whether its last member goes on in another volume.
    pub(super) is_continued: bool,
    /// Whether its headers are encrypted.
    pub(super) is_sealed: bool,
}

/// The volumes of an object that begins with one, and what lies behind the last.
pub(super) fn split(bytes: &[u8]) -> (Vec<Volume<'_>>, &[u8]) {
    let mut volumes = Vec::new();
    let mut rest = bytes;
    while let Some(volume) = Volume::at(rest) {
        let behind = rest.get(volume.bytes.len()..).unwrap_or_default();
        let next = memchr::memmem::find(behind, MARK);
        rest = behind.get(next.unwrap_or_default()..).unwrap_or_default();
        volumes.push(volume);
        if next.is_none() {
            break;
        }
    }
    (volumes, rest)
}

impl<'a> Volume<'a> {
    /// The volume that begins with the signature at the start of `bytes`.
    fn at(bytes: &'a [u8]) -> Option<Self> {
        let generation = match bytes {
            _ if bytes.starts_with(FOUR) => Generation::Four,
            _ if bytes.starts_with(FIVE) => Generation::Five,
            _ => return None,
        };
        let mut volume = Self {
            bytes,
            generation,
            runs: Vec::new(),
            flaw: None,
            is_continued: false,
            is_sealed: false,
        };
        let end = volume.walk();
        volume.bytes = bytes.get(..end).unwrap_or(bytes);
        Some(volume)
    }

    /// Goes from block to block; returns where the volume ends.
    fn walk(&mut self) -> usize {
        let mut at = self.signature().len();
        let mut hashed = 0;
        loop {
            let Some(block) = self.generation.block(self.bytes, at) else {
                if at >= self.bytes.len() {
                    return self.bytes.len();
                }
                self.flaw.get_or_insert(self.flaw_at(at));
                match self.next_block(at, &mut hashed) {
                    Some(next) => at = next,
                    None => return self.bytes.len(),
                }
                continue;
            };
            let end = block.end();
            if end > self.bytes.len() {
                self.flaw.get_or_insert(Reason::Truncated);
            }
            let end = end.min(self.bytes.len());
            self.add_run(at..end);
            self.is_continued |= block.is_continued;
            at = end;
            match block.kind {
                Kind::End => return end,
                Kind::Main { is_sealed: true } => {
                    self.is_sealed = true;
                    return self.sealed_end(end);
                }
                _ => {}
            }
        }
    }

    fn flaw_at(&self, at: usize) -> Reason {
        let left = self.bytes.len().saturating_sub(at);
        if left < MIN_BLOCK { Reason::Truncated } else { Reason::corrupt("block header") }
    }

    /// Encrypted headers hide where the volume ends, but also whatever could look like the next.
    fn sealed_end(&self, from: usize) -> usize {
        let behind = self.bytes.get(from..).unwrap_or_default();
        let next = memchr::memmem::find(behind, self.signature());
        next.map_or(self.bytes.len(), |next| from.saturating_add(next))
    }

    fn add_run(&mut self, run: Range<usize>) {
        match self.runs.last_mut().filter(|last| last.end == run.start) {
            Some(last) => last.end = run.end,
            None => self.runs.push(run),
        }
    }

    /// The next file behind a damaged block.
    fn next_block(&self, at: usize, hashed: &mut usize) -> Option<usize> {
        let from = at.checked_add(1)?;
        (from..self.bytes.len()).find(|next| {
            if *hashed > MAX_HASHED || !self.generation.may_be_file(self.bytes, *next) {
                return false;
            }
            let block = self.generation.block(self.bytes, *next);
            *hashed = hashed.saturating_add(MAX_SEARCHED_HEADER);
            block.is_some_and(|block| block.kind == Kind::File)
        })
    }

    fn signature(&self) -> &'static [u8] {
        match self.generation {
            Generation::Four => FOUR,
            Generation::Five => FIVE,
        }
    }

    /// The volume without what is damaged, and with a last member that ends where the volume does.
    pub(super) fn mended(&self) -> Vec<u8> {
        let mut image = self.signature().to_vec();
        let first = self.runs.first().map_or(0, |run| run.start);
        let first = self.generation.block(self.bytes, first);
        if !matches!(first, Some(Block { kind: Kind::Main { .. }, .. })) {
            image.extend_from_slice(match self.generation {
                Generation::Four => FOUR_MAIN,
                Generation::Five => FIVE_MAIN,
            });
        }
        for run in &self.runs {
            self.copy(run, &mut image);
        }
        image
    }

    /// Copies blocks in a row.
    fn copy(&self, run: &Range<usize>, image: &mut Vec<u8>) {
        let mut at = run.start;
        while let Some(block) = self.generation.block(self.bytes, at).filter(|_| at < run.end) {
            let end = block.end();
            if end > run.end || block.is_continued {
                let header = self.bytes.get(at..block.header_end).unwrap_or_default();
                let left = run.end.min(end).saturating_sub(block.header_end);
                image.extend_from_slice(&self.generation.closed(header, &block, left as u64));
                let data = self.bytes.get(block.header_end..run.end.min(end));
                image.extend_from_slice(data.unwrap_or_default());
            } else {
                image.extend_from_slice(self.bytes.get(at..end).unwrap_or_default());
            }
            at = end;
        }
    }
}

/// What the signatures of all versions since 1.5 begin with.
const MARK: &[u8] = b"Rar!\x1a\x07";
pub(super) const FOUR: &[u8] = b"Rar!\x1a\x07\0";
pub(super) const FIVE: &[u8] = b"Rar!\x1a\x07\x01\0";

/// Main headers that say nothing.
const FOUR_MAIN: &[u8] = b"\xcf\x90\x73\0\0\x0d\0\0\0\0\0\0\0";
const FIVE_MAIN: &[u8] = b"\xc5\x1a\x33\x32\x03\x01\0\0";

/// How much may be hashed to find headers behind damage.
const MAX_HASHED: usize = 64 << 20;
