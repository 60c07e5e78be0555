//! Clocks that jump: nothing hangs, nothing is forgotten, nothing is answered wrongly.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod running;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use esets_client::{Client, Content};
use esets_policy::Action;
use running::{Daemon, ask, wait_until};

/// The library that lies about the time, from Debian's package `libfaketime`.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut paths = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    paths.find(|path| path.exists()).unwrap()
}

fn started(mut command: Command, folder: tempfile::TempDir) -> Daemon {
    command.arg("--config").arg(folder.path().join("esets.cfg")).arg("--test-faults");
    let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let daemon = Daemon { child, folder };
    wait_until(|| Client::connect(&daemon.socket()).is_ok(), || daemon.log());
    daemon
}

/// A daemon whose clock of the day is what the file `time` in its folder says. Its workers have the
/// true time, as they would have after a jump that only one of two processes has noticed.
fn lied_to() -> Daemon {
    let folder = tempfile::tempdir().unwrap();
    running::configure(
        folder.path(),
        "num_proc = 1\nav_limit_time = 5\nav_quarantine_enabled = yes\n",
    );
    tell(folder.path(), "+0");
    let mut command = Command::new(env!("CARGO_BIN_EXE_esets_daemon"));
    command.env("LD_PRELOAD", library()).env("FAKETIME_NO_CACHE", "1");
    command.env("FAKETIME_TIMESTAMP_FILE", folder.path().join("time"));
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    started(command, folder)
}

fn tell(folder: &Path, time: &str) {
    fs::write(folder.join("time.new"), format!("{time}\n")).unwrap();
    fs::rename(folder.join("time.new"), folder.join("time")).unwrap();
}

#[test]
fn a_clock_that_jumps_changes_no_answer_and_no_wait() {
    let daemon = lied_to();
    let folder = daemon.folder.path();
    running::install(folder, "1", "apple");
    assert!(daemon.command("reload").status.success());
    assert_eq!(daemon.verdict("known", b"seen before the jumps"), "known [] 21");
    assert!(daemon.verdict("fault-crash", b"killer").contains("SIGSEGV"));
    let lost = daemon.status("workers lost");
    for time in ["+10y", "-10y", "-60y", "+0", "+300y", "-1", "+3600"] {
        // In the middle of a scan, and between two.
        let mut client = daemon.client();
        let content = time.as_bytes();
        client.start(&running::request("fault-slow"), Content::Bytes(content)).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        tell(folder, time);
        let begun = Instant::now();
        let esets_client::Reply::Answer(answer) = client.wait().unwrap() else { unreachable!() };
        assert_eq!(answer.outcome.decision().action, Action::Accept, "{time}: {answer:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{time}: {:?}", begun.elapsed());
        // What is known stays known, for better and for worse.
        let hits: u64 = daemon.status("cache hits").parse().unwrap();
        assert_eq!(daemon.verdict("known", b"seen before the jumps"), "known [] 21");
        assert_eq!(daemon.status("cache hits"), (hits + 1).to_string(), "{time}");
        assert!(daemon.verdict("killer", b"killer").contains("SIGSEGV"), "{time}");
        assert_eq!(daemon.status("workers lost"), lost, "{time}");
        // Detections are decided, logged and kept.
        let answer = ask(&mut daemon.client(), "bad", Content::Bytes(b"a bad-apple"));
        assert_eq!(answer.outcome.decision().action, Action::Reject, "{time}");
        let running = daemon.status("running");
        let seconds: u64 = running.trim_end_matches(" s").parse().unwrap();
        assert!(seconds < 120, "{time}: {running}");
        assert!(daemon.command("reload").status.success(), "{time}: {}", daemon.log());
    }
    // The daemon did see the jumps: its log has their times.
    let times: std::collections::BTreeSet<_> =
        daemon.log().lines().filter_map(|line| line.get(..4).map(str::to_owned)).collect();
    assert!(times.len() > 1, "{times:?}");
}

#[test]
fn a_machine_that_runs_for_ever_is_no_different() {
    if !running::is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    running::configure(folder.path(), "num_proc = 1\nav_limit_time = 1\n");
    let mut command = Command::new("unshare");
    // A hundred years of uptime.
    command.args(["--time", "--monotonic", "3155760000", "--boottime", "3155760000", "--"]);
    command.arg(env!("CARGO_BIN_EXE_esets_daemon"));
    let daemon = started(command, folder);
    assert_eq!(daemon.verdict("x", b"y"), "x [] 1");
    assert_eq!(daemon.verdict("fault-hang", b"x"), "fault-hang [] 0 ?limit reached: Time");
    assert_eq!(daemon.verdict("next", b"z"), "next [] 1");
    assert_eq!(daemon.status("running").len(), 3);
}
