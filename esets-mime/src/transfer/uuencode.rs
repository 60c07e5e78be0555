//! The data lines of uuencode (POSIX) and of xxencode, which differ in the alphabet only.

use super::Decode;
use crate::bytes::{Breaks, from, line_end, slice, up_to};

pub(super) struct Uuencode {
    value: fn(u8) -> u8,
    in_long_line: bool,
    /// Whether the last line was one of no bytes, behind which only `end` comes.
    closed: bool,
    ended: bool,
}

impl Uuencode {
    pub(super) fn uu() -> Self {
        Self { value: uu, in_long_line: false, closed: false, ended: false }
    }

    pub(super) fn xx() -> Self {
        Self { value: xx, ..Self::uu() }
    }

    /// A count, then groups of four characters; missing ones are spaces that a relay has cut.
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let Some((&count, data)) = line.split_first() else {
            return;
        };
        // A message may be cut within its last word.
        let is_cut_end = self.closed && b"end".starts_with(line);
        if line.eq_ignore_ascii_case(b"end") || is_cut_end {
            self.ended = true;
            return;
        }
        let count = usize::from((self.value)(count));
        self.closed = count == 0;
        let mut bytes = [0; 66];
        for (group, target) in data.chunks(4).zip(bytes.as_chunks_mut::<3>().0) {
            let value = |at: usize| group.get(at).map_or(0, |&b| (self.value)(b));
            let [a, b, c, d] = [0, 1, 2, 3].map(value);
            *target = [(a << 2) | (b >> 4), (b << 4) | (c >> 2), (c << 6) | d];
        }
        out.extend_from_slice(up_to(&bytes, count));
    }
}

impl Decode for Uuencode {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < input.len() && !self.ended {
            let (end, next) = line_end(input, at, Breaks::Any);
            let complete = next > end || last;
            if !complete && at > 0 {
                return at;
            }
            if !self.in_long_line {
                self.line(slice(input, at..end), out);
            }
            self.in_long_line = !complete;
            at = next;
        }
        input.len()
    }
}

/// Whether this can be a data line of uuencode: a count, and about the characters it asks for.
pub(crate) fn is_uu_line(line: &[u8]) -> bool {
    line.iter().all(|b| (b' '..=b'`').contains(b)) && has_its_length(line, uu)
}

/// Whether this can be a data line of xxencode.
pub(crate) fn is_xx_line(line: &[u8]) -> bool {
    line.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-'))
        && has_its_length(line, xx)
}

fn has_its_length(line: &[u8], value: fn(u8) -> u8) -> bool {
    let Some((&count, data)) = line.split_first() else {
        return false;
    };
    let needed = usize::from(value(count)).div_ceil(3).saturating_mul(4);
    // Spaces at the end may be cut, and a check character or padding may follow.
    let spare = from(data, needed).len();
    let cut = needed.saturating_sub(data.len());
    needed > 0 && spare <= 3 && (cut == 0 || (value(b' ') == 0 && cut < needed))
}

fn uu(byte: u8) -> u8 {
    byte.wrapping_sub(b' ') & 63
}

fn xx(byte: u8) -> u8 {
    match byte {
        b'-' => 1,
        b'0'..=b'9' => byte.saturating_sub(b'0').saturating_add(2),
        b'A'..=b'Z' => byte.saturating_sub(b'A').saturating_add(12),
        b'a'..=b'z' => byte.saturating_sub(b'a').saturating_add(38),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_cut_is_no_line_of_data() {
        for end in ["e", "en", "end", ""] {
            let mut out = Vec::new();
            Uuencode::uu().decode(format!("#86)C\n`\n{end}").as_bytes(), true, &mut out);
            assert_eq!(out, b"abc", "{end:?}");
        }
    }
}
