//! Reads untrusted bytes: every length is checked, nothing is indexed, nothing panics.

use std::collections::HashSet;
use std::io;

/// There are fewer bytes than the format promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("truncated")]
pub struct Truncated;

/// A position in borrowed bytes; what is taken is borrowed from them, never copied.
#[derive(Clone, Debug, Default)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A cursor at `offset` bytes from the start.
    ///
    /// # Errors
    /// [`Truncated`] if the offset lies behind the end.
    pub fn at(bytes: &'a [u8], offset: u64) -> Result<Self, Truncated> {
        let at = usize::try_from(offset).map_err(|_| Truncated)?;
        if at > bytes.len() { Err(Truncated) } else { Ok(Self { bytes, at }) }
    }

    /// How many bytes lie before the cursor.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// All that is left, without moving.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left; the cursor stays where it is.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let taken = self.rest().get(..count).ok_or(Truncated)?;
        self.at = self.at.saturating_add(count);
        Ok(taken)
    }

    /// The next `count` bytes, or as many of them as are left.
    pub fn take_up_to(&mut self, count: u64) -> &'a [u8] {
        let rest = self.rest();
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(rest.len());
        self.at = self.at.saturating_add(count);
        rest.get(..count).unwrap_or_default()
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let taken = self.take(N)?;
        <[u8; N]>::try_from(taken).map_err(|_| Truncated)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A little-endian 16-bit number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer than two bytes are left.
    pub fn u16_le(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_le_bytes)
    }

    /// A big-endian 16-bit number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer than two bytes are left.
    pub fn u16_be(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_be_bytes)
    }

    /// A little-endian 32-bit number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer than four bytes are left.
    pub fn u32_le(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_le_bytes)
    }

    /// A big-endian 32-bit number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer than four bytes are left.
    pub fn u32_be(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_be_bytes)
    }

    /// A little-endian 64-bit number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer than eight bytes are left.
    pub fn u64_le(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_le_bytes)
    }

    /// A big-endian 64-bit number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer than eight bytes are left.
    pub fn u64_be(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_be_bytes)
    }
}

/// The offsets that a walk from one to the next has met, so that it cannot go in circles.
///
/// It takes memory in proportion to the steps, so it is for walks that the object's size bounds.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    met: HashSet<u64>,
}

impl Chain {
    /// Steps to `offset`: `false` if the walk was there before and must end.
    #[must_use]
    pub fn step(&mut self, offset: u64) -> bool {
        self.met.insert(offset)
    }
}

/// So that a decoder can pull from the cursor and leave it where its stream ends.
impl io::Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.take_up_to(buffer.len() as u64);
        for (to, from) in buffer.iter_mut().zip(taken) {
            *to = *from;
        }
        Ok(taken.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_there_and_refuses_what_is_not() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5]);
        assert_eq!(cursor.u16_le(), Ok(0x0201));
        assert_eq!(cursor.u32_be(), Err(Truncated));
        assert_eq!(cursor.take_up_to(u64::MAX), [3, 4, 5]);
        assert!(cursor.is_empty());
    }

    #[test]
    fn a_chain_refuses_an_offset_that_it_met() {
        let mut chain = Chain::default();
        assert!(chain.step(7) && chain.step(8));
        assert!(!chain.step(7));
    }

    #[test]
    fn an_offset_behind_the_end_is_refused() {
        assert!(Cursor::at(&[0; 4], 4).is_ok());
        assert!(Cursor::at(&[0; 4], u64::MAX).is_err());
    }
}
