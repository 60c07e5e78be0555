//! Holds what a decoder gives against the size and the checksum that an archive states.

use std::io::{self, Read};

use flate2::Crc;

use crate::verdict::Reason;

/// What an archive states of a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stated {
    /// The size, where it is known.
    pub(crate) size: Option<u64>,
    /// The checksum.
    pub(crate) sum: Sum,
}

/// A checksum that an archive states.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sum {
    /// CRC-16 of CCITT (x^16 + x^12 + x^5 + 1, the highest bit first), from all ones.
    Ccitt(u16),
    /// CRC-16 as in ARC (x^16 + x^15 + x^2 + 1, the lowest bit first).
    Crc16(u16),
    /// CRC-32 (ISO 3309).
    Crc32(u32),
    /// None.
    None,
}

/// Reads no more than the stated size, and ends in an error if less, more or something else came.
pub(crate) struct Checked<R> {
    reader: R,
    left: Option<u64>,
    sum: Sum,
    ccitt: u16,
    crc16: u16,
    crc32: Crc,
    has_ended: bool,
}

impl<R: Read> Checked<R> {
    pub(crate) fn new(reader: R, stated: Stated) -> Self {
        let Stated { size, sum } = stated;
        Self {
            reader,
            left: size,
            sum,
            ccitt: u16::MAX,
            crc16: 0,
            crc32: Crc::new(),
            has_ended: false,
        }
    }

    /// Whether all that is left, to its end, is as the archive states.
    pub(crate) fn ends_right(mut self) -> bool {
        io::copy(&mut self, &mut io::sink()).is_ok()
    }

    fn end(&mut self) -> io::Result<usize> {
        if self.has_ended {
            return Ok(0);
        }
        self.has_ended = true;
        if self.left.is_some_and(|left| left > 0) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let ends_right = match self.sum {
            Sum::Ccitt(stated) => stated == self.ccitt,
            Sum::Crc16(stated) => stated == self.crc16,
            Sum::Crc32(stated) => stated == self.crc32.sum(),
            Sum::None => true,
        };
        if !ends_right {
            return Err(io::Error::other(Reason::corrupt("checksum")));
        }
        // A member said to be empty would else hide all that it holds.
        if self.left.is_some() && self.reader.read(&mut [0]).is_ok_and(|count| count > 0) {
            return Err(io::Error::other(Reason::corrupt("size")));
        }
        Ok(0)
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        let room = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let room = room.min(output.len());
        let output = output.get_mut(..room).unwrap_or_default();
        let count = if room == 0 { 0 } else { self.reader.read(output)? };
        if count == 0 {
            return self.end();
        }
        let fresh = output.get(..count).unwrap_or_default();
        match self.sum {
            Sum::Ccitt(_) => self.ccitt = super::crc16::crc16(self.ccitt, fresh),
            Sum::Crc16(_) => self.crc16 = crc16(self.crc16, fresh),
            Sum::Crc32(_) => self.crc32.update(fresh),
            Sum::None => {}
        }
        self.left = self.left.map(|left| left.saturating_sub(count as u64));
        Ok(count)
    }
}

/// Goes on with a CRC-16.
pub(crate) fn crc16(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, byte| {
        let place = usize::from((crc ^ u16::from(*byte)) & 0xff);
        crc >> 8 ^ CRC16.get(place).copied().unwrap_or_default()
    })
}

#[expect(clippy::indexing_slicing, reason = "an index past the end does not compile")]
static CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut place = 0_u16;
    while place < 256 {
        let mut crc = place;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 };
            bit += 1;
        }
        table[place as usize] = crc;
        place += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_behind_the_stated_size_is_not_passed_over() {
        let stated = |size| Stated { size: Some(size), sum: Sum::Crc32(0) };
        assert_eq!(
            Checked::new(&b"abc"[..], stated(0)).read(&mut [0]).map_err(|e| Reason::from_io(&e)),
            Err(Reason::corrupt("size"))
        );
        assert_eq!(Checked::new(&b""[..], stated(0)).read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn the_crc_of_the_digits_is_the_known_one() {
        assert_eq!(crc16(0, b"123456789"), 0xbb3d);
    }
}
