//! Rewriting: what changes is what was asked for, and reads back.

use esets_mime::{Kind, Limits, Message};
use proptest::prelude::*;

fn rewritten(raw: &[u8], edit: impl Fn(&mut esets_mime::Rewriter<'_, '_>)) -> String {
    let message = Message::parse(raw, &Limits::default());
    let mut rewriter = message.rewrite();
    edit(&mut rewriter);
    String::from_utf8_lossy(&rewriter.finish()).into_owned()
}

/// The contents of all leaves, decoded.
fn contents(raw: &[u8]) -> Vec<Vec<u8>> {
    let message = Message::parse(raw, &Limits::default());
    message.leaves().map(|part| part.decoded().to_vec(1 << 20)).collect()
}

/// The place of the first part whose content begins so.
fn place(raw: &[u8], start: &[u8]) -> Option<usize> {
    let message = Message::parse(raw, &Limits::default());
    message
        .parts()
        .position(|part| !part.is_container() && part.decoded().to_vec(1 << 20).starts_with(start))
}

const MIXED: &str = "From: a@b\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n--x\r\n\
    Content-Type: text/plain\r\n\r\nhello\r\n--x\r\n\
    Content-Type: application/octet-stream; name=a.exe\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    aW5mZWN0ZWQ=\r\n--x\r\nContent-Disposition: attachment; filename=b.bin\r\n\r\nother\r\n--x--\r\n";

#[test]
fn without_edits_nothing_changes() {
    assert_eq!(rewritten(MIXED.as_bytes(), |_| {}), MIXED);
}

#[test]
fn fields_go_to_the_top_and_to_the_end_of_the_header() {
    let text = rewritten(b"From x y\nA: 1\n b\nC: 2\n\nbody\n", |rewriter| {
        rewriter.prepend_header("X-Top", "one\ntwo");
        rewriter.append_header("X-End", "injected\r\n\r\nbody: no\rX: y");
    });
    assert_eq!(
        text,
        "From x y\nX-Top: one\n\ttwo\nA: 1\n b\nC: 2\nX-End: injected\n\tbody: no\n\tX: y\n\nbody\n"
    );
}

#[test]
fn a_message_without_a_body_or_an_end_gets_whole_fields() {
    assert_eq!(rewritten(b"A: 1", |r| r.append_header("B", "2")), "A: 1\r\nB: 2\r\n");
    assert_eq!(rewritten(b"", |r| r.append_header("B", "2")), "B: 2\r\n");
}

#[test]
fn the_subject_gets_its_prefix_once() {
    let once = rewritten(MIXED.as_bytes(), |r| r.prefix_subject("[spam]"));
    assert!(once.contains("\r\nSubject: [spam] =?utf-8?q?caf=C3=A9?=\r\n"));
    assert_eq!(rewritten(once.as_bytes(), |r| r.prefix_subject("[spam]")), once);
    assert_eq!(rewritten(b"A: 1\r\n\r\n", |r| r.prefix_subject("x")), "Subject: x\r\nA: 1\r\n\r\n");
}

#[test]
fn an_infected_part_gives_way_to_a_notice_and_the_others_keep_every_byte() {
    let index = place(MIXED.as_bytes(), b"infected").unwrap();
    let text = rewritten(MIXED.as_bytes(), |rewriter| rewriter.replace(index, "removed: Тест"));
    let (before, rest) = MIXED.split_once("Content-Type: application/octet-stream").unwrap();
    let (_, after) = rest.split_once("aW5mZWN0ZWQ=").unwrap();
    assert!(text.starts_with(before) && text.ends_with(after), "{text}");
    let contents = contents(text.as_bytes());
    assert!(contents.contains(&"removed: Тест".as_bytes().to_vec()), "{contents:?}");
    assert!(!contents.iter().any(|content| content.starts_with(b"infected")));
}

#[test]
fn a_message_that_is_the_infected_part_keeps_its_other_fields() {
    let raw = b"From: a@b\r\nContent-Type: application/zip;\r\n name=x\r\nSubject: s\r\n\
        Content-Transfer-Encoding: base64\r\n\r\naW5mZWN0ZWQ=\r\n";
    let index = place(raw, b"infected").unwrap();
    assert_eq!(
        rewritten(raw, |rewriter| rewriter.replace(index, "gone")),
        "From: a@b\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\ngone\r\n"
    );
}

#[test]
fn a_file_within_a_text_gives_way_in_its_place() {
    let raw = b"A: 1\r\n\r\nbefore\r\nbegin 644 x.exe\r\n(:6YF96-T960 \r\n`\r\nend\r\nafter\r\n";
    let message = Message::parse(raw, &Limits::default());
    let index = message.parts().position(|part| part.kind() == Kind::Embedded).unwrap();
    let text = rewritten(raw, |rewriter| rewriter.replace(index, "gone"));
    assert_eq!(text, "A: 1\r\n\r\nbefore\r\ngone\r\nafter\r\n");
}

#[test]
fn footnotes_take_the_character_set_and_the_encoding_of_their_text() {
    let raw = b"Content-Type: multipart/alternative; boundary=x\n\n--x\n\
        Content-Type: text/plain; charset=koi8-u\nContent-Transfer-Encoding: quoted-printable\n\n\
        =D4=C5=CB=D3=D4\n--x\nContent-Type: text/html; charset=utf-8\n\
        Content-Transfer-Encoding: base64\n\nPGI+aGk8L2I+PC9ib2R5Pg==\n--x--\n";
    let text = rewritten(raw, |rewriter| {
        assert!(rewriter.footnote("перевірено", "<p>перевірено</p>"));
    });
    let contents = contents(text.as_bytes());
    let (plain, ..) = encoding_rs::KOI8_U.encode("текст\n\nперевірено");
    assert!(contents.iter().any(|content| content.starts_with(&plain)), "{text}");
    assert!(
        contents.contains(&"<b>hi</b><p>перевірено</p>\n</body>".as_bytes().to_vec()),
        "{text}"
    );
}

#[test]
fn seven_bit_text_stays_seven_bit() {
    let text =
        rewritten(b"Content-Type: text/html; charset=utf-8\n\n<body>x</body>\n", |rewriter| {
            rewriter.footnote("ж", "<p>ж</p>");
        });
    assert_eq!(text, "Content-Type: text/html; charset=utf-8\n\n<body>x<p>&#1078;</p>\n</body>\n");
}

#[test]
fn what_is_signed_or_encrypted_gets_no_footnote() {
    for raw in [
        "Content-Type: multipart/signed; boundary=x\n\n--x\nContent-Type: text/plain\n\nhi\n--x--\n",
        "Content-Type: multipart/encrypted; boundary=x\n\n--x\n\nVersion: 1\n--x--\n",
        "Content-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\n\nhi\n",
        "Content-Type: application/pkcs7-mime\n\nMIIB\n",
        "Content-Type: message/rfc822\n\nSubject: in\n\ninner\n",
    ] {
        let text = rewritten(raw.as_bytes(), |rewriter| {
            assert!(!rewriter.footnote("note", "<p>note</p>"));
        });
        assert_eq!(text, raw);
    }
}

/// Pieces of which messages are made, good and bad.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "Subject: s\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\n",
        "Content-Type: text/html\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "\r\n",
        "\n",
        "--x\r\n",
        "--x--\r\n",
        "aGVsbG8=\r\n",
        "</body>",
        "begin 644 a\r\n",
        "end\r\n",
        " folded\r\n",
        "=\r\n",
        "Content-Type: message/rfc822\r\n",
        "text",
        "\u{e9}",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn added_text_is_all_that_changes(raw in soup()) {
        let message = Message::parse(&raw, &Limits::default());
        let mut rewriter = message.rewrite();
        rewriter.prepend_header("X-A", "1");
        rewriter.append_header("X-B", "2");
        let result = rewriter.finish();
        let result = String::from_utf8_lossy(&result);
        let without = result.replacen("X-A: 1\r\n", "", 1).replacen("X-A: 1\n", "", 1);
        let original = String::from_utf8_lossy(&raw);
        let restored = ["X-B: 2\r\n", "X-B: 2\n"].iter().any(|field| {
            let plain = without.replacen(field, "", 1);
            plain == original || plain == format!("{original}\r\n") || plain == format!("{original}\n")
        });
        prop_assert!(restored, "{:?} became {:?}", original, result);
    }

    #[test]
    fn a_replaced_leaf_is_gone_and_the_rest_parses(raw in soup(), pick in 0_usize..8) {
        let message = Message::parse(&raw, &Limits::default());
        let mut rewriter = message.rewrite();
        rewriter.replace(pick, "notice");
        rewriter.footnote("note", "<p>note</p>");
        let result = rewriter.finish();
        let again = Message::parse(&result, &Limits::default());
        prop_assert!(again.parts().all(|part| part.range().end <= result.len()));
        let rewritten = again.rewrite().finish();
        prop_assert_eq!(rewritten, result.clone());
    }
}
