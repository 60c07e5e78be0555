//! What agents are kept from, and the one that tells the daemon's numbers.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod running;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use running::Daemon;

/// A daemon whose numbers are on a port and on a socket in the folder.
fn start() -> (Daemon, u16, tempfile::TempDir) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::with(&format!(
        "num_proc = 1\n[metrics]\nagent_enabled = yes\nagent_user = \"daemon\"\n\
         listen_addr = \"127.0.0.1\"\nlisten_port = {port}\nmetrics_sock_path = \"{0}/metrics\"\n\
         [clamd]\nagent_enabled = yes\nclamd_sock_path = \"{0}/clamd\"\n",
        folder.path().display()
    ));
    daemon.wait_for_log("the agent metrics serves");
    daemon.wait_for_log("the agent clamd serves");
    (daemon, port, folder)
}

fn say(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

const ASKED: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Prometheus\r\n\r\n";

#[test]
fn prometheus_reads_the_numbers_and_finds_no_fault_with_them() {
    let (daemon, port, folder) = start();
    assert_eq!(daemon.verdict("x", b"y"), "x [] 1");
    let said = say(port, ASKED);
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"),
        "{head}"
    );
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
    assert!(body.contains("\nesets_clean_total 1\n"), "{body}");
    let mut checker = Command::new("promtool");
    checker.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut checker = checker.spawn().unwrap();
    checker.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let checked = checker.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && complaints.is_empty(), "{complaints}");
    // The same on the socket, and for HEAD without the numbers.
    let mut local = UnixStream::connect(folder.path().join("metrics")).unwrap();
    local.write_all(ASKED).unwrap();
    let mut said = String::new();
    local.read_to_string(&mut said).unwrap();
    assert!(said.contains("\nesets_clean_total 1\n"), "{said}");
    let said = say(port, b"HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("\r\n\r\n"), "{said}");
}

#[test]
fn what_is_no_question_for_the_numbers_is_refused() {
    let (_daemon, port, _folder) = start();
    for (bytes, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "404"),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", "404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", "405"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", "400"),
        (b"GET /metrics\r\n\r\n", "400"),
        (&[b'A'; 20 << 10], "431"),
    ] {
        let said = say(port, bytes);
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {said}");
    }
    // One that hangs up in the middle is nobody's trouble.
    let mut half = TcpStream::connect(("127.0.0.1", port)).unwrap();
    half.write_all(b"GET /met").unwrap();
    half.shutdown(Shutdown::Both).unwrap();
    assert!(say(port, ASKED).starts_with("HTTP/1.1 200"));
}

#[test]
fn clients_that_say_nothing_are_sent_away() {
    let (_daemon, port, _folder) = start();
    let slow: Vec<_> = (0..40).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    for mut stream in &slow {
        stream.write_all(b"GET ").unwrap();
    }
    let begun = Instant::now();
    assert!(say(port, ASKED).starts_with("HTTP/1.1 200"));
    // There are more of them than threads, so the first of them had to go.
    assert!(begun.elapsed() > Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn agents_are_confined_each_under_its_own_account() {
    let (daemon, port, _folder) = start();
    assert!(say(port, ASKED).starts_with("HTTP/1.1 200"));
    let agents = running::agents(daemon.child.id());
    assert_eq!(agents.len(), 2);
    let mut accounts = Vec::new();
    for pid in agents {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let (status, limits) = (read("status"), read("limits"));
        let has = |line: &str| assert!(status.contains(line), "no {line:?} in {status}");
        has("\nNoNewPrivs:\t1\n");
        has("\nSeccomp:\t2\n");
        let limit = |name: &str| {
            let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().rev().nth(1).unwrap().to_owned()
        };
        assert_ne!(limit("Max address space"), "unlimited");
        assert_eq!(limit("Max core file size"), "0");
        assert_eq!(limit("Max file size"), "0");
        for fd in fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
            let name = fs::read_link(fd.path()).unwrap().to_string_lossy().into_owned();
            let is_needed = ["socket:", "pipe:", "/dev/null"];
            assert!(is_needed.iter().any(|kind| name.starts_with(kind)), "{name}");
        }
        if running::is_root() {
            has("\nGroups:\t \n");
            has("\nCapEff:\t0000000000000000\n");
            let here = fs::read_link("/proc/self/ns/net").unwrap();
            assert_ne!(fs::read_link(format!("/proc/{pid}/ns/net")).unwrap(), here);
            let line = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
            accounts.push(line.split_whitespace().nth(1).unwrap().to_owned());
        }
    }
    accounts.sort();
    assert!(!running::is_root() || accounts == ["1", "65534"], "{accounts:?}");
}

#[test]
fn a_protection_that_the_system_refuses_is_told() {
    if !running::is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    running::configure(folder.path(), "num_proc = 1\n");
    let mut daemon = Command::new("setpriv");
    daemon.args(["--reuid=65534", "--clear-groups", "--"]).arg(env!("CARGO_BIN_EXE_esets_daemon"));
    daemon.arg("--config").arg(folder.path().join("esets.cfg"));
    let child = daemon.stderr(Stdio::null()).spawn().unwrap();
    let daemon = Daemon { child, folder };
    let answers = || UnixStream::connect(daemon.socket()).is_ok();
    running::wait_until(answers, || daemon.log());
    let mut client = esets_client::Client::over(daemon.raw()).unwrap();
    let status = client.control(esets_client::Command::Status).unwrap();
    assert!(status.contains("protections missing: workers: the network is visible"), "{status}");
    daemon.wait_for_log("warning: the system refuses workers a protection: the network is visible");
    let metrics = client.control(esets_client::Command::Metrics).unwrap();
    assert!(!metrics.contains("esets_protections_refused 0\n"), "{metrics}");
}

#[test]
fn an_account_that_is_missing_or_root_is_told() {
    if !running::is_root() {
        return;
    }
    for (account, said) in
        [("root", "cannot run as \"root\""), ("no-such", "no account \"no-such\"")]
    {
        let folder = tempfile::tempdir().unwrap();
        running::configure(
            folder.path(),
            &format!(
                "num_proc = 1\n[metrics]\nagent_enabled = yes\nagent_user = \"{account}\"\n\
                 metrics_sock_path = \"{}/m\"\n",
                folder.path().display()
            ),
        );
        let ended = running::spawn(folder.path()).wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && text.contains(said), "{text}");
    }
}
