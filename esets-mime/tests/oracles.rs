//! On ordinary mails we agree with two other parsers about the content of the attachments.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test ends where it fails"
)]

use esets_mime::{Kind, Limits, Message};
use mail_parser::{MessageParser, MimeHeaders};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Attachment {
    name: String,
    content: Vec<u8>,
    encoding: &'static str,
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let encoding = prop::sample::select(vec!["base64", "quoted-printable"]);
    ("[a-z]{1,12}\\.(bin|pdf|txt)", vec(any::<u8>(), 1..400), encoding)
        .prop_map(|(name, content, encoding)| Attachment { name, content, encoding })
}

fn mail(attachments: &[Attachment], nested: bool) -> String {
    let mut parts = String::from("--edge\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n");
    for attachment in attachments {
        parts += &format!(
            "--edge\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; \
             filename=\"{}\"\r\nContent-Transfer-Encoding: {}\r\n\r\n{}\r\n",
            attachment.name,
            attachment.encoding,
            encode(attachment)
        );
    }
    let mut header =
        "From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
            .to_owned();
    if nested {
        header += "Content-Type: multipart/related; boundary=\"outer\"\r\n\r\n--outer\r\n";
        parts += "--edge--\r\n--outer";
    } else {
        parts += "--edge";
    }
    format!("{header}Content-Type: multipart/mixed; boundary=\"edge\"\r\n\r\n{parts}--\r\n")
}

fn encode(attachment: &Attachment) -> String {
    if attachment.encoding == "quoted-printable" {
        let codes: Vec<String> = attachment.content.iter().map(|b| format!("={b:02X}")).collect();
        return codes.chunks(24).map(<[String]>::concat).collect::<Vec<_>>().join("=\r\n");
    }
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits: String = attachment.content.iter().map(|b| format!("{b:08b}")).collect();
    bits += &"0".repeat((6 - bits.len() % 6) % 6);
    let sextets = bits.as_bytes().chunks(6).map(|six| std::str::from_utf8(six).unwrap());
    let mut text: String =
        sextets.map(|six| char::from(ALPHABET[usize::from_str_radix(six, 2).unwrap()])).collect();
    text += &"=".repeat((4 - text.len() % 4) % 4);
    text.as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect::<Vec<_>>()
        .join("\r\n")
}

fn ours(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let message = Message::parse(raw, &Limits::default());
    assert_eq!(message.defects(), []);
    let attachments = message.leaves().filter(|part| part.kind() == Kind::Attachment);
    attachments
        .map(|part| (part.file_name().unwrap().into_owned(), part.decoded().to_vec(usize::MAX)))
        .collect()
}

fn of_mail_parser(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let message = MessageParser::default().parse(raw).unwrap();
    let attachments = message.attachments();
    attachments
        .map(|part| (part.attachment_name().unwrap().to_owned(), part.contents().to_vec()))
        .collect()
}

fn of_mailparse(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let message = mailparse::parse_mail(raw).unwrap();
    let named = message.parts().filter_map(|part| {
        let name = part.get_content_disposition().params.get("filename")?.clone();
        Some((name, part.get_body_raw().unwrap()))
    });
    named.collect()
}

proptest! {
    #[test]
    fn attachments_are_the_same(attachments in vec(attachment(), 1..5), nested: bool) {
        let raw = mail(&attachments, nested);
        let expected: Vec<_> = attachments.into_iter().map(|a| (a.name, a.content)).collect();
        prop_assert_eq!(ours(raw.as_bytes()), expected.clone());
        prop_assert_eq!(of_mail_parser(raw.as_bytes()), expected.clone());
        prop_assert_eq!(of_mailparse(raw.as_bytes()), expected);
    }
}
