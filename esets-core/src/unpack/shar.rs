//! Shell archives: text files between two marks, each line perhaps behind an `X`.

use memchr::memmem;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Shar;

impl Unpacker for Shar {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let head = subject.bytes().get(..2048).unwrap_or(subject.bytes());
        let says_so = SIGNS.iter().any(|sign| memmem::find(head, sign).is_some());
        says_so && memmem::find(subject.bytes(), b"<<").is_some()
    }

    /// What is uuencoded is found by the unpacker for that.
    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut rest = subject.bytes();
        let mut misses = 0;
        while let Some(document) = next_document(&mut rest, &mut misses) {
            let name = Member::named(document.name);
            if is_pattern(document.prefix) {
                children.not_scanned(Reason::unsupported("pattern at the beginning of lines"));
            }
            match document.prefix {
                b"" => children.slice(name, document.body)?,
                prefix => {
                    let rest = document.body;
                    children.stream(name, &mut WithoutPrefix { prefix, rest, line: b"" })?;
                }
            }
        }
        Ok(())
    }
}

/// One here-document of the shell.
struct Document<'a> {
    name: &'a [u8],
    /// What is taken from the beginning of lines that have it.
    prefix: &'a [u8],
    body: &'a [u8],
}

/// Takes the next here-document: `sed 's/^X//' << 'MARK' > 'name'`, its lines, `MARK`. Each mark
/// that never comes costs a search to the end, so only some are forgiven.
fn next_document<'a>(rest: &mut &'a [u8], misses: &mut u32) -> Option<Document<'a>> {
    while *misses < MAX_MISSES {
        *misses = misses.saturating_add(1);
        let at = memmem::find(rest, b"<<")?;
        let start = rest
            .get(..at)?
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at.saturating_add(1));
        let (line, body) = split_line(rest.get(start..)?);
        let command = line.get(at.saturating_sub(start)..)?.get(2..)?;
        *rest = body;
        let (mark, _) = word(command);
        if mark.is_empty() {
            continue;
        }
        let end = [b"\n", mark].concat();
        let length = if body.starts_with(mark) { Some(0) } else { memmem::find(body, &end) };
        let Some(length) = length else { continue };
        let inner = body.get(..length.saturating_add(1).min(body.len()))?;
        *rest = body.get(length..)?;
        *misses = 0;
        return Some(Document { name: target(line), prefix: prefix(line, inner), body: inner });
    }
    None
}

/// The file that the line writes to.
fn target(line: &[u8]) -> &[u8] {
    let places = memchr::memchr_iter(b'>', line);
    let mut written =
        places.rev().filter_map(|at| line.get(at..)?.get(1..)).map(|rest| word(rest).0);
    written.find(|name| !name.is_empty() && !name.starts_with(b"&")).unwrap_or(b"")
}

/// What the line takes from the beginning of lines: `X` in `sed 's/^X//'`. Other programs than
/// sed do the same, so that a body may show it.
fn prefix<'a>(line: &'a [u8], body: &[u8]) -> &'a [u8] {
    const PLACE: &[u8] = b"s/^";
    let Some(at) = memmem::find(line, PLACE) else {
        let is_verbatim = memmem::find(line, b"cat").is_some() || !body.starts_with(b"X");
        return if is_verbatim { b"" } else { b"X" };
    };
    let rest = line.get(at.saturating_add(PLACE.len())..).unwrap_or_default();
    memmem::find(rest, b"//").and_then(|end| rest.get(..end)).unwrap_or_default()
}

/// Whether a prefix is a pattern for more than one text, other than [`ANY`]. Most of them are for
/// one character, and so much is taken off.
fn is_pattern(prefix: &[u8]) -> bool {
    prefix != ANY && prefix.iter().any(|byte| b".[*^$\\".contains(byte))
}

/// The first word, without quotes or a backslash around it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let text = text.strip_prefix(b"\\").unwrap_or(text).trim_ascii_start();
    let (end, text): (&[u8], _) = match text {
        [b'\'', rest @ ..] => (b"'", rest),
        [b'"', rest @ ..] => (b"\"", rest),
        _ => (b" \t\r\n;&|>", text),
    };
    let length = text.iter().position(|byte| end.contains(byte)).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, b""))
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let (line, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    (line, rest.get(1..).unwrap_or_default())
}

/// Lines without what was put before them.
struct WithoutPrefix<'a> {
    prefix: &'a [u8],
    rest: &'a [u8],
    line: &'a [u8],
}

impl std::io::Read for WithoutPrefix<'_> {
    fn read(&mut self, output: &mut [u8]) -> std::io::Result<usize> {
        while self.line.is_empty() && !self.rest.is_empty() {
            let end =
                memchr::memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at.saturating_add(1));
            let (line, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
            let bare = match self.prefix {
                prefix if prefix == ANY || is_pattern(prefix) => {
                    line.get(1..).filter(|_| line != b"\n")
                }
                prefix => line.strip_prefix(prefix),
            };
            (self.line, self.rest) = (bare.unwrap_or(line), rest);
        }
        self.line.read(output)
    }
}

const MAX_MISSES: u32 = 256;

const SIGNS: &[&[u8]] =
    &[b"shell archive", b"shar:", b"SHAR_EOF", b"sed 's/^X//'", b"sed \"s/^X//\""];

/// The pattern for any one character.
const ANY: &[u8] = b".";

static FORMAT: Format = Format {
    name: "shar",
    about: "shell archive",
    extensions: &["shar"],
    magic: &[],
    specification: &["shar(1) of GNU sharutils"],
    limitations: &["of what a pattern takes from the beginning of lines, one character is taken"],
};
