//! The worker's side: confines itself, then scans one file after the other.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esets_policy::core::{
    Database, Interrupt, Interruption, Limit, Object, Reason, Record, Scanner, Session, Verdict,
};
use serde::Serialize;

use super::{Job, Ready, Rules, Setup, frame};
use crate::{exit, rules};

/// Scans for the process at the other end of standard input, until it hangs up.
pub(super) fn serve() -> ExitCode {
    // A panic is part of the verdict.
    panic::set_hook(Box::new(|_| {}));
    esets_sys::die_with_parent();
    // Nesting of objects is recursion.
    let scans = thread::Builder::new().stack_size(STACK).spawn(work);
    match scans.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::from(exit::FAILED),
    }
}

fn work() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let Some((setup, file)) = frame::receive::<Setup>(&socket, LONGEST_SETUP, None)? else {
        return Ok(());
    };
    let (database, size) = open(file)?;
    let rules = match frame::receive::<Rules>(&socket, LONGEST_JOB, None)? {
        Some((Rules(true), file)) => Some(rules::open(file.ok_or(io::ErrorKind::InvalidData)?)?),
        _ => None,
    };
    let refused = esets_sys::confine(&confinement(&setup, size));
    let refused = refused.iter().map(ToString::to_string).collect();
    frame::send(&socket, &Ready { refused }, None)?;
    let scanner = Scanner::new(database)
        .with_limits(setup.limits.clone())
        .with_options(setup.options.clone());
    let scanner = rules.into_iter().fold(scanner, Scanner::with_rules);
    while let Some((job, file)) = frame::receive::<Job>(&socket, LONGEST_JOB, None)? {
        let file = file.ok_or(io::ErrorKind::InvalidData)?;
        answer(&socket, scan(&scanner, &setup, &job, &file))?;
    }
    Ok(())
}

/// The database and its size.
fn open(file: Option<File>) -> io::Result<(Database, u64)> {
    let Some(file) = file else { return Ok((Database::embedded(), 0)) };
    let bytes = Bytes::from_owner(esets_sys::map(&file)?);
    let size = bytes.len() as u64;
    let database = Database::from_bytes(bytes).map_err(io::Error::other)?;
    Ok((database, size))
}

/// Room for the object, for what is unpacked from it and for the decoders, with much to spare:
/// this is the wall behind the scanner's own ledger.
fn confinement(setup: &Setup, database: u64) -> esets_sys::Confinement {
    let limits = &setup.limits;
    let objects = limits.memory.saturating_add(limits.object_size);
    let memory = objects.saturating_mul(2).saturating_add(database).saturating_add(SPARE);
    let seconds = setup.seconds.map(|seconds| seconds.saturating_mul(3).saturating_add(1));
    esets_sys::Confinement { memory, seconds, duty: esets_sys::Duty::Scan }
}

fn scan(scanner: &Scanner, setup: &Setup, job: &Job, file: &File) -> Verdict {
    let clock = Clock(
        setup.seconds.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds))),
    );
    let mut bytes = Vec::new();
    let missing = read(file, job.size, setup.limits.object_size, &mut bytes);
    #[cfg(debug_assertions)]
    super::fault::happen(&job.name);
    let passwords: Vec<&[u8]> = setup.passwords.iter().map(String::as_bytes).collect();
    let mut session = Session { interrupt: &clock, passwords: &passwords, ..Session::default() };
    let object = Object::new(&bytes).named(&job.name);
    let verdict = scanner.scan_with(&object, &mut session);
    match missing {
        Some(reason) => verdict.with_reason(reason),
        None => verdict,
    }
}

/// Reads a file up to `limit` and says why that is not all of it. It is other people's: it can
/// grow, shrink and fail meanwhile.
fn read(mut file: &File, size: u64, limit: u64, bytes: &mut Vec<u8>) -> Option<Reason> {
    let expected = usize::try_from(size.min(limit)).unwrap_or(usize::MAX);
    if bytes.try_reserve_exact(expected).is_err() {
        return Some(Reason::Limit(Limit::Memory));
    }
    if let Err(error) = (&mut file).take(limit).read_to_end(bytes) {
        return Some(Reason::Fault(format!("cannot read all of the file: {error}").into()));
    }
    if bytes.len() < expected {
        return Some(Reason::Fault("the file shrank while it was read".into()));
    }
    let more = (&mut file).take(1).read(&mut [0]).unwrap_or(1);
    (more > 0).then_some(Reason::Limit(Limit::ObjectSize))
}

/// Sends the verdict; names are cut if they make it very long.
fn answer(socket: &UnixStream, verdict: Verdict) -> io::Result<()> {
    let names = verdict.records().iter().map(|record| record.name.len());
    if names.fold(0, usize::saturating_add) <= LONG_NAMES {
        return frame::send(socket, &verdict, None);
    }
    let mut records = verdict.records().to_vec();
    records.iter_mut().for_each(|record| record.name.truncate(SHORT_NAME));
    let short = Short { records, objects: verdict.objects(), bytes: verdict.bytes() };
    frame::send(socket, &short, None)
}

/// A [`Verdict`] as it is sent.
#[derive(Serialize)]
struct Short {
    records: Vec<Record>,
    objects: u64,
    bytes: u64,
}

/// When the scan must end.
struct Clock(Option<Instant>);

impl Interrupt for Clock {
    fn check(&self) -> Option<Interruption> {
        self.0.is_some_and(|end| Instant::now() >= end).then_some(Interruption::Time)
    }
}

const STACK: usize = 64 << 20;
const SPARE: u64 = 512 << 20;
const LONGEST_SETUP: u32 = 1 << 20;
const LONGEST_JOB: u32 = 64 << 10;
const LONG_NAMES: usize = 16 << 20;
const SHORT_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_not_called_complete() {
        let mut file = esets_sys::memory_file(b"12345678").unwrap();
        let mut read = |size, limit| {
            file.rewind().unwrap();
            let mut bytes = Vec::new();
            let missing = read(&file, size, limit, &mut bytes);
            (bytes.len(), missing.map(|reason| reason.to_string()))
        };
        assert_eq!(read(8, 8), (8, None));
        assert_eq!(read(2, 9), (8, None), "it grew");
        let shrank = "fault: the file shrank while it was read";
        assert_eq!(read(9, 9), (8, Some(shrank.into())));
        assert_eq!(read(8, 7), (7, Some("limit reached: ObjectSize".into())));
        assert_eq!(read(1 << 40, 7), (7, Some("limit reached: ObjectSize".into())));
    }

    #[test]
    fn a_verdict_with_very_long_names_is_sent_with_short_ones() {
        let (here, there) = UnixStream::pair().unwrap();
        let name = vec![b'n'; LONG_NAMES + 1];
        let verdict = Verdict::not_scanned(name, Reason::Encrypted);
        answer(&here, verdict).unwrap();
        let (verdict, _) = frame::receive::<Verdict>(&there, 1 << 10, None).unwrap().unwrap();
        assert_eq!(verdict.records()[0].name, [b'n'; SHORT_NAME]);
        assert_eq!(verdict.records()[0].not_scanned, [Reason::Encrypted]);
    }
}
