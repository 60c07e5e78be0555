//! Clients that mean harm, and places that are taken.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test ends where it fails"
)]

mod running;

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use esets_client::{Content, FromClient, Hello, VERSION};
use running::{Daemon, configure, spawn, verdict};

/// What the daemon says to bytes behind a greeting, until it hangs up.
fn said_to(daemon: &Daemon, bytes: &[u8]) -> String {
    let mut stream = daemon.raw();
    let mut greeting = Vec::new();
    FromClient::Hello(Hello { version: VERSION, token: None }).encode(&mut greeting).unwrap();
    stream.write_all(&greeting).unwrap();
    // The daemon may have hung up by now.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn what_breaks_the_protocol_is_told_and_ends_one_connection() {
    let daemon = Daemon::start();
    let mut other = daemon.client();
    let cases: &[(&[u8], &str)] = &[
        (&[2, 255, 255, 255, 255], "frame longer than"),
        (&[2, 2, 0, 0, 0, b'{', b'}'], "malformed frame of kind 2"),
        (&[9, 0, 0, 0, 0], "unexpected frame of kind 9"),
        (&[3, 5, 0, 0, 0, 1, 0, 0, 0, b'x'], "content that no request announced"),
        (&[1, 13, 0, 0, 0, b'{', b'"', b'v'], ""),
    ];
    for (bytes, expected) in cases {
        let said = said_to(&daemon, bytes);
        assert!(said.contains(expected), "{bytes:?}: {said}");
    }
    let missing = br#"{"id": 1, "source": "descriptor"}"#;
    let head = [2, u8::try_from(missing.len()).unwrap(), 0, 0, 0];
    let said = said_to(&daemon, &[&head[..], missing].concat());
    assert!(said.contains("the descriptor of a request is missing"), "{said}");
    assert_eq!(verdict(&mut other, "x", Content::Bytes(b"fine")), "x [] 4");
}

#[test]
fn a_file_that_shrinks_meanwhile_is_never_clean_by_mistake() {
    let daemon = Daemon::start();
    let path = daemon.folder.path().join("object");
    let writer = File::create(&path).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                writer.set_len(40 << 20).unwrap();
                thread::sleep(Duration::from_millis(3));
                writer.set_len(1).unwrap();
            }
        });
        let file = File::open(&path).unwrap();
        let mut client = daemon.client();
        for _ in 0..30 {
            let text = verdict(&mut client, "x", Content::File(&file));
            let is_whole =
                text == "x [] 1" || text == format!("x [] {}", 40 << 20) || text == "x [] 0";
            assert!(is_whole || text.contains("?fault: the file shrank"), "{text}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn ten_thousand_idle_clients_are_no_burden() {
    let daemon = Daemon::start();
    if esets_sys::raise_open_files().is_none_or(|most| most < 11_000) {
        eprintln!("not enough descriptors for this test");
        return;
    }
    let before = memory(daemon.child.id());
    let mut idle: Vec<_> = (0..10_000).map(|_| daemon.raw()).collect();
    // Half of them with half a frame.
    for stream in &mut idle[..5000] {
        stream.write_all(&[1, 13, 0]).unwrap();
    }
    let begun = Instant::now();
    assert_eq!(daemon.verdict("x", b"still quick"), "x [] 11");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let each = memory(daemon.child.id()).saturating_sub(before) / 10_000;
    assert!(each < 8192, "{each} bytes for each");
}

/// Bytes of resident memory.
fn memory(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// What a daemon that cannot start says.
fn refusal(folder: &std::path::Path) -> String {
    let output = spawn(folder).wait_with_output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_socket_that_is_taken_is_left_alone() {
    let daemon = Daemon::start();
    let said = refusal(daemon.folder.path());
    assert!(said.contains("another daemon answers there"), "{said}");
    assert_eq!(daemon.verdict("x", b"y"), "x [] 1");
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "");
    fs::write(folder.path().join("esets.sock"), "precious").unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("there is something that is no socket"), "{said}");
    assert_eq!(fs::read(folder.path().join("esets.sock")).unwrap(), b"precious");
}

#[test]
fn a_socket_that_a_dead_daemon_left_behind_is_replaced() {
    let mut daemon = Daemon::start();
    daemon.child.kill().unwrap();
    daemon.child.wait().unwrap();
    assert!(daemon.socket().exists());
    daemon.child = spawn(daemon.folder.path());
    running::wait_until(
        || esets_client::Client::connect(&daemon.socket()).is_ok(),
        || daemon.log(),
    );
    daemon.signal("TERM");
    assert!(daemon.child.wait().unwrap().success());
    assert!(!daemon.socket().exists() && !daemon.folder.path().join("pid").exists());
}

#[test]
fn mistakes_in_the_configuration_and_the_place_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for (lines, expected) in [
        ("num_prok = 3\n", "unknown key \"num_prok\"; did you mean num_proc?"),
        ("daemon_sock_path = \"/nonexistent/esets.sock\"\n", "No such file or directory"),
        ("worker_user = \"no-such-account\"\n", "there is no account"),
        ("worker_user = \"root\"\n", "which is root"),
        ("syslog_facility = \"nothing\"\nlog_file = \"\"\n", "there is no facility"),
    ] {
        configure(folder.path(), "");
        let path = folder.path().join("esets.cfg");
        let text = fs::read_to_string(&path).unwrap();
        let key = lines.split(' ').next().unwrap();
        let kept = text.lines().filter(|line| {
            !line.starts_with(key) && !lines.contains(line.split(' ').next().unwrap())
        });
        let kept: Vec<_> = kept.collect();
        fs::write(&path, format!("{}\n{lines}", kept.join("\n"))).unwrap();
        let said = refusal(folder.path());
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn without_a_system_log_messages_go_to_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "");
    let path = folder.path().join("esets.cfg");
    let text = fs::read_to_string(&path).unwrap();
    let kept: Vec<_> = text.lines().filter(|line| !line.starts_with("log_file")).collect();
    fs::write(&path, kept.join("\n")).unwrap();
    if std::path::Path::new("/dev/log").exists() {
        return;
    }
    let mut child = spawn(folder.path());
    let socket = folder.path().join("esets.sock");
    running::wait_until(|| esets_client::Client::connect(&socket).is_ok(), String::new);
    std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert!(said.contains("info: esets_daemon 0."), "{said}");
}

#[test]
fn a_listener_that_never_answers_is_not_taken_for_dead() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "");
    let _silent = UnixListener::bind(folder.path().join("esets.sock")).unwrap();
    assert!(refusal(folder.path()).contains("another daemon answers there"));
}
