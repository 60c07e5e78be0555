//! Files within a text, without MIME: uuencode and xxencode (`begin 644 name`), `begin-base64`
//! (POSIX) and yEnc (`=ybegin`).

use crate::bytes::{Breaks, from, line_end, lines, slice, trim, up_to};
use crate::transfer::{Decoded, Encoding, is_uu_line, is_xx_line};
use memchr::memmem;
use std::ops::Range;

/// One encoded file in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The name on the first line; it may be empty.
    pub name: &'a [u8],
    /// How the data lines are encoded.
    pub encoding: Encoding,
    /// Where the data lines stand in the text.
    pub data: Range<usize>,
    text: &'a [u8],
}

impl<'a> Block<'a> {
    /// A reader of the file.
    #[must_use]
    pub fn decoded(&self) -> Decoded<'a> {
        self.encoding.decode(slice(self.text, self.data.clone()))
    }
}

/// Finds the files in `text`, in order. An unended one reaches to the next or to the end.
///
/// Data that can be uuencode as well as xxencode comes twice. The cost is that of two searches.
pub fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut at = 0;
    let mut second = None;
    std::iter::from_fn(move || {
        if let Some(block) = second.take() {
            return Some(block);
        }
        let (first, other) = next_block(text, at)?;
        at = first.data.end;
        second = other;
        Some(first)
    })
}

fn next_block(text: &[u8], start: usize) -> Option<(Block<'_>, Option<Block<'_>>)> {
    let mut at = start;
    loop {
        let rest = from(text, at);
        let begin = memmem::find(rest, b"begin")?;
        let found = at.saturating_add(begin);
        at = found.saturating_add(b"begin".len());
        if let Some(block) = yenc(text, found).or_else(|| base64(text, found)) {
            return Some((block, None));
        }
        if let Some(pair) = uuencode(text, found) {
            return Some(pair);
        }
    }
}

fn starts_line(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    before.is_none_or(|b| matches!(b, b'\r' | b'\n' | b'>' | b' '))
}

/// The line that starts at `start`, if one does and is not too long, and where the next begins.
fn first_line(text: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let shown = up_to(text, start.saturating_add(LONGEST_LINE));
    let (end, next) = line_end(shown, start, Breaks::Any);
    (starts_line(text, start) && next > end).then(|| (slice(shown, start..end), next))
}

fn yenc(text: &[u8], begin: usize) -> Option<Block<'_>> {
    let (control, next) = first_line(text, begin.checked_sub(2)?)?;
    let arguments = control.strip_prefix(b"=ybegin ")?;
    let name = memmem::find(arguments, b"name=").map(|at| from(arguments, at.saturating_add(5)));
    let data = until_line(text, next, |line| line.starts_with(b"=yend"));
    Some(Block { name: trim(name.unwrap_or_default()), encoding: Encoding::Yenc, data, text })
}

fn base64(text: &[u8], begin: usize) -> Option<Block<'_>> {
    let (line, next) = first_line(text, begin)?;
    let name = mode_and_name(line.strip_prefix(b"begin-base64")?)?.1;
    let data = until_line(text, next, |line| line == b"====");
    Some(Block { name, encoding: Encoding::Base64, data, text })
}

fn uuencode(text: &[u8], begin: usize) -> Option<(Block<'_>, Option<Block<'_>>)> {
    let (line, next) = first_line(text, begin)?;
    let (mode, name) = mode_and_name(line.strip_prefix(b"begin")?)?;
    let first = lines(from(text, next)).find(|line| !line.is_empty())?;
    let (is_uu, is_xx) = (is_uu_line(first), is_xx_line(first));
    let is_octal = matches!(mode.len(), 3 | 4) && mode.iter().all(|b| (b'0'..=b'7').contains(b));
    if !is_octal && !is_uu && !is_xx {
        return None;
    }
    let data = until_line(text, next, |line| trim(line).eq_ignore_ascii_case(b"end"));
    let block = |encoding| Block { name, encoding, data: data.clone(), text };
    let uu = (is_uu || !is_xx).then(|| block(Encoding::Uuencode));
    let xx = is_xx.then(|| block(Encoding::Xxencode));
    match (uu, xx) {
        (Some(uu), xx) => Some((uu, xx)),
        (None, xx) => Some((xx?, None)),
    }
}

/// What follows `begin`: blanks, the mode, blanks, the name.
fn mode_and_name(arguments: &[u8]) -> Option<(&[u8], &[u8])> {
    let (b' ' | b'\t', rest) = arguments.split_first()? else {
        return None;
    };
    let rest = trim(rest);
    let end = rest.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(rest.len());
    Some((up_to(rest, end), trim(from(rest, end))))
}

/// From `start` to the line that `ends` knows, or that starts another file, or to the end.
fn until_line(text: &[u8], start: usize, ends: impl Fn(&[u8]) -> bool) -> Range<usize> {
    let mut at = start;
    while at < text.len() {
        let (end, next) = line_end(text, at, Breaks::Any);
        let line = slice(text, at..end);
        if ends(line) || line.starts_with(b"begin 6") || line.starts_with(b"=ybegin part=1 ") {
            break;
        }
        at = next;
    }
    start..at
}

/// Bytes of a first line; the bound keeps a long line full of starts linear.
const LONGEST_LINE: usize = 1024;
