//! The worker's side: confines itself, then scans one object after the other on each thread.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use std::{panic, thread};

use bytes::Bytes;
use esets_client::frame::Frame;
use esets_policy::core::{
    Database, Interrupt, Interruption, Limit, Object, Observer, Reason, Record, Scanner, Session,
    Verdict,
};
use sha2::{Digest as _, Sha256};

use super::link::Link;
use super::{LONGEST_ORDER, Order, Ready, Setup, kind};

/// Scans for the process at the other end of standard input, until it hangs up.
pub(crate) fn serve() -> ExitCode {
    // A panic is part of the verdict.
    panic::set_hook(Box::new(|_| {}));
    esets_sys::die_with_parent();
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut parent = Link::new(socket, LONGEST_ORDER);
    let Some(first) = parent.receive()? else { return Ok(()) };
    let setup: Setup = serde_json::from_slice(&first.body)?;
    let file = setup.has_database.then(|| parent.take_file()).flatten();
    let (database, version) = open(file)?;
    let mut refused = esets_sys::limit_reach(esets_sys::Reach::Nothing);
    let mut threads = Vec::new();
    // A thread makes system calls while it starts that it does not need later.
    let started = Arc::new(Barrier::new(setup.threads.saturating_add(1)));
    for _ in 0..setup.threads {
        let file = parent.receive()?.and(parent.take_file()).ok_or(io::ErrorKind::InvalidData)?;
        let socket = UnixStream::from(OwnedFd::from(file));
        let scanner = Scanner::new(database.clone());
        let (setup, started) = (setup.clone(), Arc::clone(&started));
        // Nesting of objects is recursion.
        let thread = thread::Builder::new().stack_size(STACK);
        threads.push(thread.spawn(move || {
            started.wait();
            Thread::new(socket, scanner, &setup).serve()
        })?);
    }
    started.wait();
    let limits = esets_sys::Confinement {
        memory: setup.memory,
        seconds: Some(setup.seconds),
        duty: esets_sys::Duty::Scan,
    };
    refused.extend(esets_sys::confine(&limits));
    let refused = refused.iter().map(ToString::to_string).collect();
    parent.send_json(kind::READY, &Ready { refused, database: version })?;
    // A thread ends when the daemon closes its socket.
    threads.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

/// The database and its version.
fn open(file: Option<File>) -> io::Result<(Database, String)> {
    let database = match file {
        Some(file) => crate::database::read(Bytes::from_owner(esets_sys::map(&file)?))?,
        None => Database::embedded(),
    };
    let version = database.version().to_owned();
    Ok((database, version))
}

/// One thread: one socket, one object at a time.
struct Thread {
    link: Link,
    scanner: Scanner,
    #[cfg(debug_assertions)]
    faults: bool,
}

impl Thread {
    fn new(socket: UnixStream, scanner: Scanner, setup: &Setup) -> Self {
        let _ = setup.faults;
        Self {
            link: Link::new(socket, LONGEST_ORDER),
            scanner,
            #[cfg(debug_assertions)]
            faults: setup.faults,
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        while let Some(frame) = self.link.receive()? {
            // A cancellation may come after its scan has ended.
            if frame.kind == kind::ORDER {
                let order = serde_json::from_slice(&frame.body)?;
                self.obey(&order)?;
            }
        }
        Ok(())
    }

    fn obey(&mut self, order: &Order) -> io::Result<()> {
        let Some(frame) = self.link.receive()? else { return Ok(()) };
        let (content, missing) = match frame.kind {
            kind::CONTENT => (frame.body, None),
            kind::FILE => match self.fetch(order)? {
                Some(fetched) => fetched,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let verdict = match &order.cleaning {
            Some(cleaning) => match cleaning.edits.apply(&content, Some(&cleaning.found)) {
                Some(cleaned) => self.scan(order, &cleaned),
                None => super::fault("a part cannot be taken out"),
            },
            None => self.scan(order, &content),
        };
        let verdict = missing.into_iter().fold(verdict, Verdict::with_reason);
        self.answer(verdict)
    }

    /// The content of a descriptor and what is missing of it; `None` if it need not be scanned.
    fn fetch(&mut self, order: &Order) -> io::Result<Option<(Vec<u8>, Option<Reason>)>> {
        let file = self.link.take_file().ok_or(io::ErrorKind::InvalidData)?;
        let (content, missing) = match read(&file, order.limits.object_size) {
            Ok(read) => read,
            Err(Unfit(why)) => {
                self.link.send(kind::UNFIT, why.as_bytes())?;
                return Ok(None);
            }
        };
        drop(file);
        self.link.send(kind::DIGEST, &Sha256::digest(&content))?;
        let go = self.link.receive()?;
        let goes = matches!(go, Some(Frame { kind: kind::GO, .. }));
        Ok(goes.then_some((content, missing)))
    }

    fn scan(&self, order: &Order, content: &[u8]) -> Verdict {
        #[cfg(debug_assertions)]
        if self.faults {
            super::fault::happen(&order.name, order.cleaning.is_some());
        }
        let now = Instant::now();
        let end = now.checked_add(Duration::from_millis(order.milliseconds));
        let watch = Watch { link: &self.link, end, looked: Cell::new(now) };
        let mut progress = order.progress.then(|| Report::new(&self.link));
        let observer = progress.as_mut().map(|report| report as &mut dyn Observer);
        let mut session = Session { interrupt: &watch, observer, ..Session::default() };
        let scanner = self.scanner.clone().with_limits(order.limits.clone());
        let scanner = scanner.with_options(order.options.clone());
        scanner.scan_with(&Object::new(content).named(&order.name), &mut session)
    }

    fn answer(&mut self, verdict: Verdict) -> io::Result<()> {
        let body = serde_json::to_vec(&verdict)?;
        if body.len() <= LONGEST_ANSWER {
            return self.link.send(kind::VERDICT, &body);
        }
        let status = format!("the verdict ({:?}) is too long to be told", verdict.status());
        let threats = verdict.threats().next().map(|(_, threat)| threat.name.clone());
        let told = super::fault(format!("{status}; {}", threats.unwrap_or_default()));
        self.link.send_json(kind::VERDICT, &told)
    }
}

/// Why a descriptor cannot be read.
struct Unfit(String);

/// Reads an open file from its start up to `limit`, and says why that is not all of it. It is
/// other people's: it can grow, shrink and fail meanwhile.
fn read(file: &File, limit: u64) -> Result<(Vec<u8>, Option<Reason>), Unfit> {
    let unfit = |error: io::Error| Unfit(format!("the descriptor cannot be read: {error}"));
    let about = file.metadata().map_err(unfit)?;
    must_be_regular(&about)?;
    let expected = usize::try_from(about.len().min(limit)).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(expected).is_err() {
        return Ok((bytes, Some(Reason::Limit(Limit::Memory))));
    }
    let mut buffer = vec![0; PIECE];
    while bytes.len() < expected {
        let wanted = expected.saturating_sub(bytes.len()).min(PIECE);
        let place = buffer.get_mut(..wanted).unwrap_or_default();
        match file.read_at(place, bytes.len() as u64) {
            Ok(0) => {
                let why = "the file shrank while it was read";
                return Ok((bytes, Some(Reason::Fault(why.into()))));
            }
            Ok(count) => bytes.extend_from_slice(place.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unfit(error)),
        }
    }
    let is_cut = about.len() > limit;
    Ok((bytes, is_cut.then_some(Reason::Limit(Limit::ObjectSize))))
}

fn must_be_regular(about: &std::fs::Metadata) -> Result<(), Unfit> {
    let kind = about.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "something else"
    };
    Err(Unfit(format!("the descriptor is {what}, not a file")))
}

/// Ends a scan when its time is over or when something comes on the socket, which can only be
/// that nobody waits for it.
struct Watch<'w> {
    link: &'w Link,
    end: Option<Instant>,
    looked: Cell<Instant>,
}

impl Interrupt for Watch<'_> {
    fn check(&self) -> Option<Interruption> {
        let now = Instant::now();
        if self.end.is_some_and(|end| now >= end) {
            return Some(Interruption::Time);
        }
        if now.duration_since(self.looked.get()) < LOOK {
            return None;
        }
        self.looked.set(now);
        self.link.has_more().then_some(Interruption::Cancelled)
    }
}

/// Tells how far a scan is.
struct Report<'r> {
    link: &'r Link,
    told: Instant,
    objects: u64,
    bytes: u64,
}

impl<'r> Report<'r> {
    fn new(link: &'r Link) -> Self {
        Self { link, told: Instant::now(), objects: 0, bytes: 0 }
    }
}

impl Observer for Report<'_> {
    fn leave(&mut self, record: &Record) {
        self.objects = self.objects.saturating_add(1);
        self.bytes = self.bytes.saturating_add(record.size);
        if self.told.elapsed() >= TELL {
            self.told = Instant::now();
            // If the daemon is gone, the scan is cancelled at the next look.
            let _ = self.link.tell(kind::PROGRESS, self.objects, self.bytes);
        }
    }
}

const STACK: usize = 64 << 20;
const PIECE: usize = 256 << 10;
/// How often the socket is looked at during a scan.
const LOOK: Duration = Duration::from_millis(5);
/// How often progress is told.
const TELL: Duration = Duration::from_millis(200);
/// The longest verdict that is sent.
const LONGEST_ANSWER: usize = 32 << 20;
