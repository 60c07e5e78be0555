//! The value of a parameter or a field: quoted strings, tokens, comments (RFC 5322, 3.2), percent
//! signs (RFC 2231), and what sloppy readers take them for.

use crate::bytes::{from, is_space, trim, up_to};
use memchr::memchr;

/// The value as RFC 2045 has it: a quoted string without its escapes, or a token.
pub(crate) fn standard(text: &[u8]) -> Vec<u8> {
    match text.strip_prefix(b"\"") {
        Some(quoted) => unescaped(inside_quotes(quoted)),
        None => {
            let plain = without_comments(text);
            let plain = from(&plain, plain.iter().take_while(|&&b| is_space(b)).count());
            up_to(plain, token_length(plain)).to_vec()
        }
    }
}

/// Whether the value is a token or a quoted string, without comments or escapes, and ends there.
pub(crate) fn is_unmistakable(text: &[u8]) -> bool {
    let (value, after) = match text.strip_prefix(b"\"") {
        Some(quoted) => {
            let value = inside_quotes(quoted);
            let Some((b'"', after)) = from(quoted, value.len()).split_first() else { return false };
            (value, after)
        }
        None => {
            let end = token_length(text);
            (up_to(text, end), from(text, end))
        }
    };
    let next = from(after, after.iter().take_while(|&&b| is_space(b)).count());
    !value.iter().any(|b| matches!(b, b'"' | b'\\' | b'('))
        && matches!(next.first(), None | Some(b';'))
}

/// The stretches of `text` that may be meant, likeliest first.
pub(crate) fn forms(text: &[u8]) -> Vec<Vec<u8>> {
    let mut all = plain_forms(text);
    if text.first() == Some(&b'"') {
        // A reader that does not know quotes stops within them.
        all.push(from(until_semicolon(text), 1).to_vec());
    } else {
        all.push(text.to_vec());
    }
    all
}

/// The readings that also make sense for a name.
pub(crate) fn plain_forms(text: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![standard(text)];
    if let Some(quoted) = text.strip_prefix(b"\"") {
        all.push(inside_quotes(quoted).to_vec());
    } else {
        all.push(trim(until_semicolon(text)).to_vec());
        all.push(up_to(text, token_length(text)).to_vec());
    }
    all
}

fn until_semicolon(text: &[u8]) -> &[u8] {
    up_to(text, memchr(b';', text).unwrap_or(text.len()))
}

fn token_length(text: &[u8]) -> usize {
    text.iter().position(|&b| is_space(b) || matches!(b, b';' | b',')).unwrap_or(text.len())
}

/// Up to the closing quote, or all if there is none.
fn inside_quotes(text: &[u8]) -> &[u8] {
    let mut escaped = false;
    let end = text.iter().position(|&b| {
        let literal = std::mem::replace(&mut escaped, false);
        escaped = b == b'\\' && !literal;
        b == b'"' && !literal
    });
    up_to(text, end.unwrap_or(text.len()))
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut escaped = false;
    for &byte in text {
        let literal = std::mem::replace(&mut escaped, false);
        if byte == b'\\' && !literal {
            escaped = true;
        } else {
            out.push(byte);
        }
    }
    out
}

pub(crate) fn percent_bytes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = (after.first().and_then(hex), after.get(1).and_then(hex));
        rest = match (byte, digits) {
            (b'%', (Some(high), Some(low))) => {
                out.push((high << 4) | low);
                from(after, 2)
            }
            _ => {
                out.push(byte);
                after
            }
        };
    }
    out
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `text` without its comments (RFC 5322, 3.2.2), quoted parentheses left alone.
pub(crate) fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for &byte in text {
        let literal = std::mem::replace(&mut escaped, false);
        match byte {
            b'\\' if !literal => escaped = true,
            b'"' if !literal && depth == 0 => quoted = !quoted,
            b'(' if !literal && !quoted => {
                depth = depth.saturating_add(1);
                continue;
            }
            b')' if !literal && !quoted && depth > 0 => {
                depth = depth.saturating_sub(1);
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(byte);
        }
    }
    out
}
