//! Every example runs and prints what its readers are promised.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
fn scan_file() {
    let folder = folder("scan_file");
    fs::write(folder.join("invoice.pdf.exe"), "text").unwrap();
    fs::write(folder.join("note.txt"), "text").unwrap();
    let run = |name| run(program("scan_file").arg(name).current_dir(&folder));
    assert_eq!(run("note.txt"), (0, String::new()));
    assert_eq!(run("invoice.pdf.exe"), (50, "object 0: Heur.DoubleExtension\n".into()));
}

#[test]
fn scan_mail() {
    let folder = folder("scan_mail");
    fs::write(folder.join("mail.eml"), MAIL).unwrap();
    let mail = fs::File::open(folder.join("mail.eml")).unwrap();
    let (code, printed) = run(program("scan_mail").stdin(mail));
    let start = "subject: Invoice\npart: invoice.pdf.exe\nmail.eml [";
    assert_eq!((code, printed.get(..start.len())), (0, Some(start)), "{printed}");
}

#[test]
fn walk_tree() {
    let folder = folder("walk_tree");
    let printed = run(program("walk_tree").arg(archive(&folder)).current_dir(&folder));
    let expected = "a.tar\n  \
          10240 bytes, [\"tar\"], Clean\n\
        a.tar » invoice.pdf.exe\n  \
          4 bytes, [], Infected\n  \
          found Heur.DoubleExtension (Suspicious)\n\
        a.tar » note.txt\n  \
          4 bytes, [], Clean\n\
        3 objects, 10248 bytes\n";
    assert_eq!(printed, (0, expected.into()));
}

#[test]
fn custom_unpacker() {
    let expected = "a.box [box1] 24\n  \
          box 1 [box1] 13 ?truncated\n\
        b.box [box1] 8\n";
    assert_eq!(run(&mut program("custom_unpacker")), (0, expected.into()));
}

#[test]
fn custom_heuristic() {
    let expected = "holiday.jpg [] 5 !Heur.ProgramAsPicture\nholiday.png [] 13\n";
    assert_eq!(run(&mut program("custom_heuristic")), (0, expected.into()));
}

#[test]
fn custom_observer() {
    let folder = folder("custom_observer");
    let printed = run(program("custom_observer").arg(archive(&folder)).current_dir(&folder));
    let expected = "> a.tar, 10240 bytes\n \
          > invoice.pdf.exe, 4 bytes\n \
          < invoice.pdf.exe [] 4 !Heur.DoubleExtension\n \
          > note.txt, 4 bytes\n \
          < note.txt [] 4\n\
        < a.tar [tar] 10240\n\
        3 of 3 objects finished: Infected\n";
    assert_eq!(printed, (0, expected.into()));
}

#[test]
fn policy_decision() {
    let expected = "report.txt: accept\n  \
          accept for postmaster@example.org, bob@example.org: action_av, default\n\
        report.pdf.exe: discard\n  \
          accept for postmaster@example.org: action_av_infected in [postmaster@example.org], \
            users.cfg:3\n  \
          discard for bob@example.org: action_av_infected in [smtp], esets.cfg:3\n";
    assert_eq!(run(&mut program("policy_decision")), (0, expected.into()));
}

/// An archive of two files, made by tar(1).
fn archive(folder: &Path) -> &'static str {
    for name in ["invoice.pdf.exe", "note.txt"] {
        fs::write(folder.join(name), "text").unwrap();
    }
    let mut tar = Command::new("tar");
    tar.args(["-cf", "a.tar", "invoice.pdf.exe", "note.txt"]).current_dir(folder);
    assert!(tar.status().unwrap().success());
    "a.tar"
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn program(name: &str) -> Command {
    let path = match name {
        "custom_heuristic" => env!("CARGO_BIN_EXE_custom_heuristic"),
        "custom_observer" => env!("CARGO_BIN_EXE_custom_observer"),
        "custom_unpacker" => env!("CARGO_BIN_EXE_custom_unpacker"),
        "policy_decision" => env!("CARGO_BIN_EXE_policy_decision"),
        "scan_file" => env!("CARGO_BIN_EXE_scan_file"),
        "scan_mail" => env!("CARGO_BIN_EXE_scan_mail"),
        "walk_tree" => env!("CARGO_BIN_EXE_walk_tree"),
        _ => panic!("no such example: {name}"),
    };
    Command::new(path)
}

/// The exit code, and what was printed.
fn run(command: &mut Command) -> (i32, String) {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

const MAIL: &str = "Subject: Invoice\r\n\
    Content-Type: application/octet-stream\r\n\
    Content-Disposition: attachment; filename=\"invoice.pdf.exe\"\r\n\
    \r\n\
    text\r\n";
