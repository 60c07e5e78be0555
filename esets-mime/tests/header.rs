//! Header fields as text.

use esets_mime::{Limits, Message, charset, encoded_word};

#[test]
fn encoded_words_are_decoded() {
    let cases = [
        ("plain", "plain"),
        ("=?utf-8?B?Y2Fmw6k=?=", "café"),
        ("=?UTF-8?q?caf=C3=A9_au_lait?= please", "café au lait please"),
        ("=?iso-8859-1*fr?Q?caf=E9?=", "café"),
        ("=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=", "café"),
        ("=?utf-8?q?a?= =?iso-8859-15?q?=A4?=", "a€"),
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
        ("=?gb18030?B?xOO6ww==?=", "你好"),
        ("=?utf-7?Q?1_+-_1_=3D_+ADI-?=", "1 + 1 = 2"),
        ("=?unknown?q?caf=C3=A9?=", "café"),
        ("\"=?utf-8?q?in_quotes?=\"", "\"in quotes\""),
        ("=?utf-8?q?never ended", "=?utf-8?q?never ended"),
        ("=?utf-8?x?what?=", "=?utf-8?x?what?="),
    ];
    for (written, read) in cases {
        assert_eq!(encoded_word::decode(written.as_bytes()), read);
    }
}

#[test]
fn utf7_is_decoded() {
    assert_eq!(charset::decode(b"UTF-7", b"Hi +AGEA4g- +- +2D3cqQ-"), "Hi aâ + 💩");
}

#[test]
fn fields_are_found_with_their_place_and_text() {
    let raw = b"Subject: =?utf-8?q?a?=\r\n =?utf-8?q?b?=\r\nX-Two: 1\r\nx-two: 2\r\n\r\nText";
    let message = Message::parse(raw, &Limits::default());
    assert_eq!(message.subject().as_deref(), Some("ab"));
    let places: Vec<_> =
        message.headers().iter().map(|field| (field.range(), field.text())).collect();
    assert_eq!(
        places,
        [(0..38, "ab".to_owned()), (40..48, "1".to_owned()), (50..58, "2".to_owned())]
    );
}

#[test]
fn fragments_say_where_they_belong() {
    let raw = b"Content-Type: message/partial; id=\"x@y\"; number=2; total=3\r\n\r\nText";
    let message = Message::parse(raw, &Limits::default());
    let partial = message.parts().next().and_then(|part| part.partial());
    let partial = partial.map(|partial| (partial.id, partial.number, partial.total));
    assert_eq!(partial, Some((b"x@y".to_vec(), 2, Some(3))));
}
