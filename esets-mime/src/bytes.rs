//! Small reads of untrusted bytes that cannot go wrong.

use memchr::{memchr, memchr2};
use std::ops::Range;

/// The bytes of `range`, or none if it does not lie within `raw`.
pub(crate) fn slice(raw: &[u8], range: Range<usize>) -> &[u8] {
    raw.get(range).unwrap_or_default()
}

/// All bytes from `start` on, or none.
pub(crate) fn from(raw: &[u8], start: usize) -> &[u8] {
    raw.get(start..).unwrap_or_default()
}

/// The bytes before `end`, or all of them.
pub(crate) fn up_to(raw: &[u8], end: usize) -> &[u8] {
    raw.get(..end).unwrap_or(raw)
}

/// Which bytes end a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breaks {
    /// CR LF, LF and CR alike.
    Any,
    /// Only LF, with a CR before it or not.
    LineFeed,
}

/// Where the line that holds `at` ends, without and with its line end.
pub(crate) fn line_end(raw: &[u8], at: usize, breaks: Breaks) -> (usize, usize) {
    let rest = from(raw, at);
    let found = match breaks {
        Breaks::Any => memchr2(b'\r', b'\n', rest),
        Breaks::LineFeed => memchr(b'\n', rest),
    };
    let Some(found) = found else {
        return (raw.len(), raw.len());
    };
    let end = at.saturating_add(found);
    match (raw.get(end), raw.get(end.saturating_add(1))) {
        (Some(b'\r'), Some(b'\n')) => (end, end.saturating_add(2)),
        (Some(b'\n'), _) if breaks == Breaks::LineFeed && up_to(rest, found).ends_with(b"\r") => {
            (end.saturating_sub(1), end.saturating_add(1))
        }
        _ => (end, end.saturating_add(1)),
    }
}

/// The lines of `raw` without their ends.
pub(crate) fn lines(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= raw.len() {
            return None;
        }
        let (end, next) = line_end(raw, at, Breaks::Any);
        let line = slice(raw, at..end);
        at = next;
        Some(line)
    })
}

/// The end of a text once the line end before it is taken off.
pub(crate) fn before_break(raw: &[u8], start: usize, end: usize) -> usize {
    let text = slice(raw, start..end);
    let cut = match text {
        [.., b'\r', b'\n'] => 2,
        [.., b'\r' | b'\n'] => 1,
        _ => 0,
    };
    end.saturating_sub(cut)
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c)
}

pub(crate) fn is_space(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'\r' | b'\n')
}

/// `text` without white space around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| !is_space(b)).unwrap_or(text.len());
    let text = from(text, start);
    let end = text.iter().rposition(|&b| !is_space(b)).map_or(0, |last| last.saturating_add(1));
    up_to(text, end)
}

/// Whether `text` starts with `prefix`, whatever the case.
pub(crate) fn starts_with(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
