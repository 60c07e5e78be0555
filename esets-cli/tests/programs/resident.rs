//! `esets_cli` and the daemon: who is asked, and what happens if no answer comes.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Instant;

use esets_client::{Answer, Event, FromDaemon, Incoming, Refusal, VERSION, Welcome};
use esets_policy::core::{Reason, Verdict};
use esets_policy::{Context, Outcome, Plan, Policy};

use crate::harness::{Ended, Folder};

/// What a played daemon does with the request of this number in its connection.
type Play = fn(u32, &mut UnixStream, File) -> bool;

/// A folder with a file, and a configuration whose daemon is played.
fn played(play: Play) -> Folder {
    let folder = configured();
    let listener = UnixListener::bind(folder.path().join("sock")).unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            thread::spawn(move || serve(socket.unwrap(), play));
        }
    });
    folder
}

fn configured() -> Folder {
    let folder = Folder::new();
    folder.file("mail", "x");
    let socket = folder.path().join("sock");
    let lines = format!("[global]\ndaemon_sock_path = \"{}\"\n", socket.display());
    folder.file("esets.cfg", lines);
    folder
}

fn serve(mut socket: UnixStream, play: Play) {
    let mut incoming = Incoming::new();
    let (mut buffer, mut files) = ([0; 4096], Vec::new());
    let mut number = 0_u32;
    loop {
        while let Some(event) = incoming.event().unwrap() {
            match event {
                Event::Greeted => {
                    say(
                        &mut socket,
                        &FromDaemon::Welcome(Welcome { version: VERSION, daemon: "0".into() }),
                    );
                }
                Event::Asked(ask) => {
                    number = number.saturating_add(1);
                    if !play(number, &mut socket, files.remove(0)) {
                        return;
                    }
                    assert_eq!(ask.envelope.agent, "cli");
                }
                _ => {}
            }
        }
        let (count, file) = esets_sys::receive(&socket, &mut buffer).unwrap();
        if count == 0 {
            return;
        }
        files.extend(file);
        incoming.feed(&buffer[..count]);
    }
}

fn say(socket: &mut UnixStream, message: &FromDaemon) {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).unwrap();
    socket.write_all(&bytes).unwrap();
}

/// Discards everything, which is what no engine does by itself, and shows what it read.
fn discards(id: u32, socket: &mut UnixStream, mut file: File) -> bool {
    let mut content = String::new();
    file.read_to_string(&mut content).unwrap();
    let policy = Policy::load("x", b"[global]\naction_av = \"discard\"\n", |_| {
        Ok::<Vec<u8>, String>(Vec::new())
    });
    let Plan::Act(fates) = policy.unwrap().plan(&Context::new("cli")) else { panic!("a scan") };
    let verdict = Verdict::not_scanned(content, Reason::Encrypted);
    let outcome = Outcome::new(Some(verdict), fates);
    say(socket, &FromDaemon::Answer(Box::new(Answer { id, handle: 1, outcome })));
    true
}

fn cli(folder: &Folder, arguments: &[&str]) -> Ended {
    folder.cli(&[&["--config=esets.cfg"], arguments].concat())
}

#[test]
fn the_daemon_decides_about_descriptors() {
    let folder = played(discards);
    let ended = cli(&folder, &["mail"]);
    assert_eq!((ended.code, ended.err.as_str()), (2, ""), "{}", ended.out);
    assert!(ended.out.starts_with("x: action=\"discarded\"\n"), "{}", ended.out);
    assert_eq!(cli(&folder, &["--daemon-only", "mail"]).code, 2);
    assert_eq!(cli(&folder, &["--daemon-only", "none"]).code, 100);
    let ended = cli(&folder, &["--jobs=4", "--subdir", "."]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.starts_with("esets_cli: ./sock: is a socket, not a file"), "{}", ended.err);
}

#[test]
fn the_engine_is_used_where_the_caller_wants_it_or_names_signatures() {
    let folder = played(discards);
    folder.file("db/x.ndb", "Test.apple:0:*:6170706c65\n");
    assert_eq!(cli(&folder, &["--no-daemon", "mail"]).code, 0);
    assert_eq!(cli(&folder, &["--base-dir=db", "mail"]).code, 0);
    // A configuration that names no socket belongs to no daemon.
    folder.file("other.cfg", "");
    assert_eq!(folder.cli(&["--config=other.cfg", "mail"]).code, 0);
    let ended = folder.cli(&["--config=other.cfg", "--daemon-only", "mail"]);
    assert_eq!(ended.code, 100);
    assert!(ended.err.contains("names no daemon_sock_path"), "{}", ended.err);
    let ended = cli(&folder, &["--no-daemon", "--daemon-only", "mail"]);
    assert_eq!(ended.code, 100);
}

#[test]
fn without_a_daemon_the_engine_answers_unless_that_is_forbidden() {
    let folder = configured();
    let ended = cli(&folder, &["mail"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let ended = cli(&folder, &["--daemon-only", "mail"]);
    assert_eq!(ended.code, 100);
    assert!(ended.err.contains("the daemon cannot be reached"), "{}", ended.err);
    // One that died left its socket behind.
    drop(UnixListener::bind(folder.path().join("sock")).unwrap());
    let ended = cli(&folder, &["mail"]);
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("refused"), "{}", ended.err);
}

#[test]
fn a_daemon_that_dies_or_refuses_on_the_way_is_replaced_by_the_engine() {
    let dies: Play = |number, socket, file| number < 3 && discards(number, socket, file);
    let refuses: Play = |id, socket, _| {
        say(socket, &FromDaemon::Refusal(Refusal { id, why: "not today".into() }));
        true
    };
    let undecided: Play = |id, socket, _| {
        let outcome = Outcome::new(Some(Verdict::not_scanned("", Reason::Cancelled)), Vec::new());
        say(socket, &FromDaemon::Answer(Box::new(Answer { id, handle: 0, outcome })));
        true
    };
    for (play, why) in [(refuses, "not today"), (undecided, "came to no decision: cancelled")] {
        let folder = played(play);
        let ended = cli(&folder, &["mail"]);
        assert_eq!(ended.code, 0, "{}", ended.out);
        assert!(ended.out.starts_with("mail: action=\"accepted\"\n"), "{}", ended.out);
        assert!(ended.err.contains(why), "{}", ended.err);
        assert_eq!(cli(&folder, &["--daemon-only", "mail"]).code, 100);
    }
    let folder = played(dies);
    ["1", "2", "3", "4"].iter().for_each(|name| drop(folder.file(name, "x")));
    let ended = cli(&folder, &["1", "2", "3", "4"]);
    assert_eq!(ended.code, 2);
    let decided = |action| ended.out.matches(&format!("action=\"{action}\"")).count();
    // A connection that broke is made once more, and answers one more file in this play.
    assert_eq!(decided("discarded") + decided("accepted"), 4, "{}", ended.out);
}

#[test]
fn a_stranger_who_listens_is_not_believed() {
    if esets_sys::own_user() != 0 {
        return;
    }
    let folder = configured();
    let path = folder.path().join("sock");
    let mut stranger = std::process::Command::new("setpriv");
    stranger.args(["--reuid=65534", "--regid=65534", "--clear-groups", "perl", "-e"]);
    stranger.arg(LISTEN);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let mut stranger = stranger.arg(&path).spawn().unwrap();
    let begun = Instant::now();
    while UnixStream::connect(&path).is_err() {
        assert!(begun.elapsed().as_secs() < 20, "nobody listens");
        thread::sleep(std::time::Duration::from_millis(20));
    }
    let ended = cli(&folder, &["mail"]);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("user 65534 listens there, neither root nor you"), "{}", ended.err);
}

const LISTEN: &str = "use IO::Socket::UNIX;
    my $socket = IO::Socket::UNIX->new(Local => shift, Listen => 5) or die $!;
    sleep 60;";
