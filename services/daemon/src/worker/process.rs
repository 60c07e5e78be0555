//! One worker process, as the daemon sees it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Pair;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use esets_client::frame::{Decoder, Frame, encode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::pool::PoolSetup;
use super::{ARGUMENT, LONGEST_VERDICT, Ready, Setup, kind};

/// A socket to a worker.
#[derive(Debug)]
pub(crate) struct WorkerLink {
    stream: UnixStream,
    decoder: Decoder,
}

impl WorkerLink {
    /// A socket, and its other end for the worker.
    pub(crate) fn pair() -> io::Result<(Self, Pair)> {
        let (here, there) = Pair::pair()?;
        here.set_nonblocking(true)?;
        let stream = UnixStream::from_std(here)?;
        Ok((Self { stream, decoder: Decoder::new(LONGEST_VERDICT) }, there))
    }

    /// The next frame; `None` if the worker is gone. Nothing is lost if this is not waited for.
    pub(crate) async fn receive(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.decoder.frame().map_err(io::Error::other)? {
                return Ok(Some(frame));
            }
            self.stream.readable().await?;
            let mut buffer = [0; 16 << 10];
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => self.decoder.feed(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends all bytes, and with the first of them the file.
    pub(crate) async fn send(&mut self, bytes: &[u8], file: Option<&File>) -> io::Result<()> {
        let stream = &self.stream;
        let sent = stream
            .async_io(Interest::WRITABLE, || esets_sys::send_some(stream, bytes, file))
            .await?;
        self.stream.write_all(bytes.get(sent..).unwrap_or_default()).await
    }

    pub(crate) async fn send_frame(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::new();
        encode(kind, &[body], &mut bytes).map_err(io::Error::other)?;
        self.send(&bytes, None).await
    }
}

/// A worker process that is ready.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) child: Child,
    complaint: JoinHandle<String>,
    /// Its standard input; the process ends when it is closed.
    _parent: WorkerLink,
}

/// How a process came to its end.
#[derive(Debug)]
pub(crate) enum Death {
    /// It ended by itself or by what it did.
    Crash(String),
    /// It wanted more memory than it may have.
    Memory,
    /// Somebody ended it.
    Outside(String),
}

impl Process {
    /// Starts a process with sockets for so many threads, and waits until it is ready.
    pub(super) async fn start(
        setup: &PoolSetup,
        threads: usize,
    ) -> Result<(Self, Vec<WorkerLink>, Vec<String>), String> {
        let failed = |error: io::Error| format!("a worker cannot be started: {error}");
        let (parent, there) = WorkerLink::pair().map_err(failed)?;
        let command = command(setup, there).map_err(failed)?;
        let mut child = setup.starter.start(command).await.map_err(failed)?;
        let complaint = tokio::spawn(last_words(child.stderr.take()));
        let mut process = Self { child, complaint, _parent: parent };
        let begun = timeout(START, process.begin(setup, threads)).await;
        let begun = begun.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match begun {
            Ok((links, refused)) => Ok((process, links, refused)),
            Err(error) => {
                let _ = process.child.start_kill();
                Err(format!("{}; {:?}", failed(error), process.end().await))
            }
        }
    }

    async fn begin(
        &mut self,
        setup: &PoolSetup,
        threads: usize,
    ) -> io::Result<(Vec<WorkerLink>, Vec<String>)> {
        let body = Setup {
            has_database: setup.database.file.is_some(),
            memory: setup.memory(threads),
            seconds: setup.processor_seconds(),
            threads,
            faults: setup.faults,
        };
        let mut bytes = Vec::new();
        let body = serde_json::to_vec(&body)?;
        encode(kind::SETUP, &[&body], &mut bytes).map_err(io::Error::other)?;
        self._parent.send(&bytes, setup.database.file.as_ref()).await?;
        let mut links = Vec::new();
        for _ in 0..threads {
            let (link, there) = WorkerLink::pair()?;
            let mut bytes = Vec::new();
            encode(kind::THREAD, &[], &mut bytes).map_err(io::Error::other)?;
            self._parent.send(&bytes, Some(&File::from(OwnedFd::from(there)))).await?;
            links.push(link);
        }
        let ready = self._parent.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let ready: Ready = serde_json::from_slice(&ready.body)?;
        let _ = setup.database.version.set(ready.database);
        Ok((links, ready.refused))
    }

    /// How a process came to its end that is about to end.
    pub(super) async fn end(mut self) -> Death {
        let status = match timeout(LAST_GASP, self.child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                let _ = self.child.start_kill();
                self.child.wait().await
            }
        };
        let words = timeout(LAST_GASP, self.complaint).await;
        let words = words.ok().and_then(Result::ok).unwrap_or_default();
        match status {
            Ok(status) => death(status, &words),
            Err(error) => Death::Crash(error.to_string()),
        }
    }
}

fn command(setup: &PoolSetup, socket: Pair) -> io::Result<Command> {
    let mut command = Command::new(esets_sys::own_program()?);
    command.arg(ARGUMENT).env_clear().current_dir("/").stdin(OwnedFd::from(socket));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    setup.account.inspect(|account| account.apply(&mut command));
    Ok(command)
}

/// How a process came to its end, by its status and its last words.
fn death(status: ExitStatus, words: &str) -> Death {
    if words.contains("memory allocation of") {
        return Death::Memory;
    }
    let words = words.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let text = format!("the scan ended, {status}");
    let text = if words.is_empty() { text } else { format!("{text}: {words}") };
    match status.signal() {
        Some(KILL | TERM) => Death::Outside(text),
        _ => Death::Crash(text),
    }
}

/// The end of what a process wrote to its standard error.
async fn last_words(stderr: Option<ChildStderr>) -> String {
    let mut words = Vec::new();
    let Some(mut stderr) = stderr else { return String::new() };
    let mut buffer = [0; 512];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        words.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let excess = words.len().saturating_sub(LONGEST_WORDS);
        words.drain(..excess);
    }
    String::from_utf8_lossy(&words).into_owned()
}

const START: Duration = Duration::from_secs(20);
const LAST_GASP: Duration = Duration::from_secs(2);
const LONGEST_WORDS: usize = 2048;
const KILL: i32 = 9;
const TERM: i32 = 15;
