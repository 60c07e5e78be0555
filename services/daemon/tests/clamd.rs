//! The clamd agent, spoken to as its clients do.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod running;

use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use running::{Daemon, install, wait_until};

/// A daemon with the agent on a Unix socket and a port, and a database that finds `bad-apple`.
fn start(more: &str) -> (Daemon, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    running::configure(folder.path(), "");
    let socket = folder.path().join("clamd.sock");
    let daemon = Daemon::with(&format!(
        "num_proc = 2\n[clamd]\nagent_enabled = yes\nlisten_port = {port}\n\
         listen_addr = \"127.0.0.1\"\nclamd_sock_path = \"{}\"\n{more}",
        socket.display()
    ));
    install(daemon.folder.path(), "1", "apple");
    assert!(daemon.command("reload").status.success());
    daemon.wait_for_log("the agent clamd serves");
    // The folder of the socket stays as long as the test runs.
    std::mem::forget(folder);
    (daemon, port)
}

fn socket(daemon: &Daemon) -> UnixStream {
    let text = fs::read_to_string(daemon.folder.path().join("esets.cfg")).unwrap();
    let line = text.lines().find(|line| line.starts_with("clamd_sock_path")).unwrap();
    UnixStream::connect(line.split('"').nth(1).unwrap()).unwrap()
}

fn say(daemon: &Daemon, bytes: &[u8]) -> String {
    let mut stream = socket(daemon);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said.replace('\0', "|")
}

fn stream(content: &[u8]) -> Vec<u8> {
    let mut bytes = b"zINSTREAM\0".to_vec();
    for piece in content.chunks(5) {
        bytes.extend(u32::try_from(piece.len()).unwrap().to_be_bytes());
        bytes.extend(piece);
    }
    bytes.extend([0; 4]);
    bytes
}

#[test]
fn commands_are_answered_as_by_clamd() {
    let (daemon, port) = start("");
    assert_eq!(say(&daemon, b"zPING\0"), "PONG|");
    assert_eq!(say(&daemon, b"nPING\n"), "PONG\n");
    assert_eq!(say(&daemon, b"PING\n"), "PONG\n");
    assert!(say(&daemon, b"zVERSION\0").starts_with("ESETS 0."));
    assert!(say(&daemon, b"zVERSIONCOMMANDS\0").contains("| COMMANDS: "));
    assert!(say(&daemon, b"zSTATS\0").ends_with("END|"));
    assert_eq!(say(&daemon, b"zBOGUS\0"), "UNKNOWN COMMAND|");
    assert_eq!(say(&daemon, b"zSHUTDOWN\0"), "this command is refused here ERROR|");
    assert_eq!(say(&daemon, &stream(b"harmless")), "stream: OK|");
    assert_eq!(say(&daemon, &stream(b"a bad-apple here")), "stream: Test.apple FOUND|");
    let session =
        [b"zIDSESSION\0zPING\0".to_vec(), stream(b"bad-apple"), stream(b""), b"zEND\0".to_vec()];
    let said = say(&daemon, &session.concat());
    assert_eq!(said, "1: PONG|2: stream: Test.apple FOUND|3: stream: OK|");
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    tcp.write_all(b"zSCAN /etc/passwd\0").unwrap();
    let mut said = String::new();
    tcp.read_to_string(&mut said).unwrap();
    assert_eq!(said, "this command is refused here ERROR\0");
}

#[test]
fn paths_are_scanned_with_the_rights_of_the_agent() {
    let (daemon, _) = start("");
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().display().to_string();
    for (name, content) in [("a", "harmless"), ("b", "bad-apple 1"), ("c", "bad-apple 2")] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("link")).unwrap();
    let ask = |command: &str, below: &str| {
        say(&daemon, format!("z{command} {path}{below}\0").as_bytes()).replace(&path, "")
    };
    assert_eq!(ask("SCAN", "/a"), "/a: OK|");
    assert_eq!(ask("SCAN", ""), "/b: Test.apple FOUND|");
    assert_eq!(ask("CONTSCAN", ""), "/b: Test.apple FOUND|/c: Test.apple FOUND|");
    assert_eq!(ask("MULTISCAN", ""), "/b: Test.apple FOUND|/c: Test.apple FOUND|");
    assert_eq!(ask("ALLMATCHSCAN", "/b"), "/b: Test.apple FOUND|");
    assert!(ask("SCAN", "/none").ends_with("No such file or directory (os error 2) ERROR|"));
    assert_eq!(say(&daemon, b"zSCAN /dev/zero\0"), "/dev/zero: is a device, not a file ERROR|");
    fs::set_permissions(folder.path().join("a"), Permissions::from_mode(0o600)).unwrap();
    if fs::metadata("/proc/self/status").is_ok() && nobody_is_not_me() {
        assert!(ask("SCAN", "/a").ends_with("Permission denied (os error 13) ERROR|"));
    }
}

fn nobody_is_not_me() -> bool {
    fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t0")
}

#[test]
fn descriptors_are_scanned_and_refused_if_they_are_no_files() {
    let (daemon, _) = start("");
    let path = daemon.folder.path().join("private");
    fs::write(&path, "bad-apple").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let ask = |path: &std::path::Path| {
        let mut stream = socket(&daemon);
        stream.write_all(b"zFILDES\0").unwrap();
        esets_sys::send(&stream, b"\0", Some(&File::open(path).unwrap())).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(ask(&path), "Test.apple FOUND\0");
    assert!(ask("/".as_ref()).ends_with("the descriptor is a directory, not a file ERROR\0"));
}

#[test]
fn what_could_not_be_scanned_is_what_the_policy_says() {
    let content = vec![b'x'; 3000];
    for (line, expected) in [
        ("", "stream: OK|"),
        ("action_av_notscanned = \"defer\"\n", "stream: limit reached: Depth ERROR|"),
        ("action_av_notscanned = \"reject\"\n", "stream: NotScanned.Limit.Depth FOUND|"),
        ("action_av = \"reject\"\n", "stream: Policy.action_av FOUND|"),
    ] {
        let (daemon, _) = start(&format!("av_limit_depth = 1\nav_limit_object_size = 64k\n{line}"));
        // A gzip file in a gzip file is deeper than allowed.
        let nested = gzip(&gzip(&content));
        assert_eq!(say(&daemon, &stream(&nested)), expected, "{line}");
    }
    let (daemon, _) = start("av_limit_object_size = 64k\n");
    let long = vec![0; (64 << 10) + 1];
    let mut bytes = b"zINSTREAM\0".to_vec();
    bytes.extend(u32::try_from(long.len()).unwrap().to_be_bytes());
    bytes.extend(long);
    assert_eq!(say(&daemon, &bytes), "INSTREAM size limit exceeded. ERROR|");
}

/// A gzip file with one stored block.
fn gzip(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(content);
    let mut crc = u32::MAX;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (0_u32.wrapping_sub(crc & 1)));
        }
    }
    bytes.extend((!crc).to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

#[test]
fn reload_is_for_users_of_this_machine() {
    let (daemon, port) = start("");
    let before = daemon.status("reloads");
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    tcp.write_all(b"zRELOAD\0").unwrap();
    let mut said = String::new();
    tcp.read_to_string(&mut said).unwrap();
    assert_eq!(said, "this command is refused here ERROR\0");
    assert_eq!(daemon.status("reloads"), before);
    assert_eq!(say(&daemon, b"zRELOAD\0"), "RELOADING|");
    wait_until(|| daemon.status("reloads") != before, || daemon.log());
}

#[test]
fn an_agent_that_dies_is_started_anew_while_its_clients_wait() {
    let (daemon, _) = start("");
    let agent = running::agents(daemon.child.id())[0];
    let status = fs::read_to_string(format!("/proc/{agent}/status")).unwrap();
    if nobody_is_not_me() {
        assert!(status.contains("\nUid:\t65534\t"), "{status}");
    }
    std::process::Command::new("kill").args(["-9", &agent.to_string()]).status().unwrap();
    // Until the last of its threads is gone it may still take a connection, and drop it.
    while fs::read_to_string(format!("/proc/{agent}/status"))
        .is_ok_and(|status| !(status.contains("State:\tZ") && status.contains("\nThreads:\t1\n")))
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(say(&daemon, &stream(b"bad-apple")), "stream: Test.apple FOUND|");
    daemon.wait_for_log("the agent clamd is started anew");
}
