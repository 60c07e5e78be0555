//! Workers that crash, hang, want all memory or are killed: each costs one object at most.

mod running;

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use esets_client::Content;
use esets_policy::Action;
use running::{Daemon, ask, verdict, wait_until};

#[test]
fn a_crash_costs_its_object_and_the_same_object_is_not_tried_again() {
    let daemon = Daemon::with("num_proc = 1\n");
    let crashed = daemon.verdict("fault-crash", b"killer");
    assert!(crashed.contains("?fault: the scan ended, signal: 11 (SIGSEGV)"), "{crashed}");
    assert_eq!(daemon.verdict("next", b"harmless"), "next [] 8");
    let started = daemon.status("workers lost");
    // Whatever it is called: the content is what is remembered.
    assert!(daemon.verdict("another", b"killer").contains("SIGSEGV"));
    assert_eq!(daemon.status("workers lost"), started);
    let answer = ask(&mut daemon.client(), "fault-crash", Content::Bytes(b"killer"));
    assert_eq!(answer.outcome.decision().action, Action::Defer);
}

#[test]
fn a_process_that_ends_by_itself_is_a_fault() {
    let daemon = Daemon::with("num_proc = 1\n");
    let ended = daemon.verdict("fault-exit", b"x");
    assert_eq!(ended, "fault-exit [] 0 ?fault: the scan ended, exit status: 7");
    assert_eq!(daemon.verdict("next", b"y"), "next [] 1");
}

#[test]
fn memory_without_end_is_the_limit_of_memory() {
    let daemon = Daemon::with("num_proc = 1\nav_limit_memory = 64M\nav_limit_object_size = 64M\n");
    let ended = daemon.verdict("fault-memory", b"x");
    assert_eq!(ended, "fault-memory [] 0 ?limit reached: Memory");
    assert_eq!(daemon.verdict("next", b"y"), "next [] 1");
}

#[test]
fn an_endless_loop_is_the_limit_of_time() {
    let daemon = Daemon::with("num_proc = 1\nav_limit_time = 1\n");
    let begun = Instant::now();
    assert_eq!(daemon.verdict("fault-hang", b"x"), "fault-hang [] 0 ?limit reached: Time");
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert_eq!(daemon.verdict("next", b"y"), "next [] 1");
}

#[test]
fn the_other_threads_of_a_process_that_crashes_are_tried_again() {
    let daemon = Daemon::with("num_proc = 1\nnum_thrd = 4\n");
    let mut clients: Vec<_> = (0..4).map(|_| daemon.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let name = if number == 3 { "fault-crash" } else { "fault-slow" };
        let content = [u8::try_from(number).unwrap()];
        client.start(&running::request(name), Content::Bytes(&content)).unwrap();
        thread::sleep(Duration::from_millis(20));
    }
    let texts = clients.iter_mut().map(|client| match client.wait().unwrap() {
        esets_client::Reply::Answer(answer) => answer.outcome.verdict.unwrap().to_string(),
        other => format!("{other:?}"),
    });
    let texts: Vec<_> = texts.collect();
    assert!(texts[..3].iter().all(|text| text == "fault-slow [] 1\n"), "{texts:?}");
    assert!(texts[3].contains("SIGSEGV"), "{texts:?}");
}

#[test]
fn workers_killed_under_load_lose_no_answer_and_give_no_wrong_one() {
    let daemon = Daemon::start();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let scans = (0..4).map(|thread| {
            let daemon = &daemon;
            scope.spawn(move || {
                let mut client = daemon.client();
                for number in 0..150 {
                    let content = format!("{thread}-{number}");
                    let text =
                        verdict(&mut client, "a.pdf.exe", Content::Bytes(content.as_bytes()));
                    let expected = format!("a.pdf.exe [] {} !Heur.DoubleExtension", content.len());
                    // Killed twice, an object is a fault; it is never clean.
                    assert!(text == expected || text.contains("SIGKILL"), "{text}");
                }
            })
        });
        let scans: Vec<_> = scans.collect();
        let killer = scope.spawn(|| {
            let mut kills = 0;
            while !done.load(Ordering::Relaxed) {
                for pid in daemon.workers() {
                    let _ = Command::new("kill").args(["-9", &pid.to_string()]).output();
                    kills += 1;
                }
                thread::sleep(Duration::from_millis(20));
            }
            kills
        });
        scans.into_iter().for_each(|scan| scan.join().unwrap());
        done.store(true, Ordering::Relaxed);
        assert!(killer.join().unwrap() > 3);
    });
}

#[test]
fn a_client_that_goes_away_frees_its_worker() {
    let daemon = Daemon::with("num_proc = 1\n");
    let mut client = daemon.client();
    client.start(&running::request("fault-hang"), Content::Bytes(b"x")).unwrap();
    thread::sleep(Duration::from_millis(200));
    drop(client);
    let begun = Instant::now();
    assert_eq!(daemon.verdict("next", b"y"), "next [] 1");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[test]
fn workers_are_confined() {
    let daemon = Daemon::start();
    assert_eq!(daemon.verdict("x", b"y"), "x [] 1");
    // The daemon answers as soon as one of them is ready.
    wait_until(|| daemon.workers().len() == 2, || daemon.log());
    for pid in daemon.workers() {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let status = read("status");
        let has = |line: &str| assert!(status.contains(line), "no {line:?} in {status}");
        has("\nNoNewPrivs:\t1\n");
        has("\nSeccomp:\t2\n");
        let limits = read("limits");
        let limit = |name: &str| {
            let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().rev().nth(1).unwrap().to_owned()
        };
        assert_ne!(limit("Max address space"), "unlimited");
        assert_ne!(limit("Max cpu time"), "unlimited");
        assert_eq!(limit("Max core file size"), "0");
        assert_eq!(limit("Max file size"), "0");
        for (name, number) in fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .flatten()
            .map(|fd| (fs::read_link(fd.path()).unwrap(), fd.file_name()))
        {
            let name = name.to_string_lossy().into_owned();
            let is_needed =
                ["socket:", "pipe:", "/dev/null"].iter().any(|kind| name.starts_with(kind));
            assert!(is_needed || name.ends_with("em002.dat"), "{number:?} is {name}");
        }
        if fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t0") {
            has("\nUid:\t65534\t65534\t65534\t65534\n");
            has("\nGroups:\t \n");
            has("\nCapEff:\t0000000000000000\n");
            let here = fs::read_link("/proc/self/ns/net").unwrap();
            assert_ne!(fs::read_link(format!("/proc/{pid}/ns/net")).unwrap(), here);
        }
    }
    // On a system that has all of them, none may be missing; on others the log says so.
    let missing = daemon.status("protections missing");
    if missing != "none" {
        daemon.wait_for_log("the system refuses workers a protection");
    }
}

#[test]
fn workers_end_with_the_daemon() {
    let mut daemon = Daemon::start();
    let workers = daemon.workers();
    daemon.child.kill().unwrap();
    daemon.child.wait().unwrap();
    let alive = || {
        workers.iter().any(|pid| {
            fs::read_to_string(format!("/proc/{pid}/status"))
                .is_ok_and(|text| !text.contains("State:\tZ"))
        })
    };
    wait_until(|| !alive(), || format!("{workers:?}"));
}
