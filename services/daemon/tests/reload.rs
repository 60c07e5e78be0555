//! New configurations and databases while the daemon answers, and its end.

mod running;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use esets_client::{Command, Content, Reply};
use running::{Daemon, install, request, verdict};

#[test]
fn fifty_reloads_under_load_lose_nothing() {
    let daemon = Daemon::start();
    let done = AtomicBool::new(false);
    let answers = AtomicU64::new(0);
    let longest = AtomicU64::new(0);
    install(daemon.folder.path(), "0", "always");
    daemon.client().control(Command::Reload).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (daemon, done, answers, longest) = (&daemon, &done, &answers, &longest);
            scope.spawn(move || {
                let mut client = daemon.client();
                let mut number = 0_u64;
                while !done.load(Ordering::Relaxed) {
                    number += 1;
                    let content = format!("{thread}-{number} bad-always");
                    let begun = Instant::now();
                    let text = verdict(&mut client, "x", Content::Bytes(content.as_bytes()));
                    let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
                    longest.fetch_max(took, Ordering::Relaxed);
                    assert_eq!(text, format!("x [] {} !Test.always", content.len()));
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for number in 1..=50 {
            install(daemon.folder.path(), &number.to_string(), "always");
            let text = daemon.client().control(Command::Reload).unwrap();
            assert!(text.contains(&format!("\"{number}\"")), "{text}");
        }
        done.store(true, Ordering::Relaxed);
    });
    eprintln!("{answers:?} answers during 50 reloads, the longest took {longest:?} ms");
    assert!(answers.load(Ordering::Relaxed) > 50);
    assert_eq!(daemon.status("workers lost"), "0");
    assert_eq!(daemon.status("reloads"), "51");
    running::wait_until(|| daemon.workers().len() == 2, || daemon.status("worker processes"));
}

#[test]
fn a_new_database_finds_what_the_old_one_called_clean() {
    let daemon = Daemon::start();
    assert_eq!(daemon.verdict("x", b"bad-news"), "x [] 8");
    install(daemon.folder.path(), "1", "news");
    daemon.signal("HUP");
    daemon.wait_for_log("configuration and database are loaded, database version \\u{22}1\\u{22}");
    assert_eq!(daemon.verdict("x", b"bad-news"), "x [] 8 !Test.news");
}

#[test]
fn a_mistake_leaves_everything_as_it_is() {
    let daemon = Daemon::start();
    daemon.configure("num_proc = 2\nacton_av = \"scan\"\n");
    let output = daemon.command("reload");
    assert!(!output.status.success());
    daemon.configure("num_proc = 2\n");
    fs::write(daemon.folder.path().join("em002.dat"), "no database").unwrap();
    let output = daemon.command("reload");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the reload failed, all stays as it is"), "{said}");
    assert_eq!(daemon.verdict("x", b"y"), "x [] 1");
}

#[test]
fn a_scan_that_was_begun_is_answered_before_the_daemon_ends() {
    let mut daemon = Daemon::start();
    let mut idle = daemon.client();
    let mut client = daemon.client();
    client.start(&request("fault-slow"), Content::Bytes(b"x")).unwrap();
    thread::sleep(Duration::from_millis(100));
    daemon.signal("TERM");
    let Reply::Answer(answer) = client.wait().unwrap() else { unreachable!("no answer") };
    assert_eq!(answer.outcome.verdict.unwrap().to_string(), "fault-slow [] 1\n");
    assert!(idle.wait().is_err());
    assert!(daemon.child.wait().unwrap().success());
    daemon.wait_for_log("info: the daemon stops");
}

#[test]
fn usr1_opens_a_rotated_log_anew_and_tells_the_state() {
    let daemon = Daemon::start();
    let log = daemon.folder.path().join("log");
    fs::rename(&log, daemon.folder.path().join("log.1")).unwrap();
    daemon.signal("USR1");
    daemon.wait_for_log("info: protections missing: ");
}

#[test]
fn stop_is_a_command_too() {
    let mut daemon = Daemon::start();
    assert!(daemon.command("stop").status.success());
    assert!(daemon.child.wait().unwrap().success());
}
