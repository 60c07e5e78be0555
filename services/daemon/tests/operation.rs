//! What a daemon lives with: a supervisor that holds its socket, full disks, rivals, strangers.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod running;

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use esets_client::{Client, Content};
use esets_policy::Action;
use running::{Daemon, ask, configure, spawn, verdict, wait_until};

/// Runs the daemon behind a line of shell, whose `"$@"` is its command line.
fn behind(line: &str, folder: &Path, stdin: Stdio) -> Child {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).arg("sh").arg(env!("CARGO_BIN_EXE_esets_daemon"));
    command.arg("--config").arg(folder.join("esets.cfg"));
    command.env("NOTIFY_SOCKET", folder.join("notify"));
    command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_socket_of_the_supervisor_outlives_the_daemon_and_loses_no_client() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "num_proc = 1\n");
    let path = folder.path().join("esets.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let told = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    told.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let heard = || {
        let mut buffer = [0; 100];
        let count = told.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    for _ in 0..2 {
        // A client that comes before the daemon waits for it.
        let client = thread::spawn({
            let path = path.clone();
            move || verdict(&mut Client::connect(&path).unwrap(), "x", Content::Bytes(b"y"))
        });
        let socket = Stdio::from(OwnedFd::from(listener.try_clone().unwrap()));
        let line = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
        let mut daemon = behind(line, folder.path(), socket);
        assert_eq!(client.join().unwrap(), "x [] 1");
        assert_eq!(heard(), "READY=1");
        Command::new("kill").arg(daemon.id().to_string()).status().unwrap();
        assert!(daemon.wait().unwrap().success());
        assert_eq!(heard(), "STOPPING=1");
        assert!(path.exists());
    }
}

#[test]
fn systemd_finds_the_unit_hardened() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("esets.service");
    let mut judge = Command::new("systemd-analyze");
    // Tenths of its score, of which 10 is the worst.
    judge.args(["security", "--offline=true", "--threshold=20", "--no-pager"]).arg(unit);
    let judged = judge.output().unwrap();
    let text = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success() && text.contains("Overall exposure level"), "{text}");
}

#[test]
fn of_many_daemons_at_once_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "num_proc = 1\n");
    for _ in 0..3 {
        // As a daemon leaves it that was killed.
        let _ = fs::remove_file(folder.path().join("esets.sock"));
        drop(UnixListener::bind(folder.path().join("esets.sock")).unwrap());
        let mut rivals: Vec<Child> = (0..4).map(|_| spawn(folder.path())).collect();
        wait_until(
            || rivals.iter_mut().filter_map(|rival| rival.try_wait().unwrap()).count() == 3,
            || "too many daemons stay, or none".into(),
        );
        let mut client = Client::connect(&folder.path().join("esets.sock")).unwrap();
        assert_eq!(verdict(&mut client, "x", Content::Bytes(b"y")), "x [] 1");
        for mut rival in rivals {
            if rival.try_wait().unwrap().is_some() {
                let mut said = String::new();
                rival.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                assert!(said.contains("another daemon answers there"), "{said}");
            } else {
                rival.kill().unwrap();
                rival.wait().unwrap();
            }
        }
    }
}

#[test]
fn a_full_disk_stops_neither_answers_nor_decisions() {
    let daemon = Daemon::with("num_proc = 1\nlog_file = \"/dev/full\"\n");
    for _ in 0..50 {
        let answer = ask(&mut daemon.client(), "invoice.pdf.exe", Content::Bytes(b"x"));
        assert_eq!(answer.outcome.decision().action, Action::Reject);
    }
    if !running::is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "num_proc = 1\nav_quarantine_enabled = yes\n");
    fs::create_dir(folder.path().join("quarantine")).unwrap();
    let line = format!(
        "mount -t tmpfs -o size=16k tmpfs {0}/quarantine && exec \"$@\"",
        folder.path().display()
    );
    let line = format!("exec unshare -m sh -c '{line}' sh \"$@\"");
    let mut child = behind(&line, folder.path(), Stdio::null());
    let socket = folder.path().join("esets.sock");
    wait_until(|| Client::connect(&socket).is_ok(), String::new);
    let mut client = Client::connect(&socket).unwrap();
    let noise: Vec<u8> = (0..50_000_u32).flat_map(|n| n.wrapping_pow(3).to_le_bytes()).collect();
    let answer = ask(&mut client, "invoice.pdf.exe", Content::Bytes(&noise));
    assert_eq!(answer.outcome.decision().action, Action::Reject);
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("an object is not in quarantine: "), "{log}");
    assert!(log.contains("No space left on device"), "{log}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_the_daemon_may_not_read_or_make_is_told() {
    if !running::is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("esets_daemon");
    fs::copy(env!("CARGO_BIN_EXE_esets_daemon"), &program).unwrap();
    configure(folder.path(), "");
    let as_nobody = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command.arg("--config").arg(folder.path().join("esets.cfg"));
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let allow = |name: &str, mode| {
        fs::set_permissions(folder.path().join(name), Permissions::from_mode(mode)).unwrap();
    };
    allow("", 0o755);
    allow("esets.cfg", 0o600);
    let said = as_nobody();
    assert!(said.contains("esets.cfg: Permission denied"), "{said}");
    allow("esets.cfg", 0o644);
    let said = as_nobody();
    assert!(said.contains("esets.sock.lock: Permission denied"), "{said}");
}

#[test]
fn a_database_that_cannot_be_read_or_is_damaged_keeps_the_old_one() {
    let daemon = Daemon::start();
    running::install(daemon.folder.path(), "1", "apple");
    assert!(daemon.command("reload").status.success());
    assert!(daemon.verdict("x", b"bad-apple").contains("Test.apple"));
    fs::write(daemon.folder.path().join("em002.new"), b"no database at all").unwrap();
    fs::rename(daemon.folder.path().join("em002.new"), daemon.folder.path().join("em002.dat"))
        .unwrap();
    let refused = daemon.command("reload");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("the reload failed, all stays as it is"), "{said}");
    assert!(daemon.verdict("x", b"bad-apple").contains("Test.apple"));
}
