//! The client against a daemon played by the test: every reply that a daemon may give.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use esets_client::{
    Answer, Client, ClientError, Command, Content, DaemonFilter, Event, FromDaemon, Incoming,
    Progress, Refusal, Reply, Report, Request, VERSION, Welcome,
};
use esets_policy::core::{Object, Reason, Verdict};
use esets_policy::{Action, Context, Filter, Outcome};

/// Reads events from a client until `last` says that one was the last.
fn listen(
    socket: &mut UnixStream,
    incoming: &mut Incoming,
    last: impl Fn(&Event) -> bool,
) -> Vec<Event> {
    let mut events = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        while let Some(event) = incoming.event().unwrap() {
            events.push(event);
            if events.last().is_some_and(&last) {
                return events;
            }
        }
        let count = socket.read(&mut buffer).unwrap();
        assert!(count > 0, "the client hung up after {events:?}");
        incoming.feed(&buffer[..count]);
    }
}

fn say(socket: &mut UnixStream, messages: &[FromDaemon]) {
    let mut bytes = Vec::new();
    messages.iter().for_each(|message| message.encode(&mut bytes).unwrap());
    socket.write_all(&bytes).unwrap();
}

fn welcome() -> FromDaemon {
    FromDaemon::Welcome(Welcome { version: VERSION, daemon: "1.2.3".into() })
}

fn answer(id: u32) -> FromDaemon {
    let verdict = Verdict::not_scanned(format!("object {id}"), Reason::Encrypted);
    let outcome = Outcome::new(Some(verdict), Vec::new());
    FromDaemon::Answer(Box::new(Answer { id, handle: 7, outcome }))
}

/// A client, and a thread that plays the daemon after the greeting.
fn play(daemon: impl FnOnce(&mut UnixStream, &mut Incoming) + Send + 'static) -> Client {
    let (here, mut there) = UnixStream::pair().unwrap();
    thread::spawn(move || {
        let mut incoming = Incoming::new();
        listen(&mut there, &mut incoming, |event| *event == Event::Greeted);
        say(&mut there, &[welcome()]);
        daemon(&mut there, &mut incoming);
    });
    Client::over(here).unwrap()
}

#[test]
fn content_arrives_whole_and_the_answer_comes_back() {
    let content = vec![b'x'; 200_000];
    let expected = content.clone();
    let mut client = play(move |socket, incoming| {
        let events = listen(socket, incoming, |event| matches!(event, Event::Complete(_)));
        let pieces = events.iter().filter_map(|event| match event {
            Event::Content { bytes, .. } => Some(bytes.as_slice()),
            _ => None,
        });
        assert_eq!(pieces.collect::<Vec<_>>().concat(), expected);
        let progress = FromDaemon::Progress(Progress { id: 1, objects: 3, bytes: 9 });
        say(socket, &[progress, answer(1)]);
    });
    let answer = client.scan(&Request::default(), Content::Bytes(&content)).unwrap();
    assert_eq!((answer.id, answer.handle), (1, 7));
    assert_eq!(answer.outcome.verdict.unwrap().to_string(), "object 1 [] 0 ?encrypted\n");
}

#[test]
fn several_requests_are_answered_in_any_order() {
    let mut client = play(|socket, incoming| {
        listen(socket, incoming, |event| *event == Event::Complete(2));
        listen(socket, incoming, |event| matches!(event, Event::Controlled(_)));
        let report = FromDaemon::Report(Report { id: 3, text: "fine".into() });
        say(socket, &[answer(2), answer(1), report]);
    });
    let request = Request::default();
    assert_eq!(client.start(&request, Content::Bytes(b"one")).unwrap(), 1);
    assert_eq!(client.start(&request, Content::Bytes(b"")).unwrap(), 2);
    assert_eq!(client.control(Command::Status).unwrap(), "fine");
    for expected in [2, 1] {
        let Reply::Answer(answer) = client.wait().unwrap() else { panic!("no answer") };
        assert_eq!(answer.id, expected);
    }
}

#[test]
fn refusals_say_why() {
    let mut client = play(|socket, incoming| {
        listen(socket, incoming, |event| matches!(event, Event::Asked(_)));
        let refusal = Refusal { id: 1, why: "the descriptor is a directory".into() };
        say(socket, &[FromDaemon::Refusal(refusal)]);
        listen(socket, incoming, |event| *event == Event::Cancelled(1));
        let refusal = Refusal { id: 0, why: "the daemon stops".into() };
        say(socket, &[FromDaemon::Refusal(refusal)]);
    });
    let file = std::fs::File::open("/").unwrap();
    let error = client.scan(&Request::default(), Content::File(&file)).unwrap_err();
    assert_eq!(error.to_string(), "the daemon refuses: the descriptor is a directory");
    client.cancel(1).unwrap();
    assert!(matches!(client.wait(), Err(ClientError::Refused(why)) if why == "the daemon stops"));
}

#[test]
fn an_object_without_an_answer_is_deferred() {
    let folder = tempfile::tempdir().unwrap();
    let filter = DaemonFilter::new(folder.path().join("nobody.sock"));
    let outcome = filter.handle(&Object::new(b"x").named("a"), &Context::new("smtp"));
    assert_eq!(outcome.decision().action, Action::Defer);
    assert!(outcome.verdict.unwrap().to_string().contains("fault: the daemon cannot be reached"));
}

#[test]
fn a_daemon_that_hangs_up_or_talks_nonsense_is_an_error() {
    let mut client = play(|_, _| {});
    assert!(matches!(
        client.scan(&Request::default(), Content::Bytes(b"")),
        Err(ClientError::Io(_))
    ));
    let mut client = play(|socket, _| socket.write_all(&[99, 0, 0, 0, 0]).unwrap());
    assert!(matches!(client.wait(), Err(ClientError::Protocol(_))));
    let mut client = play(|socket, _| socket.write_all(&[131, 255, 255, 255, 255]).unwrap());
    assert!(matches!(client.wait(), Err(ClientError::Protocol(_))));
}
