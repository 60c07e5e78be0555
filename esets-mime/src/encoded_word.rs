//! Encoded words in headers (RFC 2047, with the language of RFC 2231, 5), read tolerantly: also
//! within quotes and words, and cut in the midst of a character.

use crate::bytes::{from, is_space, slice, up_to};
use crate::charset;
use crate::transfer::Encoding;
use memchr::{memchr, memmem};

/// Decodes every encoded word in `text`; the rest is read as UTF-8 or else as Windows-1252.
#[must_use]
pub fn decode(text: &[u8]) -> String {
    let mut out = String::new();
    let mut held: Option<(&[u8], Vec<u8>)> = None;
    let mut rest = text;
    while let Some(start) = memmem::find(rest, b"=?") {
        let Some(word) = Word::at(from(rest, start)) else {
            let end = start.saturating_add(2);
            flush(&mut held, &mut out);
            out.push_str(&charset::guess(up_to(rest, end)));
            rest = from(rest, end);
            continue;
        };
        let before = up_to(rest, start);
        let joins =
            held.as_ref().is_some_and(|(label, _)| label.eq_ignore_ascii_case(word.charset));
        if !before.iter().all(|&b| is_space(b)) || held.is_none() {
            flush(&mut held, &mut out);
            out.push_str(&charset::guess(before));
        } else if !joins {
            flush(&mut held, &mut out);
        }
        // Words of one character set are one text: a character may be cut between them.
        held.get_or_insert_with(|| (word.charset, Vec::new())).1.extend(word.bytes());
        rest = from(rest, start.saturating_add(word.length));
    }
    flush(&mut held, &mut out);
    out.push_str(&charset::guess(rest));
    out
}

fn flush(held: &mut Option<(&[u8], Vec<u8>)>, out: &mut String) {
    if let Some((label, bytes)) = held.take() {
        out.push_str(&charset::decode(label, &bytes));
    }
}

/// One `=?charset?encoding?text?=`.
struct Word<'a> {
    charset: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
    length: usize,
}

impl<'a> Word<'a> {
    fn at(text: &'a [u8]) -> Option<Self> {
        let label = from(text, 2);
        let first = memchr(b'?', up_to(label, LONGEST_LABEL))?;
        let charset = up_to(label, first);
        let charset = up_to(charset, memchr(b'*', charset).unwrap_or(charset.len()));
        let is_base64 = match label.get(first.saturating_add(1))? {
            b'B' | b'b' => true,
            b'Q' | b'q' => false,
            _ => return None,
        };
        if label.get(first.saturating_add(2)) != Some(&b'?') {
            return None;
        }
        let data = from(label, first.saturating_add(3));
        let end = memmem::find(up_to(data, LONGEST_WORD), b"?=")?;
        let length = first.saturating_add(end).saturating_add(7);
        Some(Self { charset, is_base64, text: slice(data, 0..end), length })
    }

    fn bytes(&self) -> Vec<u8> {
        if self.is_base64 {
            return Encoding::Base64.decode(self.text).to_vec(usize::MAX);
        }
        let spaced: Vec<u8> = self.text.iter().map(|&b| if b == b'_' { b' ' } else { b }).collect();
        Encoding::QuotedPrintable.decode(&spaced).to_vec(usize::MAX)
    }
}

const LONGEST_LABEL: usize = 64;
/// In bytes. The standard allows 75; the bound keeps a header full of starts linear.
const LONGEST_WORD: usize = 4096;
