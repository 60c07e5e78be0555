//! Bits in 16-bit little-endian words, the highest first, as LZX and XPRESS read them.

use crate::cursor::Cursor;
use crate::decode::Huffman;
use crate::verdict::Reason;

/// Reads bits, and between them whole bytes from behind the words that were begun.
pub(crate) struct Words<'a> {
    input: &'a [u8],
    /// Where the next word is.
    at: usize,
    /// The bits of the words that were begun, the next one the highest.
    bits: u32,
    count: u32,
}

impl<'a> Words<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0, bits: 0, count: 0 }
    }

    /// The next 16 bits without taking them. Behind the end there are zeros.
    pub(crate) fn peek(&mut self) -> u16 {
        if self.count < 16 {
            let word = self.input.get(self.at..).map_or(0, |rest| {
                Cursor::new(rest)
                    .u16_le()
                    .unwrap_or_else(|_| rest.first().copied().unwrap_or(0).into())
            });
            self.at = self.at.saturating_add(2);
            self.bits |= u32::from(word) << 16_u32.saturating_sub(self.count);
            self.count = self.count.saturating_add(16);
        }
        u16::try_from(self.bits >> 16).unwrap_or_default()
    }

    /// Takes up to 16 of the bits that [`Words::peek`] has shown.
    fn drop(&mut self, count: u32) {
        self.bits = self.bits.checked_shl(count).unwrap_or_default();
        self.count = self.count.saturating_sub(count);
    }

    /// The next bits, up to 16, as a number.
    ///
    /// # Errors
    /// [`Reason::Truncated`] well behind the end.
    pub(crate) fn bits(&mut self, count: u32) -> Result<u32, Reason> {
        let peeked = u32::from(self.peek());
        self.drop(count);
        self.check()?;
        Ok(peeked.checked_shr(16_u32.saturating_sub(count)).unwrap_or_default())
    }

    /// The next symbol of `code`.
    ///
    /// # Errors
    /// [`Reason::Corrupt`] if there is none, [`Reason::Truncated`] well behind the end.
    pub(crate) fn symbol(&mut self, code: &Huffman) -> Result<u16, Reason> {
        let bits = self.peek();
        self.check()?;
        let (symbol, length) = code.decode(bits).ok_or(Reason::corrupt("Huffman code"))?;
        self.drop(length);
        Ok(symbol)
    }

    /// Decoders look ahead of the last bit by up to two words.
    fn check(&self) -> Result<(), Reason> {
        let end = self.input.len().saturating_add(4);
        if self.at > end { Err(Reason::Truncated) } else { Ok(()) }
    }

    /// Goes on at the next whole word: behind at least one bit, as LZX has it.
    pub(crate) fn align(&mut self) {
        let taken = self.at.saturating_mul(8).saturating_sub(self.count as usize);
        self.at = (taken / 16).saturating_add(1).saturating_mul(2);
        (self.bits, self.count) = (0, 0);
    }

    /// Bytes from behind the words that were begun.
    ///
    /// # Errors
    /// [`Reason::Truncated`] if there are fewer.
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Reason> {
        let mut cursor = Cursor::at(self.input, self.at as u64)?;
        let bytes = cursor.take(count)?;
        self.at = self.at.saturating_add(count);
        Ok(bytes)
    }
}
