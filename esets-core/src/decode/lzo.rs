//! LZO1X (M. Oberhumer), as described in the Linux kernel's Documentation/staging/lzo.rst.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// Unpacks one block into at most `limit` bytes.
pub(crate) fn lzo1x(input: &[u8], limit: usize) -> Result<Vec<u8>, Reason> {
    let mut block = Block { input: Cursor::new(input), output: Vec::new(), limit };
    block.run()?;
    Ok(block.output)
}

struct Block<'a> {
    input: Cursor<'a>,
    output: Vec<u8>,
    limit: usize,
}

impl Block<'_> {
    fn run(&mut self) -> Result<(), Reason> {
        let mut literals = 0;
        // A first byte above 17 is a run of literals of its own.
        if let Some(first @ 18..) = self.input.rest().first() {
            literals = usize::from(*first).saturating_sub(17);
            self.input.take(1)?;
            self.literals(literals)?;
        }
        let mut state = literals.min(4);
        loop {
            let code = self.input.u8()?;
            match self.instruction(code, state)? {
                Some(next) => state = next,
                None => return Ok(()),
            }
        }
    }

    /// One instruction; how many literals the next one may count on, `None` at the end.
    fn instruction(&mut self, code: u8, state: usize) -> Result<Option<usize>, Reason> {
        let low = usize::from(code & 3);
        match code {
            0..=15 if state == 0 => {
                let length = self.length(code, 15)?.saturating_add(3);
                self.literals(length)?;
                return Ok(Some(4));
            }
            0..=15 => {
                let high = usize::from(self.input.u8()?) << 2;
                let base = high.saturating_add(usize::from(code >> 2) & 3);
                let (distance, length) = if state == 4 {
                    (base.saturating_add(2049), 3)
                } else {
                    (base.saturating_add(1), 2)
                };
                self.copy(distance, length)?;
            }
            16..=31 => {
                let length = self.length(code & 7, 7)?.saturating_add(2);
                let word = self.input.u16_le()?;
                let distance = (usize::from(code & 8) << 11).saturating_add(usize::from(word >> 2));
                if distance == 0 {
                    return Ok(None);
                }
                self.copy(distance.saturating_add(16_384), length)?;
                return self.trailing(usize::from(word & 3));
            }
            32..=63 => {
                let length = self.length(code & 31, 31)?.saturating_add(2);
                let word = self.input.u16_le()?;
                self.copy(usize::from(word >> 2).saturating_add(1), length)?;
                return self.trailing(usize::from(word & 3));
            }
            64.. => {
                let high = usize::from(self.input.u8()?) << 3;
                let distance = high.saturating_add(usize::from(code >> 2) & 7).saturating_add(1);
                self.copy(distance, usize::from(code >> 5).saturating_add(1))?;
            }
        }
        self.trailing(low)
    }

    /// The literals behind a match.
    fn trailing(&mut self, count: usize) -> Result<Option<usize>, Reason> {
        self.literals(count)?;
        Ok(Some(count))
    }

    /// A length that does not fit its field goes on in zero bytes, 255 each, and one other.
    fn length(&mut self, field: u8, most: usize) -> Result<usize, Truncated> {
        if field != 0 {
            return Ok(field.into());
        }
        let mut length = most;
        loop {
            match self.input.u8()? {
                0 => length = length.saturating_add(255),
                last => return Ok(length.saturating_add(last.into())),
            }
        }
    }

    fn literals(&mut self, count: usize) -> Result<(), Reason> {
        self.check(count)?;
        self.output.extend_from_slice(self.input.take(count)?);
        Ok(())
    }

    fn copy(&mut self, distance: usize, length: usize) -> Result<(), Reason> {
        self.check(length)?;
        let start = self.output.len().checked_sub(distance).ok_or(Reason::corrupt("distance"))?;
        for at in (start..).take(length) {
            let byte = self.output.get(at).copied().unwrap_or_default();
            self.output.push(byte);
        }
        Ok(())
    }

    fn check(&self, more: usize) -> Result<(), Reason> {
        let fits = self.output.len().saturating_add(more) <= self.limit;
        if fits { Ok(()) } else { Err(Reason::corrupt("block size")) }
    }
}
