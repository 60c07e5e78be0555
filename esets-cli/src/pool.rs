//! Several files at a time: each thread has an engine of its own, and the answers come in order.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use esets_policy::Disposition;
use esets_policy::core::{Reason, Verdict};

use crate::target::Target;
use crate::worker::Scan;

/// What came of one target.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) path: PathBuf,
    /// As [`Target::follow`].
    pub(crate) follow: bool,
    pub(crate) verdict: Verdict,
    /// What happens to it, if whoever scanned it decided that too.
    pub(crate) dispositions: Option<Vec<Disposition>>,
    /// Why the engine has no answer, of the kind that another engine may have.
    pub(crate) unanswered: Option<String>,
    /// The file that was scanned.
    pub(crate) about: Option<Metadata>,
    /// Why it could not be opened.
    pub(crate) problem: Option<String>,
    /// What protects the scan less than it should.
    pub(crate) notices: Vec<String>,
}

/// What an engine says of one open file.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) verdict: Verdict,
    pub(crate) dispositions: Option<Vec<Disposition>>,
    pub(crate) unanswered: Option<String>,
    pub(crate) notices: Vec<String>,
}

/// Scans all targets with `workers` engines at a time, which get a name, an open file and its
/// size, and gives each answer to `each`, in the order of the targets, until it breaks.
pub(crate) fn scan<M, E, T, F>(engine: M, workers: usize, targets: T, mut each: F)
where
    M: Fn() -> E + Sync,
    E: FnMut(&[u8], &File, u64) -> Looked,
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
            let (engine, queue) = (&engine, &queue);
            scope.spawn(move || work(engine(), queue, &done));
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

/// Scans one file, in a worker of its own.
///
/// # Errors
/// Why it could not be opened.
pub(crate) fn scan_one(with: &Scan<'_>, file: &Path) -> Result<Scanned, String> {
    let target = Target { path: file.into(), follow: true, problem: None };
    let scanned = answer(&mut with.engines()(), target);
    scanned.problem.clone().map_or(Ok(scanned), Err)
}

/// The answer for a target that nobody wants to be scanned.
pub(crate) fn unscanned(target: Target) -> Scanned {
    let verdict = Verdict::not_scanned(target.path.as_os_str().as_bytes(), Reason::Cancelled);
    Scanned {
        path: target.path,
        follow: target.follow,
        verdict,
        dispositions: None,
        unanswered: None,
        about: None,
        problem: target.problem,
        notices: Vec::new(),
    }
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
    mut engine: impl FnMut(&[u8], &File, u64) -> Looked,
    queue: &Mutex<Receiver<(u64, Target)>>,
    done: &Sender<(u64, Scanned)>,
) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, target)) = job else { return };
        if done.send((number, answer(&mut engine, target))).is_err() {
            return;
        }
    }
}

fn answer(engine: &mut impl FnMut(&[u8], &File, u64) -> Looked, target: Target) -> Scanned {
    let Target { path, follow, problem } = target;
    let name = path.as_os_str().as_bytes();
    let opened = match problem {
        Some(problem) => Err(io::Error::other(problem)),
        None if follow => esets_sys::open_regular(&path),
        None => esets_sys::open_found(&path),
    };
    match opened {
        Ok((file, about)) => {
            let Looked { verdict, dispositions, unanswered, notices } =
                engine(name, &file, about.len());
            let about = Some(about);
            let problem = None;
            Scanned { path, follow, verdict, dispositions, unanswered, about, problem, notices }
        }
        Err(error) => {
            let problem = error.to_string();
            let verdict = Verdict::not_scanned(name, Reason::Fault(problem.clone().into()));
            Scanned { verdict, ..unscanned(Target { path, follow, problem: Some(problem) }) }
        }
    }
}

/// Targets on their way for each worker.
const AHEAD: usize = 32;
