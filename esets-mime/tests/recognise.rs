//! What is taken for a message or an mbox, and what is not.

use esets_mime::{looks_like_message, mbox};

#[test]
fn messages_are_recognised() {
    let messages: &[&[u8]] = &[
        b"From: a@example.org\r\nTo: b@example.net\r\n\r\nHello\r\n",
        b"Subject: x\nDate: Thu, 1 Jan 1970 00:00:00 +0000\nX-A: b\nFrom: a@example.org\n\nHello\n",
        b"\r\n\r\nReceived: from a by b\r\nMessage-ID: <x@y>\r\n\r\n",
        b"\xef\xbb\xbfMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n",
        b"From a@example.org Thu Jan  1 00:00:00 1970\nFrom: a@example.org\nTo: b@example.net\n\n",
        b">From a@example.org\nReturn-Path: <a@example.org>\n\nHello",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b--\r\n",
        b"--b\r\nContent-Type: application/octet-stream\r\n\r\nHello\r\n--b--\r\n",
        b"From: a@example.org\rTo: b@example.net\rSubject: carriage returns\r\rHello\r",
        b"\xff\xfeF\0r\0o\0m\0:\0 \0a\0@\0b\0\n\0T\0o\0:\0 \0c\0@\0d\0\n\0\n\0",
    ];
    for message in messages {
        assert!(looks_like_message(message), "{}", message.escape_ascii());
    }
}

#[test]
fn no_padding_hides_a_message() {
    let rest = "From: a@example.org\r\nTo: b@example.net\r\n\r\nHello\r\n";
    let one = format!("X-Pad: {}\r\n{rest}", "x".repeat(100_000));
    let many = format!("{}{rest}", "X-Pad: x\r\n".repeat(20_000));
    let folded = format!("X-Pad: x\r\n{}{rest}", " x\r\n".repeat(50_000));
    for message in [one, many, folded] {
        assert!(looks_like_message(message.as_bytes()));
    }
}

#[test]
fn other_texts_are_not_messages() {
    let texts: &[&[u8]] = &[
        b"",
        b"\n\n\n",
        b"Hello,\n\nthis is a text: it has colons.\n",
        b"[section]\nname = value\nfrom: x\nto: y\n",
        b"Package: bash\nVersion: 5.2\nArchitecture: amd64\nDescription: a shell\n",
        b"from: 2020\nto: 2021\ntitle: dates\n",
        b"Metadata-Version: 2.1\nName: x\nVersion: 1\nAuthor: Ada <ada@example.org>\n\nText\n",
        b"#include <stdio.h>\nint main(void) { return 0; }\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nDate: Thu, 1 Jan 1970 00:00:00 GMT\r\n\r\n",
        b"-- a comment\nselect 1;\n",
        b"--flag\n--other\n",
        b"PK\x03\x04\x14\0\0\0\0\0",
    ];
    for text in texts {
        assert!(!looks_like_message(text), "{}", text.escape_ascii());
    }
}

#[test]
fn an_mbox_is_split_where_a_field_follows_the_from_line() {
    let file = b"From a Thu Jan  1 00:00:00 1970\nSubject: 1\n\nOne.\nFrom here on, nothing.\n\n\
        From b Thu Jan  1 00:00:00 1970\nSubject: 2\n\nTwo.\n>From the third.\n\n\
        From c\r\nSubject: 3\r\n\r\nThree.\r\n";
    assert!(mbox::looks_like(file));
    let messages: Vec<String> = mbox::split(file).map(|m| m.escape_ascii().to_string()).collect();
    assert_eq!(
        messages,
        [
            r"Subject: 1\n\nOne.\nFrom here on, nothing.\n",
            r"Subject: 2\n\nTwo.\n>From the third.\n",
            r"Subject: 3\r\n\r\nThree.",
        ]
    );
}

#[test]
fn what_is_no_mbox_is_one_message() {
    let text = b"Subject: 1\n\nFrom now on.\n";
    assert!(!mbox::looks_like(text));
    assert_eq!(mbox::split(text).collect::<Vec<_>>(), [b"Subject: 1\n\nFrom now on."]);
    assert_eq!(mbox::split(b"").count(), 0);
}
