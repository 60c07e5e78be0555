//! The text forms: ASCII armour (RFC 9580, 6.2) and the cleartext signature framework (7).

use std::io::{self, Read};

use memchr::memmem;

use crate::budget::Stop;
use crate::children::Children;
use crate::object::Member;

/// One message in a text.
pub(super) enum Block<'a> {
    /// The base64 of packets.
    Letters(&'a [u8]),
    /// A text that is only signed.
    Text(&'a [u8]),
}

/// Every message in a text; what has no end reaches to the end of the text.
pub(super) fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = memmem::find(rest, BEGIN)?;
            let kind = rest.get(at..)?.get(BEGIN.len()..)?;
            let starts_line = at == 0 || rest.get(..at)?.ends_with(b"\n");
            let signed = kind.strip_prefix(b"SIGNED MESSAGE-----");
            rest = kind;
            if let Some(behind) = signed.filter(|_| starts_line) {
                let text = behind_headers(behind)?;
                let end = memmem::find(text, BEGIN_SIGNATURE).unwrap_or(text.len());
                let (text, behind) = text.split_at_checked(end)?;
                rest = behind.get(BEGIN_SIGNATURE.len()..).unwrap_or_default();
                return Some(Block::Text(text));
            }
            if kind.starts_with(b"MESSAGE") && starts_line {
                let letters = behind_headers(kind)?;
                let end = memmem::find(letters, b"\n-----").unwrap_or(letters.len());
                let (letters, behind) = letters.split_at_checked(end)?;
                rest = behind;
                return Some(Block::Letters(without_checksum(letters)));
            }
        }
    })
}

/// What stands behind the first empty line below this one.
fn behind_headers(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.get(memchr::memchr(b'\n', text)?..)?.get(1..)?;
    for _ in 0..MOST_HEADERS {
        let (line, behind) = rest.split_at_checked(memchr::memchr(b'\n', rest)?)?;
        rest = behind.get(1..)?;
        if line.trim_ascii().is_empty() {
            return Some(rest);
        }
    }
    Some(rest)
}

/// The letters without `=` and the CRC-24 on a line of its own, which is no data.
fn without_checksum(letters: &[u8]) -> &[u8] {
    let end = memmem::rfind(letters, b"\n=").unwrap_or(letters.len());
    letters.get(..end).unwrap_or(letters)
}

/// Offers a signed text as it was before signing.
pub(super) fn offer(text: &[u8], name: &[u8], children: &mut Children<'_>) -> Result<(), Stop> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if !text.starts_with(b"- ") && memmem::find(text, b"\n- ").is_none() {
        return children.slice(Member::named(name), text);
    }
    children.stream(Member::named(name), &mut Unescaped { rest: text, line: b"" })
}

/// Lines without the `- ` that escapes a dash.
struct Unescaped<'a> {
    rest: &'a [u8],
    line: &'a [u8],
}

impl Read for Unescaped<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.line.is_empty() && !self.rest.is_empty() {
            let end = memchr::memchr(b'\n', self.rest);
            let end = end.map_or(self.rest.len(), |end| end.saturating_add(1));
            let (line, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
            (self.line, self.rest) = (line.strip_prefix(b"- ").unwrap_or(line), rest);
        }
        self.line.read(output)
    }
}

/// How many lines of headers armour may have.
const MOST_HEADERS: usize = 32;

const BEGIN: &[u8] = b"-----BEGIN PGP ";
const BEGIN_SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
