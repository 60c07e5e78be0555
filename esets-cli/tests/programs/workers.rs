//! A scan that crashes, hangs or eats memory costs one object. Release builds have no way to make
//! one do so.
#![cfg(debug_assertions)]

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Ended, Folder, SUSPICIOUS};

#[test]
fn a_crash_is_an_answer_and_the_next_file_is_scanned() {
    for (fault, signal) in
        [("segfault", "11, SIGSEGV"), ("abort", "6, SIGABRT"), ("overflow", "6, SIGABRT")]
    {
        costs_itself_only(fault, &format!("the scan crashed (signal {signal}"));
    }
}

#[test]
fn memory_without_end_is_an_answer() {
    costs_itself_only(
        "allocate",
        "the scan crashed (signal 6, SIGABRT, as when memory is used up)",
    );
}

#[test]
fn an_endless_loop_is_an_answer_in_time() {
    let folder = Folder::new();
    folder.file("1.hang", "x");
    folder.file("2", "x");
    let started = Instant::now();
    let mut scan = folder.command(env!("CARGO_BIN_EXE_esets_scan"));
    let ended = run(scan.args(["--scan-timeout=1", "--jobs=1", "--log-all", "."]));
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(ended.code, 10);
    assert!(ended.results()[0].contains("the scan gave no answer in"), "{}", ended.out);
    assert_eq!(ended.results()[1], "name=\"./2\", threat=\"is OK\", action=\"\", info=\"\"");
}

#[test]
fn a_fault_defers_unless_something_was_found() {
    let folder = Folder::new();
    folder.file("1.segfault", "x");
    folder.file("2", "x");
    let cli = || folder.command(env!("CARGO_BIN_EXE_esets_cli"));
    let ended = run(cli().args(["--subdir", "."]));
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.out.starts_with("./1.segfault: action=\"deferred\"\n./1.segfault: virus=\"\"\n"));
    assert!(ended.err.contains("./1.segfault: error reading archive - fault: the scan crashed"));
    folder.file(SUSPICIOUS, "x");
    assert_eq!(run(cli().args(["--subdir", "."])).code, 3);
}

#[test]
fn a_worker_reaches_nothing_but_what_it_is_given() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = Folder::new();
    folder.file("1.escape", "x");
    let ended = run(folder.command(env!("CARGO_BIN_EXE_esets_scan")).args(["--log-all", "."]));
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
}

#[test]
fn a_worker_that_nobody_wants_ends() {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_esets_cli"));
    worker.arg("--scan-worker").stdin(std::process::Stdio::null());
    assert_eq!(worker.status().unwrap().code(), Some(100));
}

fn costs_itself_only(fault: &str, message: &str) {
    let folder = Folder::new();
    folder.file("1", "x");
    folder.file(format!("2.{fault}"), "x");
    folder.file("3", "x");
    let mut scan = folder.command(env!("CARGO_BIN_EXE_esets_scan"));
    let ended = run(scan.args(["--jobs=1", "--log-all", "."]));
    assert_eq!(ended.code, 10, "{}", ended.out);
    let [one, two, three] = ended.results()[..] else { panic!("{}", ended.out) };
    assert_eq!(one, "name=\"./1\", threat=\"is OK\", action=\"\", info=\"\"");
    assert!(two.contains(message), "{two}");
    assert_eq!(three, "name=\"./3\", threat=\"is OK\", action=\"\", info=\"\"");
}

fn run(command: &mut Command) -> Ended {
    command.env("ESETS_TEST_FAULTS", "1").output().unwrap().into()
}
