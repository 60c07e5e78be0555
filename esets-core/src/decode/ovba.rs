//! The compression of VBA source code: \[MS-OVBA\] 2.4.1.

use std::io::{self, Read};

use crate::verdict::Reason;

/// Decompresses a container as it is read.
pub(crate) struct Ovba<R> {
    inner: R,
    started: bool,
    chunk: Vec<u8>,
    at: usize,
}

impl<R: Read> Ovba<R> {
    /// Reads a container from its signature byte on.
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, started: false, chunk: Vec::new(), at: 0 }
    }

    /// Reads the next chunk; `false` at the end.
    fn next_chunk(&mut self) -> io::Result<bool> {
        if !self.started {
            let mut signature = [0];
            self.inner.read_exact(&mut signature)?;
            if signature != [1] {
                return Err(io::Error::other(CORRUPT));
            }
            self.started = true;
        }
        let mut header = [0; 2];
        if read_up_to(&mut self.inner, &mut header)? < header.len() {
            return Ok(false);
        }
        let header = u16::from_le_bytes(header);
        // Streams may be padded with zeros behind the container.
        if header == 0 {
            return Ok(false);
        }
        if header & 0x7000 != 0x3000 {
            return Err(io::Error::other(CORRUPT));
        }
        let mut packed = [0; CHUNK];
        let size = if header & 0x8000 == 0 { CHUNK } else { usize::from(header & 0xFFF) + 1 };
        let packed = packed.get_mut(..size).unwrap_or_default();
        let count = read_up_to(&mut self.inner, packed)?;
        let packed = packed.get(..count).unwrap_or_default();
        self.at = 0;
        if header & 0x8000 == 0 {
            self.chunk = packed.to_vec();
        } else {
            self.chunk.clear();
            decompress(packed, &mut self.chunk);
        }
        Ok(true)
    }
}

impl<R: Read> Read for Ovba<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.chunk.len() {
            if !self.next_chunk()? {
                return Ok(0);
            }
        }
        let count = self.chunk.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// Fills the buffer as far as the reader goes.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(room) = buffer.get_mut(done..).filter(|room| !room.is_empty()) {
        match reader.read(room)? {
            0 => break,
            count => done = done.saturating_add(count),
        }
    }
    Ok(done)
}

/// Decompresses one chunk; it ends where it points before its own start.
fn decompress(packed: &[u8], chunk: &mut Vec<u8>) {
    let mut packed = packed.iter().copied();
    while let Some(flags) = packed.next() {
        for bit in 0..8 {
            if flags >> bit & 1 == 0 {
                let Some(literal) = packed.next() else { return };
                chunk.push(literal);
            } else {
                let (Some(low), Some(high)) = (packed.next(), packed.next()) else { return };
                if !copy(u16::from_le_bytes([low, high]), chunk) {
                    return;
                }
            }
            if chunk.len() >= CHUNK {
                return;
            }
        }
    }
}

/// Repeats earlier bytes; how the token is split depends on how many there are.
fn copy(token: u16, chunk: &mut Vec<u8>) -> bool {
    let Some(last) = chunk.len().checked_sub(1) else { return false };
    let bits = last.checked_ilog2().map_or(4, |bits| bits.saturating_add(1).clamp(4, 12));
    let length = usize::from(token & (0xFFFF >> bits)).saturating_add(3);
    let offset = usize::from(token >> (16_u32.saturating_sub(bits))).saturating_add(1);
    let Some(start) = chunk.len().checked_sub(offset) else { return false };
    for from in (start..).take(length.min(CHUNK.saturating_sub(chunk.len()))) {
        let Some(byte) = chunk.get(from).copied() else { return false };
        chunk.push(byte);
    }
    true
}

/// Bytes of a chunk, unpacked.
const CHUNK: usize = 4096;
const CORRUPT: Reason = Reason::corrupt("macro source");

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(packed: &[u8]) -> String {
        let mut reader = Ovba::new(packed);
        let mut text = [0; 100];
        let count = read_up_to(&mut reader, &mut text).unwrap();
        String::from_utf8_lossy(&text[..count]).into_owned()
    }

    // The examples of [MS-OVBA] 3.2.
    #[test]
    fn without_and_with_repetitions() {
        let literal = b"\x01\x19\xB0\x00abcdefgh\x00ijklmnop\x00qrstuv.";
        assert_eq!(unpacked(literal), "abcdefghijklmnopqrstuv.");
        let repeated = b"\x01\x2F\xB0\x00\x23\x61\x61\x61\x62\x63\x64\x65\x82\x66\x00\x70\x61\x67\
            \x68\x69\x6A\x01\x38\x08\x61\x6B\x6C\x00\x30\x6D\x6E\x6F\x70\x06\x71\x02\x70\x04\x10\
            \x72\x73\x74\x75\x76\x10\x77\x78\x79\x7A\x00\x3C";
        assert_eq!(unpacked(repeated), "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa");
        assert_eq!(unpacked(b"\x01\x03\xB0\x02\x61\x45\x00"), "a".repeat(73));
    }
}
