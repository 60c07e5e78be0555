//! What clients are told.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod running;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use esets_client::{Client, ClientError, Command, Content, Request, Want};
use esets_policy::Action;
use esets_policy::core::Limits;
use running::{Daemon, ask, install, request, verdict, wait_until};

#[test]
fn content_and_descriptors_are_scanned_alike() {
    let daemon = Daemon::start();
    install(daemon.folder.path(), "31502 (20261124)", "apple");
    assert!(daemon.command("reload").status.success());
    let path = daemon.folder.path().join("object");
    for (content, expected) in [
        (&b"harmless"[..], "dir/name [] 8"),
        (b"a bad-apple", "dir/name [] 11 !Test.apple"),
        (b"", "dir/name [] 0"),
        (&[b'x'; 300_000], "dir/name [] 300000"),
    ] {
        fs::write(&path, content).unwrap();
        let mut client = daemon.client();
        assert_eq!(verdict(&mut client, "dir/name", Content::Bytes(content)), expected);
        let file = File::open(&path).unwrap();
        assert_eq!(verdict(&mut client, "dir/name", Content::File(&file)), expected);
    }
    let answer = ask(&mut daemon.client(), "a \"b\"", Content::Bytes(b"bad-apple"));
    assert_eq!(answer.outcome.decision().action, Action::Reject);
    daemon.wait_for_log(&format!(
        "summ[{:08x}]: vdb=31502, agent=cli, name=\"a \\u{{22}}b\\u{{22}}\", \
         virus=\"Test.apple\", action=\"\", info=\"\", avstatus=\"infected\", hop=\"rejected\"",
        answer.handle
    ));
}

#[test]
fn only_regular_files_are_taken_and_the_refusal_says_why() {
    let daemon = Daemon::start();
    let (pipe, _writer) = std::io::pipe().unwrap();
    let (socket, _other) = UnixStream::pair().unwrap();
    let folder = daemon.folder.path();
    let written = File::create(folder.join("written")).unwrap();
    let cases = [
        (File::open("/").unwrap(), "a directory, not a file"),
        (File::open("/dev/zero").unwrap(), "a device, not a file"),
        (File::from(OwnedFd::from(pipe)), "a pipe, not a file"),
        (File::from(OwnedFd::from(socket)), "a socket, not a file"),
    ];
    let mut client = daemon.client();
    for (file, expected) in cases {
        let error = client.scan(&request("x"), Content::File(&file)).unwrap_err();
        assert!(matches!(&error, ClientError::Refused(why) if why.ends_with(expected)), "{error}");
    }
    (&written).write_all(b"x").unwrap();
    let error = client.scan(&request("x"), Content::File(&written)).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    assert_eq!(verdict(&mut client, "x", Content::Bytes(b"still here")), "x [] 10");
}

#[test]
fn the_offset_of_a_descriptor_is_neither_used_nor_moved() {
    use std::io::{Seek as _, SeekFrom};

    let daemon = Daemon::start();
    let path = daemon.folder.path().join("object");
    fs::write(&path, "0123456789").unwrap();
    let mut file = File::open(&path).unwrap();
    file.seek(SeekFrom::Start(7)).unwrap();
    assert_eq!(verdict(&mut daemon.client(), "x", Content::File(&file)), "x [] 10");
    assert_eq!(file.stream_position().unwrap(), 7);
}

#[test]
fn a_client_can_lower_the_limits_but_not_raise_them() {
    let daemon = Daemon::with("num_proc = 1\nav_limit_object_size = 1000\n");
    let scan = |size| {
        let limits = Limits { object_size: size, ..Limits::default() };
        let want = Want::Verdict { options: None, limits: Some(limits), seconds: None };
        let request = Request { want, ..request("x") };
        let answer = daemon.client().scan(&request, Content::Bytes(&[b'x'; 1500])).unwrap();
        answer.outcome.verdict.unwrap().to_string()
    };
    assert_eq!(scan(1 << 20), "x [] 1000 ?limit reached: ObjectSize\n");
    assert_eq!(scan(1 << 30), "x [] 1000 ?limit reached: ObjectSize\n");
}

#[test]
fn clean_content_is_scanned_once_whatever_it_is_called_on_the_way() {
    let daemon = Daemon::start();
    for folder in ["a", "b", "c"] {
        assert_eq!(
            daemon.verdict(&format!("{folder}/p001"), b"same"),
            format!("{folder}/p001 [] 4")
        );
    }
    // The name can make a difference, so another name is another object.
    let name = "invoice.pdf.exe";
    assert!(daemon.verdict(name, b"same").contains("!Heur.DoubleExtension"));
    assert_eq!(daemon.status("cache hits"), "2");
    assert_eq!(daemon.status("cache misses"), "2");
}

#[test]
fn the_same_content_at_the_same_time_is_scanned_once() {
    let daemon = Daemon::start();
    let mut clients: Vec<_> = (0..8).map(|_| daemon.client()).collect();
    for client in &mut clients {
        client.start(&request("fault-slow"), Content::Bytes(b"same")).unwrap();
    }
    for client in &mut clients {
        client.wait().unwrap();
    }
    assert_eq!(daemon.status("cache misses"), "1");
}

#[test]
fn quarantine_keeps_what_the_policy_says() {
    let daemon = Daemon::with("num_proc = 1\nav_quarantine_enabled = yes\n");
    let content = b"the content";
    ask(&mut daemon.client(), "invoice.pdf.exe", Content::Bytes(content));
    let quarantine = esets_quarantine::Quarantine::open(daemon.folder.path().join("quarantine"));
    let quarantine = quarantine.unwrap();
    let ids = quarantine.ids().unwrap();
    assert_eq!(ids.len(), 1);
    assert_eq!(quarantine.release(&ids[0]).unwrap(), content);
    assert_eq!(quarantine.show(&ids[0]).unwrap().note.name, "invoice.pdf.exe");
}

/// Cleaning as the policy has it, for a message with an infected part.
const CLEANING: &str = "num_proc = 1\nav_clean_mode = \"strict\"\naction_av_deleted = \"accept\"\n";
const INFECTED: &str = "From: a@b\r\nSubject: invoice\r\n\
    Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n\
    hello\r\n--x\r\nContent-Type: application/octet-stream; name=invoice.pdf.exe\r\n\r\nMZ\r\n\
    --x--\r\n";

#[test]
fn a_message_without_its_infected_part_passes_once_that_was_scanned_too() {
    let daemon = Daemon::with(CLEANING);
    let mut request = running::request("mail.eml");
    request.envelope.agent = "smtp".into();
    request.envelope.may_modify = true;
    let mut client = daemon.client();
    let mut fate = |content: Content<'_>| {
        let outcome = client.scan(&request, content).unwrap().outcome;
        let [fate] = outcome.dispositions.as_slice() else { panic!("{outcome:?}") };
        (fate.clone(), outcome.verdict.unwrap())
    };
    let (passes, found) = fate(Content::Bytes(INFECTED.as_bytes()));
    assert_eq!((passes.action, passes.edits.remove.len()), (Action::Accept, 1));
    let cleaned = passes.edits.apply(INFECTED.as_bytes(), Some(&found)).unwrap();
    assert!(!cleaned.windows(4).any(|window| window == b"\nMZ\r"));
    // The same of a file, and of one that is too long for the socket of a worker.
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(INFECTED.as_bytes()).unwrap();
    assert_eq!(fate(Content::File(&file)).0, passes);
    let long = INFECTED.replace("hello", &"hello\r\n".repeat(40_000));
    assert_eq!(fate(Content::Bytes(long.as_bytes())).0.action, Action::Accept);
    // What cannot be told from its message is not taken out.
    let ambiguous = INFECTED.replace("boundary=x", "boundary=x; boundary=y");
    assert_eq!(fate(Content::Bytes(ambiguous.as_bytes())).0.action, Action::Reject);
}

#[test]
fn a_message_whose_second_scan_fails_is_not_called_clean() {
    let daemon = Daemon::with(&format!("{CLEANING}av_limit_time = 1\n"));
    let mut request = running::request("fault-second-hang");
    request.envelope.agent = "smtp".into();
    request.envelope.may_modify = true;
    let outcome = daemon.client().scan(&request, Content::Bytes(INFECTED.as_bytes()));
    let outcome = outcome.unwrap().outcome;
    assert_eq!(outcome.decision().action, Action::Reject, "{outcome:?}");
    assert!(outcome.dispositions.iter().all(|fate| fate.edits.remove.is_empty()), "{outcome:?}");
}

#[test]
fn the_script_is_told_of_a_detection() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let (script, told) = (folder.path().join("script"), folder.path().join("told"));
    let text = format!(
        "#!/bin/sh\necho \"$ESETS_VIRUSNAME|$ESETS_OBJECT|$ESETS_HOP\" >{0}.new\nmv {0}.new {0}\n",
        told.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let daemon = Daemon::with(&format!("exec_script = \"{}\"\n", script.display()));
    ask(&mut daemon.client(), "clean.txt", Content::Bytes(b"x"));
    ask(&mut daemon.client(), "$(id).pdf.exe", Content::Bytes(b"x"));
    wait_until(|| told.exists(), || daemon.log());
    let told = fs::read_to_string(told).unwrap();
    assert_eq!(told, "Heur.DoubleExtension|$(id).pdf.exe|rejected\n");
}

#[test]
fn everybody_may_ask_and_only_root_may_command() {
    let daemon = Daemon::start();
    let mut client = daemon.client();
    assert!(client.control(Command::Version).unwrap().starts_with("esets_daemon 0."));
    assert!(client.control(Command::Metrics).unwrap().contains("esets_answer_seconds_count"));
    let text = String::from_utf8(daemon.command("status").stdout).unwrap();
    assert!(text.contains("\nworkers: 2 x 1 threads\n"), "{text}");
    if nix_is_root() {
        let socket = daemon.socket();
        // The folder of the test is private, the socket is not.
        open_up(daemon.folder.path());
        let denied = as_nobody(&socket);
        assert!(denied.contains("only root and the daemon's own user"), "{denied}");
    }
}

fn nix_is_root() -> bool {
    fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t0")
}

fn open_up(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a user without rights is told who wants a reload. The connection is made by root's child,
/// and the kernel says whose it is.
fn as_nobody(socket: &std::path::Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    open_up(folder.path());
    let program = folder.path().join("esets_daemon");
    fs::copy(env!("CARGO_BIN_EXE_esets_daemon"), &program).unwrap();
    let config = folder.path().join("esets.cfg");
    fs::write(&config, format!("[global]\ndaemon_sock_path = \"{}\"\n", socket.display())).unwrap();
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    let output = command.arg("--config").arg(&config).arg("reload").output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn progress_is_told_and_a_cancelled_request_is_answered() {
    let daemon = Daemon::start();
    let mut client: Client = daemon.client();
    let id = client.start(&request("fault-hang"), Content::Bytes(b"x")).unwrap();
    client.cancel(id).unwrap();
    let esets_client::Reply::Answer(answer) = client.wait().unwrap() else {
        unreachable!("no answer")
    };
    assert_eq!(answer.outcome.verdict.unwrap().to_string(), "fault-hang [] 0 ?cancelled\n");
}
