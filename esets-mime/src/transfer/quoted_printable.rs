//! Quoted-printable, as in RFC 2045, 6.7: white space before a line end is dropped, lower-case
//! digits are read, and an escape that is none stays as it is.

use super::Decode;
use crate::bytes::{from, is_blank, up_to};
use memchr::memchr2;

/// The decoder; all that it has to remember is left in the input.
pub(super) struct QuotedPrintable;

impl Decode for QuotedPrintable {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let mut at = 0_usize;
        while at < input.len() {
            let rest = from(input, at);
            let run = memchr2(b'=', b'\n', rest).unwrap_or(rest.len());
            match rest.get(run) {
                Some(b'\n') => {
                    push_line(up_to(rest, run), out);
                    at = at.saturating_add(run).saturating_add(1);
                }
                Some(_) => {
                    out.extend_from_slice(up_to(rest, run));
                    at = at.saturating_add(run);
                    let Some(used) = escape(from(rest, run), last, out) else {
                        return at;
                    };
                    at = at.saturating_add(used);
                }
                None => {
                    let kept = if last { 0 } else { trailing_blanks(rest) };
                    out.extend_from_slice(up_to(rest, rest.len().saturating_sub(kept)));
                    return input.len().saturating_sub(kept);
                }
            }
        }
        at
    }
}

/// A line, which ends in LF, without the blanks before its end.
fn push_line(line: &[u8], out: &mut Vec<u8>) {
    let (text, end) = match line.split_last() {
        Some((b'\r', text)) => (text, b"\r\n".as_slice()),
        _ => (line, b"\n".as_slice()),
    };
    let blanks = text.iter().rev().take_while(|&&b| is_blank(b)).count();
    out.extend_from_slice(up_to(text, text.len().saturating_sub(blanks)));
    out.extend_from_slice(end);
}

/// What follows the last printable byte, if it may turn out to be the end of a line.
fn trailing_blanks(run: &[u8]) -> usize {
    let blanks = run.iter().rev().take_while(|&&b| is_blank(b) || b == b'\r').count();
    if blanks > LONGEST { 0 } else { blanks }
}

/// Decodes what starts with `=`; none if more input is needed to tell.
fn escape(text: &[u8], last: bool, out: &mut Vec<u8>) -> Option<usize> {
    if let [_, high, low, ..] = text
        && let (Some(high), Some(low)) = (hex(*high), hex(*low))
    {
        out.push((high << 4) | low);
        return Some(3);
    }
    let after = from(text, 1);
    let blanks = after.iter().take_while(|&&b| is_blank(b)).count();
    let (used, is_break) = match from(after, blanks) {
        [b'\r'] | [] if !last && blanks < LONGEST => return None,
        [_] if !last && blanks == 0 => return None,
        [b'\r', b'\n', ..] => (3, true),
        [b'\r' | b'\n', ..] => (2, true),
        [] if last => (1, true),
        _ => (1, false),
    };
    if is_break {
        return Some(blanks.saturating_add(used));
    }
    out.push(b'=');
    Some(1)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// More blanks than this are never held back, so that the decoder always gets on.
const LONGEST: usize = 1024;
