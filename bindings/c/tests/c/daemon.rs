//! A daemon played by the test, for the clients of the library.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use esets_client::{Answer, Ask, Event, FromDaemon, Incoming, Refusal, Source, VERSION, Welcome};
use esets_core::{Reason, Verdict};
use esets_policy::{Context, Outcome, Plan, Policy};

/// Listens for as long as the test runs. It discards everything, and shows what it got as the name
/// in the verdict; it refuses an object called `refuse`, and hangs up on one called `hangup`.
pub(crate) fn play(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            thread::spawn(move || serve(socket.unwrap()));
        }
    });
}

fn serve(mut socket: UnixStream) {
    let mut incoming = Incoming::new();
    let (mut buffer, mut files) = (vec![0; 1 << 16], Vec::new());
    let mut open: HashMap<u32, (Ask, Vec<u8>)> = HashMap::new();
    while let Ok((count @ 1.., file)) = esets_sys::receive(&socket, &mut buffer) {
        files.extend(file);
        incoming.feed(buffer.get(..count).unwrap());
        while let Some(event) = incoming.event().unwrap() {
            let whole = match event {
                Event::Greeted => {
                    let welcome = Welcome { version: VERSION, daemon: "0".into() };
                    say(&mut socket, &FromDaemon::Welcome(welcome));
                    None
                }
                Event::Asked(ask) if ask.source == Source::Descriptor => {
                    Some((*ask, content(files.remove(0))))
                }
                Event::Asked(ask) => {
                    open.insert(ask.id, (*ask, Vec::new()));
                    None
                }
                Event::Content { id, bytes } => {
                    open.get_mut(&id).unwrap().1.extend(bytes);
                    None
                }
                Event::Complete(id) => open.remove(&id),
                _ => None,
            };
            match whole {
                Some((ask, _)) if ask.name == b"hangup" => return,
                Some((ask, content)) => say(&mut socket, &answer(&ask, content)),
                None => {}
            }
        }
    }
}

/// All of a file, wherever it stands.
fn content(file: File) -> Vec<u8> {
    let mut content = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact_at(&mut content, 0).unwrap();
    content
}

fn answer(ask: &Ask, content: Vec<u8>) -> FromDaemon {
    let id = ask.id;
    if ask.name == b"refuse" {
        return FromDaemon::Refusal(Refusal { id, why: "not today".into() });
    }
    let none = |_: &str| Ok::<Vec<u8>, String>(Vec::new());
    let policy = Policy::load("x", b"[global]\naction_av = \"discard\"\n", none).unwrap();
    let Plan::Act(fates) = policy.plan(&Context::new(&ask.envelope.agent)) else {
        panic!("this policy needs no scan")
    };
    let verdict = Verdict::not_scanned(content, Reason::Encrypted);
    let outcome = Outcome::new(Some(verdict), fates);
    FromDaemon::Answer(Box::new(Answer { id, handle: 1, outcome }))
}

fn say(socket: &mut UnixStream, message: &FromDaemon) {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).unwrap();
    socket.write_all(&bytes).unwrap();
}
