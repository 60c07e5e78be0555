//! The program's side: starts workers, gives them files, and answers for those that do not.

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use esets_policy::core::{Reason, Verdict};

use super::{ARGUMENT, Job, Ready, Rules, Scan, frame};
use crate::pool::Looked;

/// A worker process, started when it is first needed and again when it is gone.
#[derive(Debug)]
pub(crate) struct Worker<'s> {
    scan: &'s Scan<'s>,
    process: Option<Process>,
    notices: Vec<String>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    socket: UnixStream,
    /// Wall-clock time that its scans took, never less than its processor time.
    spent: Duration,
}

impl<'s> Worker<'s> {
    pub(crate) fn new(scan: &'s Scan<'s>) -> Self {
        Self { scan, process: None, notices: Vec::new() }
    }

    /// Scans an open file. This never fails: a worker that crashes, hangs or does not even start
    /// is a fault in the verdict.
    fn scan(&mut self, name: &[u8], file: &File, size: u64) -> Verdict {
        let job = Job { name: name.to_vec(), size };
        self.attempt(&job, file).unwrap_or_else(|fault| {
            self.process = None;
            Verdict::not_scanned(name, Reason::Fault(fault.into()))
        })
    }

    /// The same as an engine of a pool.
    pub(crate) fn look(&mut self, name: &[u8], file: &File, size: u64) -> Looked {
        let verdict = self.scan(name, file, size);
        let notices = mem::take(&mut self.notices);
        Looked { verdict, dispositions: None, unanswered: None, notices }
    }

    fn attempt(&mut self, job: &Job, file: &File) -> Result<Verdict, String> {
        let started = Instant::now();
        let seconds = self.scan.setup.seconds;
        let deadline = seconds.and_then(|seconds| started.checked_add(patience(seconds)));
        let process = self.hand_over(job, file)?;
        let answer = frame::receive::<Verdict>(&process.socket, LONGEST_ANSWER, deadline);
        let verdict = match answer {
            Ok(Some((verdict, _))) => verdict,
            Ok(None) => return Err(process.epitaph()),
            Err(error) if is_hangup(&error) => return Err(process.epitaph()),
            Err(error) if is_timeout(&error) => {
                return Err(format!(
                    "the scan gave no answer in {} s",
                    started.elapsed().as_secs()
                ));
            }
            Err(error) => return Err(format!("the scan answered wrongly: {error}")),
        };
        process.spent = process.spent.saturating_add(started.elapsed());
        if seconds.is_some_and(|seconds| process.spent > Duration::from_secs(seconds)) {
            // Before the limit of processor time, which counts all its scans, ends it.
            self.process = None;
        }
        Ok(verdict)
    }

    /// Gives the job to the process; one that died while it had nothing to do is replaced.
    fn hand_over(&mut self, job: &Job, file: &File) -> Result<&mut Process, String> {
        let idle = self.process.take();
        let alive = idle.filter(|process| frame::send(&process.socket, job, Some(file)).is_ok());
        let process = match alive {
            Some(process) => process,
            None => {
                let process = self.start()?;
                let sent = frame::send(&process.socket, job, Some(file));
                sent.map_err(|error| format!("the scan cannot be started: {error}"))?;
                process
            }
        };
        Ok(self.process.insert(process))
    }

    fn start(&mut self) -> Result<Process, String> {
        let failed = |error| format!("the scan cannot be started: {error}");
        let mut process = spawn().map_err(failed)?;
        let setup = &self.scan.setup;
        frame::send(&process.socket, setup, self.scan.database).map_err(failed)?;
        let rules = self.scan.rules;
        frame::send(&process.socket, &Rules(rules.is_some()), rules).map_err(failed)?;
        let deadline = Instant::now().checked_add(START);
        match frame::receive::<Ready>(&process.socket, LONGEST_START, deadline) {
            Ok(Some((ready, _))) => self.notices.extend(ready.refused),
            Ok(None) => return Err(process.epitaph()),
            Err(error) => return Err(failed(error)),
        }
        Ok(process)
    }
}

impl Process {
    /// How it ended; it hung up, so it is about to end.
    fn epitaph(&mut self) -> String {
        for _ in 0..LAST_GASPS {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(LAST_GASP),
                Ok(Some(status)) => return describe(status),
                Err(error) => return error.to_string(),
            }
        }
        "the scan hung up".into()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn() -> io::Result<Process> {
    let (socket, other) = UnixStream::pair()?;
    let mut command = Command::new(esets_sys::own_program()?);
    command.arg(ARGUMENT).env_clear().stdin(OwnedFd::from(other));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(debug_assertions)]
    command.envs(std::env::var_os(super::FAULTS).map(|value| (super::FAULTS, value)));
    Ok(Process { child: command.spawn()?, socket, spent: Duration::ZERO })
}

fn describe(status: ExitStatus) -> String {
    let Some(number) = status.signal() else {
        return format!("the scan ended by itself ({status})");
    };
    let name = SIGNALS.iter().find(|(signal, _)| *signal == number).map_or("", |(_, name)| name);
    format!("the scan crashed (signal {number}{name})")
}

/// How long the program waits for an answer: the worker's own clock comes first.
fn patience(seconds: u64) -> Duration {
    let grace = (seconds / 8).saturating_add(1);
    Duration::from_secs(seconds.saturating_add(grace))
}

fn is_hangup(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

const START: Duration = Duration::from_secs(30);
const LAST_GASP: Duration = Duration::from_millis(2);
const LAST_GASPS: usize = 500;
const LONGEST_START: u32 = 64 << 10;
const LONGEST_ANSWER: u32 = 256 << 20;
/// Those that have the same number on every system.
const SIGNALS: &[(i32, &str)] = &[
    (4, ", SIGILL"),
    (6, ", SIGABRT, as when memory is used up"),
    (8, ", SIGFPE"),
    (9, ", SIGKILL, as when memory is used up"),
    (11, ", SIGSEGV"),
];
