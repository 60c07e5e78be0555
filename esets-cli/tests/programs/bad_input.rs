//! What cannot be scanned: a clear message, the right exit code, and the rest is scanned.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::harness::{Ended, Folder, SUSPICIOUS};

#[test]
fn without_paths_the_usage_is_wrong() {
    let folder = Folder::new();
    for ended in [folder.scan(&[]), folder.cli(&[]), folder.cli(&["--no-such-option", "x"])] {
        assert_eq!((ended.code, ended.out.as_str()), (100, ""));
        assert!(ended.err.contains("Usage"), "{}", ended.err);
    }
}

#[test]
fn a_path_that_does_not_exist_costs_itself_only() {
    let folder = Folder::new();
    folder.file(SUSPICIOUS, "x");
    folder.file("clean", "x");
    is_told(&folder, "missing", "missing: No such file or directory");
    let ended = folder.cli(&["missing", SUSPICIOUS]);
    assert_eq!(ended.code, 3, "a threat is not hidden by a failure beside it");
    assert_eq!(folder.scan(&["missing", SUSPICIOUS]).code, 50);
}

#[test]
fn a_named_pipe_is_not_opened() {
    let folder = Folder::new();
    folder.file("clean", "x");
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    is_told(&folder, "pipe", "pipe: is a named pipe, not a file");
    // Also where nobody named it.
    let ended = folder.cli(&["--subdir", "."]);
    assert_eq!(ended.code, 100);
    assert!(ended.out.contains("./clean: action=\"accepted\""), "{}", ended.out);
}

#[test]
fn sockets_and_devices_are_not_opened() {
    let folder = Folder::new();
    folder.file("clean", "x");
    let _listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    is_told(&folder, "socket", "socket: is a socket, not a file");
    is_told(&folder, "/dev/zero", "/dev/zero: is a device, not a file");
}

#[test]
fn a_link_in_a_circle_is_told() {
    let folder = Folder::new();
    folder.file("clean", "x");
    symlink("circle", folder.path().join("circle")).unwrap();
    is_told(&folder, "circle", "circle: Too many levels of symbolic links");
}

#[test]
fn folders_in_a_circle_are_walked_once() {
    let folder = Folder::new();
    folder.file("deep/clean", "x");
    symlink("..", folder.path().join("deep/up")).unwrap();
    let ended = folder.scan(&["--log-all", "."]);
    assert_eq!(ended.code, 10);
    assert!(ended.err.contains("./deep/up: is a symbolic link in a circle"), "{}", ended.err);
    assert!(ended.out.contains("name=\"./deep/clean\", threat=\"is OK\""), "{}", ended.out);
    // A mail server's folder is hostile: links are not followed there at all.
    let ended = folder.cli(&["--subdir", "."]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert_eq!(folder.scan(&["--no-symlink", "."]).code, 0);
}

#[test]
fn an_unreadable_file_is_told() {
    let folder = Folder::new();
    folder.file("clean", "x");
    let secret = folder.file("secret", "x");
    fs::set_permissions(&secret, Permissions::from_mode(0o0)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_esets_cli"), &program).unwrap();
    let mut command = folder.command(program.to_str().unwrap());
    command.args(["secret", "clean"]);
    if fs::read(secret).is_ok() {
        // Nothing is unreadable for root.
        command.uid(NOBODY).gid(NOBODY);
    }
    let ended = Ended::from(command.output().unwrap());
    assert_eq!(ended.code, 100);
    assert_eq!(ended.err, "esets_cli: secret: Permission denied (os error 13)\n");
    assert_eq!(ended.out, "clean: action=\"accepted\"\nclean: virus=\"\"\n");
}

#[test]
fn a_file_that_fails_while_it_is_read_is_deferred() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = Folder::new();
    folder.file("clean", "x");
    let ended = folder.cli(&["/proc/self/mem", "clean"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("fault: cannot read all of the file"), "{}", ended.err);
    assert!(ended.out.contains("clean: action=\"accepted\"\n"), "{}", ended.out);
}

#[test]
fn a_folder_is_scanned_only_if_asked_for() {
    let folder = Folder::new();
    folder.file("folder/clean", "x");
    let ended = folder.cli(&["folder"]);
    assert_eq!((ended.code, ended.out.as_str()), (100, ""));
    assert_eq!(ended.err, "esets_cli: folder: is a directory; --subdir scans what is in it\n");
    assert_eq!(folder.cli(&["--subdir", "folder"]).code, 0);
    assert_eq!(folder.scan(&["folder"]).code, 0);
    assert_eq!(folder.scan(&["--no-subdir", "folder"]).code, 10);
}

#[test]
fn a_file_that_is_too_long_is_scanned_up_to_the_limit() {
    let folder = Folder::new();
    folder.file("long", vec![b'x'; 4097]);
    folder.file("fits", vec![b'x'; 4096]);
    let ended = folder.scan(&["--max-object-size=4k", "."]);
    assert_eq!(ended.code, 10);
    let line = "name=\"./long\", threat=\"\", action=\"\", \
                info=\"error reading archive - limit reached: ObjectSize\"";
    assert_eq!(ended.results(), [line]);
}

#[test]
fn every_mistake_in_a_configuration_is_told() {
    let folder = Folder::new();
    folder.file("clean", "x");
    folder.file("esets.cfg", "[global]\nacton_av = \"scan\"\n[smpt]\naction_av = \"maybe\"\n");
    let ended = folder.cli(&["--config", "esets.cfg", "clean"]);
    assert_eq!((ended.code, ended.out.as_str()), (100, ""));
    for line in ["esets.cfg:2: unknown key", "esets.cfg:3: unknown section"] {
        assert!(ended.err.contains(line), "{}", ended.err);
    }
    let checked = folder.esets(&["config", "check", "esets.cfg"]);
    assert_eq!(checked.code, 1);
    assert_eq!(checked.err.lines().count(), ended.err.lines().count());
    assert_eq!(folder.cli(&["--config", "missing.cfg", "clean"]).code, 100);
}

#[test]
fn the_policy_decides_what_happens() {
    let folder = Folder::new();
    folder.file(SUSPICIOUS, "x");
    folder.file("clean", "x");
    let decided = |config: &str| {
        folder.file("esets.cfg", config);
        folder.cli(&["--config=esets.cfg", "clean", SUSPICIOUS])
    };
    assert_eq!(decided("").code, 3);
    assert_eq!(decided("[cli]\naction_av_infected = \"discard\"\n").code, 2);
    assert_eq!(decided("[global]\naction_av_infected = \"defer\"\n").code, 1);
    let accepted = decided("[cli]\naction_av_infected = \"accept\"\n");
    assert_eq!(accepted.code, 0);
    assert!(accepted.out.contains("virus=\"Heur.DoubleExtension\""), "{}", accepted.out);
    let unscanned = decided("[cli]\naction_av = \"accept\"\n");
    assert_eq!(unscanned.code, 0);
    assert_eq!(unscanned.out.matches("virus=\"\"").count(), 2, "{}", unscanned.out);
    assert_eq!(decided("[cli]\naction_av = \"defer\"\n").code, 1);
}

#[test]
fn the_policy_explains_itself() {
    let folder = Folder::new();
    folder.file(SUSPICIOUS, "x");
    folder.file("esets.cfg", "[smtp]\naction_av_infected = \"discard\"\n");
    let arguments = ["policy", "explain", "--config=esets.cfg", "--recipient=a@b.c"];
    let ended = folder.esets(&[&arguments[..], &[SUSPICIOUS]].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("esets.cfg:2"), "{}", ended.out);
    assert!(ended.out.ends_with("\naction: discard\n"), "{}", ended.out);
    let ended = folder.esets(&[&arguments[..], &["--agent=pipe", SUSPICIOUS]].concat());
    assert!(ended.out.ends_with("\naction: reject\n"), "{}", ended.out);
    assert_eq!(folder.esets(&[&arguments[..], &["missing"]].concat()).code, 100);
}

/// Both programs tell about `path`, end as they should, and scan the file `clean` all the same.
fn is_told(folder: &Folder, path: &str, message: &str) {
    let Ended { code, out, err } = folder.cli(&[path, "clean"]);
    assert_eq!(code, 100, "{out}{err}");
    assert!(err.starts_with(&format!("esets_cli: {message}")), "{err}");
    assert_eq!(out, "clean: action=\"accepted\"\nclean: virus=\"\"\n");
    let scanned = folder.scan(&["--log-all", path, "clean"]);
    assert_eq!(scanned.code, 10);
    assert!(scanned.err.contains(message), "{}", scanned.err);
    let results = scanned.results();
    assert!(results[0].starts_with(&format!("name=\"{path}\", threat=\"\"")), "{results:?}");
    assert!(results[0].contains("info=\"error reading archive - "), "{results:?}");
    assert_eq!(results[1], "name=\"clean\", threat=\"is OK\", action=\"\", info=\"\"");
}

const NOBODY: u32 = 65_534;
