//! mbox, a file of messages, each after a line that starts with `From ` (RFC 4155).

use crate::bytes::{Breaks, before_break, from, line_end, slice};
use crate::header::is_from_line;
use memchr::memmem;

/// Whether `bytes` start like an mbox.
#[must_use]
pub fn looks_like(bytes: &[u8]) -> bool {
    bytes.starts_with(b"From ") && is_separator(bytes, 0)
}

/// The messages of an mbox, without the `From ` lines and the line end before the next.
///
/// A `From ` line within a text, which should have been quoted, starts a message only if a field
/// follows it. Text before the first `From ` line comes as a message of its own.
pub fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = Some(0);
    std::iter::from_fn(move || {
        loop {
            let start = at?;
            let top = match is_separator(bytes, start) {
                true => line_end(bytes, start, Breaks::Any).1,
                false => start,
            };
            let next = next_separator(bytes, top);
            at = next;
            let end = before_break(bytes, top, next.unwrap_or(bytes.len()));
            let message = slice(bytes, top..end);
            if !message.is_empty() {
                return Some(message);
            }
        }
    })
}

fn next_separator(bytes: &[u8], start: usize) -> Option<usize> {
    let found = memmem::find_iter(from(bytes, start), b"From ").map(|at| start.saturating_add(at));
    found.into_iter().find(|&at| at >= start && is_separator(bytes, at))
}

fn is_separator(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    if !before.is_none_or(|b| matches!(b, b'\r' | b'\n')) {
        return false;
    }
    let line = from(bytes, at);
    if !line.starts_with(b"From ") {
        return false;
    }
    let (_, next) = line_end(line, 0, Breaks::Any);
    starts_with_field(from(line, next))
}

/// Whether a field's name and colon, or another `From ` line, come first.
fn starts_with_field(text: &[u8]) -> bool {
    let name =
        text.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
    (name > 0 && from(text, name).first() == Some(&b':')) || is_from_line(text)
}
