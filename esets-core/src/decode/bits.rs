//! Bits of bytes, the highest of each first.

use std::io;

/// Reads bits one by one.
pub(crate) struct Bits<'a> {
    data: &'a [u8],
    /// The place of the next bit.
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// The next bits, up to 32, as a number.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if there are fewer.
    pub(crate) fn take(&mut self, count: u32) -> io::Result<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8).ok_or(io::ErrorKind::UnexpectedEof)?;
            value = value << 1 | u32::from(byte >> (7 & !self.at) & 1);
            self.at = self.at.saturating_add(1);
        }
        Ok(value)
    }
}
