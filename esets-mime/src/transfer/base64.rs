//! Base64, as in RFC 2045, 6.8, read the way the most forgiving mail programs do.

use super::Decode;
use crate::bytes::{from, lines, up_to};

/// Sextets on their way to bytes.
pub(super) struct Base64 {
    values: &'static [u8; 256],
    bits: u32,
    held: u8,
    stops_at_padding: bool,
    stopped: bool,
}

impl Base64 {
    pub(super) fn new() -> Self {
        Self { values: &STANDARD, bits: 0, held: 0, stops_at_padding: false, stopped: false }
    }

    pub(super) fn ignoring_padding() -> Self {
        Self { values: &UNPADDED, ..Self::new() }
    }

    pub(super) fn until_padding() -> Self {
        Self { stops_at_padding: true, ..Self::new() }
    }

    pub(super) fn url() -> Self {
        Self { values: &URL, ..Self::new() }
    }

    /// Decodes whole groups as long as they hold nothing else; returns the input used.
    fn groups(&self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let (groups, _) = input.as_chunks::<4>();
        let start = out.len();
        out.resize(start.saturating_add(groups.len().saturating_mul(3)), 0);
        let mut done = 0_usize;
        let room = out.get_mut(start..).unwrap_or_default();
        for (group, bytes) in groups.iter().zip(room.as_chunks_mut::<3>().0) {
            let [a, b, c, d] = group.map(|byte| self.value(byte));
            if (a | b | c | d) > 63 {
                break;
            }
            *bytes = [(a << 2) | (b >> 4), (b << 4) | (c >> 2), (c << 6) | d];
            done = done.saturating_add(1);
        }
        out.truncate(start.saturating_add(done.saturating_mul(3)));
        done.saturating_mul(4)
    }

    fn value(&self, byte: u8) -> u8 {
        self.values.get(usize::from(byte)).copied().unwrap_or(FOREIGN)
    }

    fn one(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.value(byte) {
            PADDING => self.pad(out),
            FOREIGN => {}
            value => {
                self.bits = (self.bits << 6) | u32::from(value);
                self.held = self.held.saturating_add(1);
                if self.held == 4 {
                    let [_, a, b, c] = self.bits.to_be_bytes();
                    out.extend_from_slice(&[a, b, c]);
                    (self.bits, self.held) = (0, 0);
                }
            }
        }
    }

    /// Ends a group early; the next character starts a new one.
    fn pad(&mut self, out: &mut Vec<u8>) {
        self.stopped = self.stops_at_padding && self.held > 0;
        let [_, _, a, b] = match self.held {
            2 => (self.bits >> 4) << 8,
            3 => self.bits >> 2,
            _ => 0,
        }
        .to_be_bytes();
        out.extend_from_slice(up_to(&[a, b], usize::from(self.held.saturating_sub(1))));
        (self.bits, self.held) = (0, 0);
    }
}

impl Decode for Base64 {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let mut rest = input;
        while !self.stopped && !rest.is_empty() {
            if self.held == 0 {
                // A stretch at a time, so that a broken line does not cost its whole tail of zeros.
                let used = self.groups(up_to(rest, STRETCH), out);
                rest = from(rest, used);
                if used == STRETCH {
                    continue;
                }
            }
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            self.one(byte, out);
            rest = after;
        }
        if last && !self.stopped {
            self.pad(out);
        }
        input.len()
    }
}

/// Whether every byte is base64, padding or white space.
pub(crate) fn is_clean(text: &[u8]) -> bool {
    text.chunks(1024).all(|chunk| foreign_in(chunk) == 0)
}

/// Whether the body is base64 as far as one can see: long lines of nothing else, all but the last
/// equally long.
pub(crate) fn looks_like(body: &[u8]) -> bool {
    let mut total = 0_usize;
    let mut width = None;
    for line in lines(up_to(body, SAMPLE)).filter(|line| !line.is_empty()) {
        let cut = body.len() > SAMPLE && total.saturating_add(line.len()) > SAMPLE - 80;
        if cut {
            break;
        }
        if !is_clean(line) || line.contains(&b' ') || width.is_some_and(|width| line.len() > width)
        {
            return false;
        }
        width = width.or(Some(line.len()));
        total = total.saturating_add(line.len());
    }
    let long_line = body.len() > SAMPLE && total == 0 && is_clean(up_to(body, SAMPLE));
    (total >= SHORTEST || long_line) && is_mixed(up_to(body, SAMPLE))
}

/// Encoded data holds letters of both cases or digits; one long word or a ruler of `=` does not.
fn is_mixed(text: &[u8]) -> bool {
    let lower = text.iter().any(u8::is_ascii_lowercase);
    let upper = text.iter().filter(|b| b.is_ascii_uppercase()).count() > 4;
    let digit = text.iter().any(u8::is_ascii_digit);
    lower && upper && digit
}

/// How many bytes are neither base64 nor white space; written so that it becomes vector code.
fn foreign_in(chunk: &[u8]) -> u16 {
    let foreign = |&b: &u8| {
        let known = b.is_ascii_alphanumeric()
            | (b == b'+')
            | (b == b'/')
            | (b == b'=')
            | (b == b'\r')
            | (b == b'\n')
            | (b == b' ')
            | (b == b'\t');
        u16::from(!known)
    };
    chunk.iter().map(foreign).fold(0, u16::wrapping_add)
}

const fn table(plus: u8, slash: u8, equals: u8) -> [u8; 256] {
    let mut values = [FOREIGN; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut value = 0_u8;
    let mut rest = alphabet.as_slice();
    while let [first, others @ ..] = rest {
        set(&mut values, *first, value);
        value = value.saturating_add(1);
        rest = others;
    }
    set(&mut values, plus, 62);
    set(&mut values, slash, 63);
    set(&mut values, b'=', equals);
    values
}

#[expect(clippy::indexing_slicing, reason = "a byte is always within 256 entries")]
const fn set(values: &mut [u8; 256], byte: u8, value: u8) {
    values[byte as usize] = value;
}

/// In bytes; a shorter text is not called base64 unless it is declared.
const SHORTEST: usize = 24;
/// Bytes of a body that decide what it looks like.
const SAMPLE: usize = 4096;
const STRETCH: usize = 76;
const PADDING: u8 = 254;
const FOREIGN: u8 = 255;
static STANDARD: [u8; 256] = table(b'+', b'/', PADDING);
static URL: [u8; 256] = table(b'-', b'_', PADDING);
static UNPADDED: [u8; 256] = table(b'+', b'/', FOREIGN);
