//! NRV2B, NRV2D and NRV2E, the codes of the UCL library that UPX uses.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// Which of the three codes; they differ in how lengths and offsets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nrv {
    /// NRV2B.
    B,
    /// NRV2D.
    D,
    /// NRV2E.
    E,
}

impl Nrv {
    /// Offsets from here on cost so much that a match is one longer.
    fn far(self) -> usize {
        if self == Self::B { 0xd00 } else { 0x500 }
    }
}

/// Decodes `packed` up to its end mark; bits come in little-endian words of `word` bytes, the
/// highest first. At most `limit` bytes are written.
///
/// # Errors
/// [`Reason`] if it is cut, damaged, or longer than `limit`.
pub(crate) fn decode(
    code: Nrv,
    packed: &[u8],
    word: usize,
    limit: usize,
) -> Result<Vec<u8>, Reason> {
    let mut decoder = Decoder { bits: Bits::new(packed, word), code, out: Vec::new(), last: 1 };
    loop {
        while decoder.bits.next()? {
            let byte = decoder.bits.cursor.u8()?;
            decoder.write(byte, limit)?;
        }
        let Some((offset, extra)) = decoder.offset()? else { return Ok(decoder.out) };
        let length = decoder.length(extra)?;
        decoder.copy(offset, length, limit)?;
    }
}

struct Decoder<'a> {
    bits: Bits<'a>,
    code: Nrv,
    out: Vec<u8>,
    last: usize,
}

impl Decoder<'_> {
    fn write(&mut self, byte: u8, limit: usize) -> Result<(), Reason> {
        if self.out.len() >= limit {
            return Err(DAMAGED);
        }
        self.out.push(byte);
        Ok(())
    }

    /// How far back a match lies, and for 2D and 2E the first bit of its length; `None` at the
    /// end mark.
    fn offset(&mut self) -> Result<Option<(usize, usize)>, Reason> {
        let mut high = 1_usize;
        loop {
            high = self.double(high)?;
            if self.bits.next()? {
                break;
            }
            if self.code != Nrv::B {
                high = self.double(high.checked_sub(1).ok_or(DAMAGED)?)?;
            }
        }
        if high == 2 {
            let extra = if self.code == Nrv::B { 0 } else { self.bits.next()?.into() };
            return Ok(Some((self.last, extra)));
        }
        let low = usize::from(self.bits.cursor.u8()?);
        let offset = high.checked_sub(3).and_then(|high| high.checked_mul(256)).ok_or(DAMAGED)?;
        let offset = offset.saturating_add(low);
        if offset >= END {
            return Ok(None);
        }
        let (offset, extra) =
            if self.code == Nrv::B { (offset, 0) } else { (offset >> 1, !offset & 1) };
        self.last = offset.saturating_add(1);
        Ok(Some((self.last, extra)))
    }

    /// The length of a match, but for what its distance adds.
    fn length(&mut self, extra: usize) -> Result<usize, Reason> {
        if self.code == Nrv::E {
            return Ok(if extra == 1 {
                usize::from(self.bits.next()?).saturating_add(1)
            } else if self.bits.next()? {
                usize::from(self.bits.next()?).saturating_add(3)
            } else {
                self.long_length()?.saturating_add(3)
            });
        }
        let first = if self.code == Nrv::B { self.bits.next()?.into() } else { extra };
        match self.double(first)? {
            0 => Ok(self.long_length()?.saturating_add(2)),
            length => Ok(length),
        }
    }

    fn long_length(&mut self) -> Result<usize, Reason> {
        let mut length = 1;
        loop {
            length = self.double(length)?;
            if self.bits.next()? {
                return Ok(length);
            }
        }
    }

    /// `value` with one more bit at its end.
    fn double(&mut self, value: usize) -> Result<usize, Reason> {
        let doubled = value.checked_mul(2).filter(|doubled| *doubled < TOO_MUCH);
        Ok(doubled.ok_or(DAMAGED)? | usize::from(self.bits.next()?))
    }

    fn copy(&mut self, offset: usize, length: usize, limit: usize) -> Result<(), Reason> {
        let length = length.saturating_add(1).saturating_add((offset > self.code.far()).into());
        let mut from = self.out.len().checked_sub(offset).ok_or(DAMAGED)?;
        for _ in 0..length {
            let byte = *self.out.get(from).ok_or(DAMAGED)?;
            self.write(byte, limit)?;
            from = from.saturating_add(1);
        }
        Ok(())
    }
}

/// Single bits between whole bytes.
struct Bits<'a> {
    cursor: Cursor<'a>,
    word: usize,
    value: u32,
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(packed: &'a [u8], word: usize) -> Self {
        Self { cursor: Cursor::new(packed), word, value: 0, left: 0 }
    }

    fn next(&mut self) -> Result<bool, Truncated> {
        if self.left == 0 {
            (self.value, self.left) = match self.word {
                1 => (self.cursor.u8()?.into(), 8),
                2 => (self.cursor.u16_le()?.into(), 16),
                _ => (self.cursor.u32_le()?, 32),
            };
        }
        self.left = self.left.saturating_sub(1);
        Ok(self.value >> self.left & 1 == 1)
    }
}

const DAMAGED: Reason = Reason::corrupt("NRV data");
/// The offset that ends the data, and a bound for everything that grows bit by bit.
const END: usize = 0xffff_ffff;
const TOO_MUCH: usize = 1 << 33;

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test ends where it fails")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes what [`Decoder`] reads: words of bits where their first bit is, bytes between them.
    struct Encoder {
        code: Nrv,
        word: usize,
        bytes: Vec<u8>,
        /// Where the current word is, and how many of its bits are still free.
        slot: usize,
        free: usize,
        last: usize,
    }

    impl Encoder {
        fn bit(&mut self, bit: usize) {
            if self.free == 0 {
                self.slot = self.bytes.len();
                self.free = self.word * 8;
                self.bytes.resize(self.slot + self.word, 0);
            }
            self.free -= 1;
            self.bytes[self.slot + self.free / 8] |= u8::try_from(bit).unwrap() << (self.free % 8);
        }

        fn literal(&mut self, byte: u8) {
            self.bit(1);
            self.bytes.push(byte);
        }

        /// The digits of `value` behind its first, each with a mark: is it the last?
        fn marked(&mut self, value: usize) {
            let digits = value.ilog2();
            for digit in (0..digits).rev() {
                self.bit(value >> digit & 1);
                self.bit(usize::from(digit == 0));
            }
        }

        /// The same for offsets of 2D and 2E, which put two digits in front of each mark but the
        /// first.
        fn marked_by_two(&mut self, value: usize) {
            let mut bits = vec![1, value & 1];
            let mut rest = value >> 1;
            while rest != 1 {
                let odd = (rest >> 1) + 1;
                bits.extend([rest & 1, 0, odd & 1]);
                rest = odd >> 1;
            }
            bits.into_iter().rev().for_each(|bit| self.bit(bit));
        }

        fn high(&mut self, high: usize) {
            if self.code == Nrv::B { self.marked(high) } else { self.marked_by_two(high) }
        }

        fn offset(&mut self, offset: usize, extra: usize) {
            self.bit(0);
            if offset == self.last {
                self.high(2);
                if self.code != Nrv::B {
                    self.bit(extra);
                }
                return;
            }
            self.last = offset;
            let raw = offset - 1;
            let raw = if self.code == Nrv::B { raw } else { raw << 1 | (1 - extra) };
            self.high((raw >> 8) + 3);
            self.bytes.push(u8::try_from(raw & 0xff).unwrap());
        }

        fn copy(&mut self, offset: usize, length: usize) {
            let length = length - 1 - usize::from(offset > self.code.far());
            let tail: Vec<usize> = match (self.code, length) {
                (Nrv::E, 1 | 2) => vec![1, length - 1],
                (Nrv::E, 3 | 4) => vec![0, 1, length - 3],
                (Nrv::E, _) => vec![0, 0],
                (_, 1..=3) => vec![length >> 1, length & 1],
                _ => vec![0, 0],
            };
            self.offset(offset, tail[0]);
            let written = usize::from(self.code != Nrv::B);
            tail.iter().skip(written).for_each(|bit| self.bit(*bit));
            match self.code {
                Nrv::E if length > 4 => self.marked(length - 3),
                Nrv::B | Nrv::D if length > 3 => self.marked(length - 2),
                _ => {}
            }
        }

        fn end(&mut self) {
            self.bit(0);
            self.high((END >> 8) + 3);
            self.bytes.push(0xff);
        }
    }

    fn codes() -> impl Strategy<Value = (Nrv, usize)> {
        let codes = prop::sample::select(vec![Nrv::B, Nrv::D, Nrv::E]);
        (codes, prop::sample::select(vec![1, 2, 4]))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            (code, word) in codes(),
            steps in prop::collection::vec((any::<u8>(), any::<u16>(), 3_usize..80), 1..300),
        ) {
            let mut encoder =
                Encoder { code, word, bytes: Vec::new(), slot: 0, free: 0, last: 1 };
            let mut text: Vec<u8> = Vec::new();
            for (byte, back, length) in steps {
                if text.is_empty() || byte < 100 {
                    encoder.literal(byte);
                    text.push(byte);
                    continue;
                }
                let offset = usize::from(back) % text.len() + 1;
                encoder.copy(offset, length);
                (0..length).for_each(|_| text.push(text[text.len() - offset]));
            }
            encoder.end();
            prop_assert_eq!(decode(code, &encoder.bytes, word, text.len()), Ok(text));
        }

        #[test]
        fn no_bytes_make_it_fail((code, word) in codes(), bytes: Vec<u8>) {
            let _ = decode(code, &bytes, word, 10_000);
        }
    }

    #[test]
    fn more_than_the_limit_is_refused() {
        assert_eq!(decode(Nrv::B, b"\xffabcdefgh", 1, 4), Err(DAMAGED));
        assert_eq!(decode(Nrv::E, b"", 4, 100), Err(Reason::Truncated));
    }
}
