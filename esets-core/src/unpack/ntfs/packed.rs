//! Files that NTFS has packed, unit by unit of usually 16 clusters. A unit that is as long as its
//! data was left as it is; a shorter one is LZNT1, and a hole fills the rest of it.

use std::io::{self, Read};

use crate::cursor::Cursor;
use crate::decode::{Run, lznt1};
use crate::verdict::Reason;

/// Reads a packed file.
pub(super) struct Packed<'a, I> {
    image: &'a [u8],
    runs: I,
    /// What is left of the run that is being read.
    run: Run,
    /// How much of the file is still to come.
    left: u64,
    unit: u64,
    content: Vec<u8>,
    at: usize,
}

impl<'a, I: Iterator<Item = Result<Run, Reason>>> Packed<'a, I> {
    /// `unit` is in bytes, as is the `size` of the file.
    pub(super) fn new(image: &'a [u8], runs: I, size: u64, unit: u64) -> Self {
        Self { image, runs, run: Run::Hole(0), left: size, unit, content: Vec::new(), at: 0 }
    }

    /// Unpacks the next unit.
    fn fill(&mut self) -> Result<(), Reason> {
        let unit = usize::try_from(self.unit.min(MOST_UNIT)).unwrap_or(usize::MAX);
        if self.unit > MOST_UNIT {
            return Err(Reason::corrupt("unit of compression"));
        }
        self.at = 0;
        self.content.clear();
        let stored = self.stored()?;
        if stored.len() >= unit || stored.is_empty() {
            self.content = stored;
        } else {
            lznt1(&stored, unit, &mut self.content)?;
        }
        self.content.resize(unit, 0);
        let kept = usize::try_from(self.left).unwrap_or(usize::MAX).min(unit);
        self.content.truncate(kept);
        self.left = self.left.saturating_sub(kept as u64);
        Ok(())
    }

    /// What the image holds of the next unit.
    fn stored(&mut self) -> Result<Vec<u8>, Reason> {
        let mut stored = Vec::new();
        let mut missing = self.unit;
        while missing > 0 {
            if self.run.length() == 0 {
                let Some(run) = self.runs.next() else { break };
                self.run = run?;
                continue;
            }
            let part = self.run.up_to(missing);
            self.run = self.run.behind(part.length());
            missing = missing.saturating_sub(part.length());
            if let Run::Stored { at, length } = part {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let cursor = &mut Cursor::at(self.image, at)?;
                stored.extend_from_slice(cursor.take(length)?);
            }
        }
        if missing == self.unit {
            return Err(Reason::corrupt("runs of a file"));
        }
        Ok(stored)
    }
}

impl<I: Iterator<Item = Result<Run, Reason>>> Read for Packed<'_, I> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.content.len() && self.left > 0 {
            self.fill().map_err(io::Error::other)?;
        }
        let rest = self.content.get(self.at..).unwrap_or_default();
        let count = Cursor::new(rest).read(output)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

const MOST_UNIT: u64 = 2 << 20;
