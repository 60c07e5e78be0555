//! What holds for any bytes: no panic, parts within the message, nothing lost, decoders that agree
//! with the simplest ones that one could write.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test ends where it fails"
)]

use esets_mime::{
    Encoding, Limits, Message, charset, encoded_word, inline, looks_like_message, mbox,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::Read;

/// Pieces of mails, so that random sequences of them are nearly mails.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "--b",
    "--b--",
    "--c\r\n",
    "b",
    ";",
    "=",
    "\"",
    "(",
    ")",
    "\\",
    "\0",
    "''",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: multipart/digest; boundary=\"c\"; boundary=b\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: message/partial; id=x; number=1\r\n",
    "Content-Type: text/plain; name*0*=utf-8''a%20; name*1=b\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Transfer-Encoding: x-uuencode\r\n",
    "Content-Transfer-Encoding: x-yenc\r\n",
    "Content-Disposition: attachment; filename=\"=?utf-8?q?a=C3=A4?=\"\r\n",
    "From: a@example.org\r\n",
    "From a\r\n",
    "begin 644 x\r\n",
    "begin-base64 644 y\r\n",
    "end\r\n",
    "=ybegin line=9 name=z\r\n",
    "=yend\r\n",
    "M<&%Y;&]A9\r\n",
    "aGVsbG8gd29ybGQ=\r\n",
    "=?iso-8859-1?b?4Q==?=",
    "\u{feff}",
    "=3D",
    "=\r\n",
    "====\r\n",
];

fn nearly_mail() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn check(raw: &[u8], limits: &Limits) {
    let message = Message::parse(raw, limits);
    let parts: Vec<_> = message.parts().collect();
    assert!(parts.len() <= limits.parts);
    for (index, part) in parts.iter().enumerate() {
        let (range, body) = (part.range(), part.body_range());
        assert!(range.start <= body.start && body.start <= body.end);
        assert!(body.end <= range.end && range.end <= raw.len());
        if let Some(parent) = part.parent() {
            assert!(parent < index && parts[parent].is_container());
            assert_eq!(parts[parent].depth() + 1, part.depth());
        }
        for field in part.headers() {
            let written = &raw[field.range()];
            assert!(written.starts_with(field.name()) && written.ends_with(field.raw_value()));
            let _ = field.text();
        }
        let _ = (part.names(), part.charset(), part.partial(), part.media_types());
        assert_eq!(drain(part.decoded(), 7), part.decoded().to_vec(usize::MAX));
    }
    let again = Message::parse(raw, limits);
    assert_eq!(format!("{:?}", again.parts()), format!("{:?}", message.parts()));
}

fn drain(mut reader: impl Read, size: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; size];
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        all.extend(&buffer[..read]);
    }
    all
}

/// Base64 bit by bit.
fn simple_base64(text: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut all = Vec::new();
    for group in text.split(|&b| b == b'=') {
        let values = group.iter().filter_map(|b| ALPHABET.iter().position(|a| a == b));
        let bits: String = values.map(|value| format!("{value:06b}")).collect();
        let whole = bits.len() / 8;
        all.extend((0..whole).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()));
    }
    all
}

/// Quoted-printable line by line.
fn simple_quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for line in text.split_inclusive(|&b| b == b'\n') {
        let ended = line.ends_with(b"\n");
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let end: &[u8] =
            if bare.len() < line.len() && bare.ends_with(b"\r") { b"\r\n" } else { b"\n" };
        let bare = if ended { bare.strip_suffix(b"\r").unwrap_or(bare) } else { bare };
        let cut = bare.iter().rposition(|b| !b" \t\x0b\x0c".contains(b)).map_or(0, |at| at + 1);
        let soft = bare[..cut].ends_with(b"=");
        let text = match (soft, ended) {
            (true, _) => &bare[..cut - 1],
            (false, true) => &bare[..cut],
            (false, false) => bare,
        };
        let mut at = 0;
        while at < text.len() {
            let code = text.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
            let value = code
                .filter(|code| text[at] == b'=' && code.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|code| u8::from_str_radix(code, 16).ok());
            all.push(value.unwrap_or(text[at]));
            at += if value.is_some() { 3 } else { 1 };
        }
        if ended && !soft {
            all.extend(end);
        }
    }
    all
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn any_bytes_are_a_message(raw in vec(any::<u8>(), 0..2000)) {
        check(&raw, &Limits::default());
    }

    #[test]
    fn nearly_mails_fall_into_parts(raw in nearly_mail()) {
        check(&raw, &Limits::default());
    }

    #[test]
    fn limits_hold(
        raw in nearly_mail(),
        parts in 0..5_usize,
        depth in 0..4_u16,
        readings in 0..3_usize
    ) {
        check(&raw, &Limits { parts, depth, readings, headers: 2, header_bytes: 30 });
    }

    #[test]
    fn no_line_is_lost(before in nearly_mail(), after in nearly_mail()) {
        let raw = [&before, b"\r\nxyzzy\r\n".as_slice(), &after].concat();
        let place = before.len() + 2;
        let message = Message::parse(&raw, &Limits::default());
        let shown = message.parts().any(|part| {
            let (whole, body) = (part.range(), part.body_range());
            let end = if part.is_container() { body.start } else { body.end };
            (whole.start..end).contains(&place)
        });
        let top = message.parts().map(|part| part.body_range().start).min();
        prop_assert!(shown || top.is_none_or(|top| place < top), "{}", raw.escape_ascii());
    }

    #[test]
    fn every_entrance_takes_any_bytes(raw in nearly_mail()) {
        let _ = (looks_like_message(&raw), mbox::looks_like(&raw), encoded_word::decode(&raw));
        let total: usize = mbox::split(&raw).map(<[u8]>::len).sum();
        prop_assert!(total <= raw.len());
        let mut end = 0;
        for block in inline::blocks(&raw) {
            prop_assert!(block.data.end <= raw.len() && block.data.end >= end);
            end = block.data.end;
            let _ = drain(block.decoded(), 100);
        }
        let _ = (charset::decode(b"utf-7", &raw), charset::decode(b"shift_jis", &raw));
    }

    #[test]
    fn base64_agrees_with_the_simple_one(text in "[A-Za-z0-9+/= \r\n*-]{0,300}") {
        let decoded = drain(Encoding::Base64.decode(text.as_bytes()), 5);
        prop_assert_eq!(decoded, simple_base64(text.as_bytes()));
    }

    #[test]
    fn quoted_printable_agrees_with_the_simple_one(
        text in "[a-f0-9A-F= \t\n]{0,300}(\r\n)?[=3D]{0,5}"
    ) {
        let decoded = drain(Encoding::QuotedPrintable.decode(text.as_bytes()), 5);
        prop_assert_eq!(decoded, simple_quoted_printable(text.as_bytes()));
    }

}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn long_bodies_do_not_depend_on_the_pieces(
        text in "[a-f0-9= \r\n]{1,40}",
        size in 1..100_usize
    ) {
        let body = text.repeat(40_000 / text.len() + size);
        let whole = body.as_bytes();
        prop_assert!(Encoding::Base64.decode(whole).to_vec(usize::MAX) == simple_base64(whole));
        let text = body.replace('\r', "");
        let decoded = Encoding::QuotedPrintable.decode(text.as_bytes()).to_vec(usize::MAX);
        prop_assert_eq!(decoded, simple_quoted_printable(text.as_bytes()));
    }
}

#[test]
fn two_thousand_multiparts_within_each_other_are_cut_at_the_depth() {
    let open = |n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    let raw: String = (0..2000).map(open).collect();
    let message = Message::parse(raw.as_bytes(), &Limits::default());
    let deepest = message.parts().map(|part| part.depth()).max();
    assert_eq!(deepest, Some(Limits::default().depth));
    let defects: Vec<String> = message.defects().iter().map(ToString::to_string).collect();
    assert_eq!(defects, ["multipart without closing delimiter", "too much: depth"]);
}

#[test]
fn twenty_thousand_parts_are_cut_at_the_parts() {
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(20_000)
    );
    let message = Message::parse(raw.as_bytes(), &Limits::default());
    assert_eq!(message.parts().len(), Limits::default().parts);
    assert_eq!(message.defects()[0].to_string(), "too much: parts");
}
