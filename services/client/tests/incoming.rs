//! The daemon's side of a connection: what a client may do, and what ends the connection.

use esets_client::{
    Ask, Command, Control, Envelope, Event, FromClient, Hello, Incoming, MOST_OPEN, ProtocolError,
    Source, VERSION, Want,
};
use esets_policy::Context;
use proptest::prelude::*;

fn hello() -> FromClient {
    FromClient::Hello(Hello { version: VERSION, token: None })
}

fn ask(id: u32, source: Source) -> FromClient {
    let (envelope, want) = (Envelope::default(), Want::default());
    let ask = Ask { id, name: b"\xff.eml".to_vec(), source, envelope, want, progress: false };
    FromClient::Ask(Box::new(ask))
}

/// What comes of these messages, one word for each event.
fn outcome(messages: &[FromClient]) -> Result<Vec<String>, ProtocolError> {
    let mut incoming = Incoming::new();
    let mut words = Vec::new();
    for message in messages {
        let mut bytes = Vec::new();
        message.encode(&mut bytes)?;
        incoming.feed(&bytes);
        while let Some(event) = incoming.event()? {
            words.push(match event {
                Event::Asked(ask) => format!("asked {}", ask.id),
                Event::Content { id, bytes } => format!("{} for {id}", bytes.len()),
                other => format!("{other:?}"),
            });
        }
    }
    Ok(words)
}

#[test]
fn content_of_two_requests_may_be_mixed() {
    let messages = [
        hello(),
        ask(1, Source::Content(3)),
        ask(2, Source::Content(2)),
        FromClient::Content(2, b"ab".to_vec()),
        FromClient::Content(1, b"ab".to_vec()),
        FromClient::Cancel(1),
        FromClient::Content(1, b"c".to_vec()),
        ask(3, Source::Content(0)),
        FromClient::Control(Control { id: 9, command: Command::Status }),
    ];
    let words = outcome(&messages).unwrap().join(", ");
    assert_eq!(
        words,
        "Greeted, asked 1, asked 2, 2 for 2, Complete(2), 2 for 1, Cancelled(1), 1 for 1, \
         Complete(1), asked 3, Complete(3), Controlled(Control { id: 9, command: Status })"
    );
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    let cases: &[(&[FromClient], ProtocolError)] = &[
        (&[ask(1, Source::Descriptor)], ProtocolError::Unexpected { kind: 2 }),
        (&[hello(), hello()], ProtocolError::Unexpected { kind: 1 }),
        (
            &[FromClient::Hello(Hello { version: 9, token: None })],
            ProtocolError::Version { version: 9 },
        ),
        (&[hello(), FromClient::Content(1, vec![0])], ProtocolError::Content),
        (
            &[hello(), ask(1, Source::Content(1)), FromClient::Content(1, vec![0; 2])],
            ProtocolError::Content,
        ),
        (
            &[hello(), ask(1, Source::Content(1)), ask(1, Source::Content(1))],
            ProtocolError::DuplicateId,
        ),
        (
            &[hello(), FromClient::Content(1, vec![0; 300 << 10])],
            ProtocolError::TooLong { longest: 256 << 10 },
        ),
    ];
    for (messages, error) in cases {
        assert_eq!(outcome(messages).unwrap_err(), *error, "{messages:?}");
    }
}

#[test]
fn requests_that_wait_for_content_are_bounded() {
    let mut messages = vec![hello()];
    let count = u32::try_from(MOST_OPEN).unwrap();
    messages.extend((1..=count).map(|id| ask(id, Source::Content(1))));
    assert!(outcome(&messages).is_ok());
    messages.push(ask(count + 1, Source::Content(1)));
    assert_eq!(outcome(&messages), Err(ProtocolError::TooMany));
}

#[test]
fn a_context_survives_the_way() {
    let recipients = ["bob@example.org", "eve@example.org"];
    let context = Context::new("smtp")
        .client("192.0.2.1".parse().unwrap())
        .sender("alice@example.org")
        .recipients(&recipients)
        .modifiable();
    let envelope = Envelope::of(&context);
    let json = serde_json::to_string(&envelope).unwrap();
    let back: Envelope = serde_json::from_str(&json).unwrap();
    assert_eq!(back.with(|context| format!("{context:?}")), format!("{context:?}"));
}

#[test]
fn a_request_may_say_no_more_than_it_must() {
    let ask: Ask = serde_json::from_str(r#"{"id": 1, "source": "descriptor"}"#).unwrap();
    assert_eq!((ask.source, ask.want), (Source::Descriptor, Want::Decision));
    let ask: Ask = serde_json::from_str(
        r#"{"id": 2, "source": {"content": 9}, "want": {"verdict": {"seconds": 3}},
            "envelope": {"agent": "cli"}}"#,
    )
    .unwrap();
    assert_eq!(ask.want, Want::Verdict { options: None, limits: None, seconds: Some(3) });
}

proptest! {
    #[test]
    fn any_bytes_after_the_greeting_come_to_an_end(bytes: Vec<u8>, step in 1_usize..20) {
        let mut stream = Vec::new();
        hello().encode(&mut stream).unwrap();
        stream.extend(bytes);
        let mut incoming = Incoming::new();
        for piece in stream.chunks(step) {
            incoming.feed(piece);
            while let Ok(Some(_)) = incoming.event() {}
        }
    }
}
