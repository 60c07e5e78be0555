//! Character sets, by the labels that mail uses.

use encoding_rs::{Encoding, WINDOWS_1252};
use std::borrow::Cow;

/// Decodes `bytes` in the character set called `label`.
///
/// An unknown label is read as UTF-8 if the bytes are that, or else as Windows-1252. What does not
/// fit becomes U+FFFD.
#[must_use]
pub fn decode<'b>(label: &[u8], bytes: &'b [u8]) -> Cow<'b, str> {
    if is_utf7(label) {
        return Cow::Owned(utf7(bytes));
    }
    match Encoding::for_label_no_replacement(label) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
        None => guess(bytes),
    }
}

/// Bytes that came without a label: UTF-8 if they are that, or else Windows-1252.
pub(crate) fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn is_utf7(label: &[u8]) -> bool {
    [b"utf-7".as_slice(), b"utf7", b"unicode-1-1-utf-7"]
        .iter()
        .any(|name| label.eq_ignore_ascii_case(name))
}

/// UTF-7 (RFC 2152): base64 of UTF-16 between `+` and `-`.
fn utf7(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'+' {
            text.push(char::from(byte));
            continue;
        }
        let length = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
            .count();
        let (run, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = after.strip_prefix(b"-").unwrap_or(after);
        if run.is_empty() {
            text.push('+');
            continue;
        }
        let wide = crate::Encoding::Base64.decode(run).to_vec(usize::MAX);
        let units = wide.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
        text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    text
}
