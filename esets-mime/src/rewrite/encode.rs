//! Text into what a message can carry: character sets, transfer encodings, encoded words.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text for a header: as it is if it is ASCII, else as encoded words (RFC 2047) of UTF-8.
pub(super) fn encoded_word(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    if is_plain && !text.contains("=?") {
        return Cow::Borrowed(text);
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        // A word has at most 75 characters, 63 of them between `=?utf-8?b?` and `?=`.
        if word.len().saturating_add(character.len_utf8()) > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(character);
    }
    words.push(word);
    let words = words.iter().map(|word| format!("=?utf-8?b?{}?=", base64(word.as_bytes(), "")));
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// Text in a character set by its label; what does not fit is a numeric character reference in
/// HTML, and a question mark elsewhere.
pub(super) fn in_charset(text: &str, label: Option<&str>, is_html: bool) -> Vec<u8> {
    let ascii = || substituted(text, is_html).into_bytes();
    let Some(label) = label.filter(|label| !matches!(*label, "us-ascii" | "ascii")) else {
        return ascii();
    };
    let charset = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
    // The encoder of UTF-16 writes UTF-8, as HTML forms want it; no mail does.
    match charset.filter(|charset| charset.output_encoding() == *charset) {
        Some(charset) => {
            let (bytes, _, is_lossy) = charset.encode(text);
            if is_lossy && !is_html {
                charset.encode(&substituted(text, false)).0.into_owned()
            } else {
                bytes.into_owned()
            }
        }
        None => ascii(),
    }
}

/// Text with all that is not ASCII replaced.
pub(super) fn substituted(text: &str, is_html: bool) -> String {
    let mut result = String::new();
    for character in text.chars() {
        match character {
            _ if character.is_ascii() => result.push(character),
            _ if is_html => drop(write!(result, "&#{};", u32::from(character))),
            _ => result.push('?'),
        }
    }
    result
}

/// Quoted-printable (RFC 2045, 6.7) of text whose lines end as those of the message do.
pub(super) fn quoted_printable(text: &[u8], line_end: &str) -> Vec<u8> {
    let mut result = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let body = line.trim_ascii_end();
        let mut column = 0_usize;
        for byte in body {
            let piece = match byte {
                b'!'..=b'<' | b'>'..=b'~' | b' ' => char::from(*byte).to_string(),
                _ => format!("={byte:02X}"),
            };
            if column.saturating_add(piece.len()) > 75 {
                result.extend_from_slice(b"=");
                result.extend_from_slice(line_end.as_bytes());
                column = 0;
            }
            column = column.saturating_add(piece.len());
            result.extend_from_slice(piece.as_bytes());
        }
        if line.ends_with(b"\n") {
            result.extend_from_slice(line_end.as_bytes());
        }
    }
    result
}

/// Base64 (RFC 2045, 6.8) in lines of 76 characters, each with `line_end`; one line without any if
/// `line_end` is empty.
pub(super) fn base64(bytes: &[u8], line_end: &str) -> String {
    let mut result = String::new();
    let mut column = 0_usize;
    for group in bytes.chunks(3) {
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().skip(1).zip(group) {
            *to = *from;
        }
        let word = u32::from_be_bytes(word);
        let digits = group.len().saturating_add(1);
        for place in 0..4_u32 {
            let shift = 18_u32.saturating_sub(place.saturating_mul(6));
            let digit = usize::try_from((word >> shift) & 63).unwrap_or_default();
            let is_digit = usize::try_from(place).is_ok_and(|place| place < digits);
            let letter = DIGITS.get(digit).copied().filter(|_| is_digit);
            result.push(char::from(letter.unwrap_or(b'=')));
        }
        column = column.saturating_add(4);
        if column == 76 {
            result.push_str(line_end);
            column = 0;
        }
    }
    if column > 0 {
        result.push_str(line_end);
    }
    result
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoding;

    #[test]
    fn base64_is_what_the_decoder_reads() {
        for length in 0..200_u8 {
            let bytes: Vec<u8> = (0..length).collect();
            let text = base64(&bytes, "\r\n");
            assert_eq!(Encoding::Base64.decode(text.as_bytes()).to_vec(1000), bytes);
            assert!(text.lines().all(|line| line.len() <= 76));
        }
    }

    #[test]
    fn quoted_printable_is_what_the_decoder_reads() {
        let text = "caf\u{e9} = 100 %\r\n".repeat(20);
        let encoded = quoted_printable(text.as_bytes(), "\r\n");
        assert!(encoded.split(|&byte| byte == b'\n').all(|line| line.len() <= 77));
        assert_eq!(Encoding::QuotedPrintable.decode(&encoded).to_vec(10_000), text.as_bytes());
    }

    #[test]
    fn a_word_that_needs_it_is_encoded_and_reads_back() {
        assert_eq!(encoded_word("plain text"), "plain text");
        let text = "перевірено ".repeat(12);
        let words = encoded_word(&text);
        assert!(words.split(' ').all(|word| word.len() <= 75));
        assert_eq!(crate::encoded_word::decode(words.as_bytes()), text);
    }

    #[test]
    fn a_character_set_gets_what_it_can_hold() {
        assert_eq!(in_charset("é", Some("iso-8859-1"), false), b"\xe9");
        assert_eq!(in_charset("є", Some("iso-8859-1"), false), b"?");
        assert_eq!(in_charset("є", Some("iso-8859-1"), true), b"&#1108;");
        assert_eq!(in_charset("є", None, true), b"&#1108;");
        assert_eq!(in_charset("є", Some("koi8-u"), false), b"\xa4");
    }
}
