//! Whether bytes are a mail message, without a file name or a declared type.

use crate::bytes::{Breaks, from, is_blank, line_end, slice, starts_with, up_to};
use crate::header::{is_content_field, is_from_line};
use crate::transfer::Encoding;
use memchr::memchr;

/// Whether `bytes` start like a message (RFC 5322), or like the body of a multipart.
///
/// Byte order marks, UTF-16, leading empty lines and `From ` lines are seen through. Source code,
/// configuration files and plain text are not taken for messages. The whole header is looked at, else
/// padding would hide what follows it; of UTF-16 the first 64 KiB.
#[must_use]
pub fn looks_like_message(bytes: &[u8]) -> bool {
    if let Some(encoding) = utf16(bytes) {
        let text = encoding.decode(up_to(bytes, SAMPLE)).to_vec(SAMPLE);
        return is_message(&text);
    }
    is_message(bytes)
}

/// Which UTF-16 the text is in, if it starts like a field of a header in one.
pub(crate) fn utf16(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [0xff, 0xfe, _, 0, _, 0, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, 0, _, 0, _, ..] => Some(Encoding::Utf16Be),
        [a, 0, b, 0, c, 0, ..] if [a, b, c].iter().all(|b| b.is_ascii_graphic()) => {
            Some(Encoding::Utf16Le)
        }
        [0, a, 0, b, 0, c, ..] if [a, b, c].iter().all(|b| b.is_ascii_graphic()) => {
            Some(Encoding::Utf16Be)
        }
        _ => None,
    }
}

fn is_message(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let blank = text.iter().take_while(|b| matches!(b, b'\r' | b'\n')).take(16).count();
    let text = from(text, blank);
    let mut evidence = Evidence::default();
    let mut at = 0;
    while at < text.len() && !evidence.suffices() {
        let (end, next) = line_end(text, at, Breaks::Any);
        let line = slice(text, at..end);
        if at == 0 && starts_with(line, b"--") && line.len() > 2 {
            return is_content_field(from(text, next));
        }
        if line.iter().all(|&b| is_blank(b)) || !evidence.add(line, at == 0) {
            break;
        }
        at = next;
    }
    evidence.suffices()
}

/// What the lines of a header tell.
#[derive(Default)]
struct Evidence {
    fields: u32,
    junk: u32,
    points: u32,
    seen: Vec<&'static str>,
}

impl Evidence {
    /// Takes one line; false if no header can start like this.
    fn add(&mut self, line: &[u8], is_first: bool) -> bool {
        if line.first().is_some_and(|&b| is_blank(b)) {
            return !is_first;
        }
        if is_first && is_from_line(line) {
            return true;
        }
        let name = memchr(b':', up_to(line, LONGEST_NAME)).map(|colon| up_to(line, colon));
        let Some(name) = name.filter(|name| is_name(name)) else {
            self.junk = self.junk.saturating_add(1);
            return self.junk <= MOST_JUNK && self.fields > 0;
        };
        self.fields = self.fields.saturating_add(1);
        let value = from(line, name.len().saturating_add(1));
        let known = FIELDS
            .iter()
            .find(|(field, _)| field.as_bytes().eq_ignore_ascii_case(name.trim_ascii()));
        if let Some((field, points)) = known
            && !self.seen.contains(field)
            && is_plausible(field, value)
        {
            self.seen.push(field);
            let is_multipart =
                *field == "content-type" && starts_with(value.trim_ascii(), b"multipart/");
            self.points = self.points.saturating_add(*points).saturating_add(is_multipart.into());
        }
        true
    }

    fn suffices(&self) -> bool {
        self.points >= ENOUGH
    }
}

fn is_name(name: &[u8]) -> bool {
    let name = name.trim_ascii_end();
    !name.is_empty()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | 0))
}

/// Fields that other formats have as well count only with a value that a mail has.
fn is_plausible(field: &str, value: &[u8]) -> bool {
    match field {
        "from" | "to" | "cc" | "reply-to" | "sender" => {
            value.contains(&b'@') || value.contains(&b'<')
        }
        "content-type" => value.contains(&b'/') || value.contains(&b';'),
        "date" => value.iter().filter(|&&b| b == b':').count() >= 1,
        _ => true,
    }
}

/// Fields, and how much they tell.
const FIELDS: &[(&str, u32)] = &[
    ("arc-seal", 3),
    ("authentication-results", 3),
    ("cc", 1),
    ("content-disposition", 2),
    ("content-transfer-encoding", 3),
    ("content-type", 2),
    ("date", 1),
    ("delivered-to", 2),
    ("dkim-signature", 3),
    ("from", 2),
    ("in-reply-to", 1),
    ("message-id", 2),
    ("mime-version", 3),
    ("received", 2),
    ("references", 1),
    ("reply-to", 1),
    ("return-path", 3),
    ("sender", 1),
    ("subject", 1),
    ("to", 2),
    ("x-mailer", 2),
    ("x-originating-ip", 2),
];
const ENOUGH: u32 = 3;
const MOST_JUNK: u32 = 3;
const LONGEST_NAME: usize = 80;
const SAMPLE: usize = 64 << 10;
