//! Several files at a time: each thread has a worker process, and the answers come in order.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use esets_policy::core::{Reason, Verdict};

use crate::target::Target;
use crate::worker::{Scan, Worker};

/// What came of one target.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) path: PathBuf,
    pub(crate) verdict: Verdict,
    /// The file that was scanned.
    pub(crate) about: Option<Metadata>,
    /// Why it could not be opened.
    pub(crate) problem: Option<String>,
    /// What protects the scan less than it should.
    pub(crate) notices: Vec<String>,
}

/// Scans all targets in `workers` processes and gives each answer to `each`, in the order of the
/// targets, until it breaks.
pub(crate) fn scan<T, F>(scan: &Scan<'_>, workers: usize, targets: T, mut each: F)
where
    T: Iterator<Item = Target> + Send,
    F: FnMut(Scanned) -> ControlFlow<()>,
{
    let (permits, permitted) = channel();
    let (jobs, queue) = channel();
    let (done, answers) = channel();
    let queue = Mutex::new(queue);
    for _ in 0..workers.saturating_mul(AHEAD) {
        let _ = permits.send(());
    }
    thread::scope(|scope| {
        scope.spawn(move || distribute(targets, &permitted, &jobs));
        for _ in 0..workers {
            let done = done.clone();
            let queue = &queue;
            scope.spawn(move || work(Worker::new(scan), queue, &done));
        }
        drop(done);
        let mut early = BTreeMap::new();
        let mut next = 0_u64;
        'all: for (number, answer) in answers {
            early.insert(number, answer);
            while let Some(answer) = early.remove(&next) {
                if each(answer).is_break() {
                    break 'all;
                }
                next = next.saturating_add(1);
                // The targets may be at their end already.
                let _ = permits.send(());
            }
        }
        drop(permits);
    });
}

/// The answer for a target that nobody wants to be scanned.
pub(crate) fn unscanned(target: Target) -> Scanned {
    let verdict = Verdict::not_scanned(target.path.as_os_str().as_bytes(), Reason::Cancelled);
    Scanned { path: target.path, verdict, about: None, problem: target.problem, notices: vec![] }
}

/// Numbers the targets, and waits where the answers are too far behind.
fn distribute(
    targets: impl Iterator<Item = Target>,
    permitted: &Receiver<()>,
    jobs: &Sender<(u64, Target)>,
) {
    for job in (0..).zip(targets) {
        if permitted.recv().is_err() || jobs.send(job).is_err() {
            return;
        }
    }
}

fn work(
    mut worker: Worker<'_>,
    queue: &Mutex<Receiver<(u64, Target)>>,
    done: &Sender<(u64, Scanned)>,
) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, target)) = job else { return };
        if done.send((number, answer(&mut worker, target))).is_err() {
            return;
        }
    }
}

fn answer(worker: &mut Worker<'_>, target: Target) -> Scanned {
    let name = target.path.as_os_str().as_bytes();
    let opened = match target.problem {
        Some(problem) => Err(io::Error::other(problem)),
        None if target.follow => esets_sys::open_regular(&target.path),
        None => esets_sys::open_found(&target.path),
    };
    let (verdict, about, problem) = match opened {
        Ok((file, about)) => (worker.scan(name, &file, about.len()), Some(about), None),
        Err(error) => {
            let problem = error.to_string();
            let reason = Reason::Fault(problem.clone().into());
            (Verdict::not_scanned(name, reason), None, Some(problem))
        }
    };
    Scanned { path: target.path, verdict, about, problem, notices: worker.take_notices() }
}

/// Targets on their way for each worker.
const AHEAD: usize = 32;
