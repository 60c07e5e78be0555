//! One connection of a client.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use esets_client::Content;
use esets_policy::Context;

use super::Desk;
use super::proto::{Command, Event, Incoming, Mode, words};
use super::reply::{error, replies};
use super::walk::walk;
use crate::Stream;

/// One connection.
pub(super) struct Session<'d> {
    desk: &'d Desk,
    stream: Stream,
    incoming: Incoming,
    files: VecDeque<File>,
    /// The number of the last command, in a session.
    number: Option<u64>,
    /// What ends a reply.
    end: u8,
}

impl<'d> Session<'d> {
    pub(super) fn new(stream: Stream, desk: &'d Desk) -> Self {
        let (incoming, files) = (Incoming::default(), VecDeque::new());
        Self { desk, stream, incoming, files, number: None, end: b'\n' }
    }

    /// Serves the client until it hangs up: one command, or a session of them.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        self.stream.set_patience(PATIENCE)?;
        while let Some(event) = self.next()? {
            let Event::Command(command, end) = event else { return Ok(()) };
            self.end = end;
            match command {
                Command::End => return Ok(()),
                Command::IdSession => self.number = Some(0),
                command => {
                    self.number = self.number.map(|number| number.saturating_add(1));
                    self.obey(command)?;
                    if self.number.is_none() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) -> io::Result<()> {
        match command {
            Command::Ping => self.say("PONG"),
            Command::Version => self.say(&version()),
            Command::VersionCommands => {
                let words: Vec<_> = words().collect();
                self.say(&format!("{}| COMMANDS: {}", version(), words.join(" ")))
            }
            Command::Stats => self.say(&self.stats()),
            Command::Reload if self.is_local() => {
                (self.desk.post.reload)();
                self.say("RELOADING")
            }
            Command::Scan(mode, path) if self.is_local() => self.scan(mode, &path),
            Command::Reload | Command::Scan(..) | Command::Shutdown => {
                self.say(&error(&"this command is refused here"))
            }
            Command::Fildes => self.fildes(),
            Command::InStream => self.in_stream(),
            _ => self.say("UNKNOWN COMMAND"),
        }
    }

    /// Whether the client is a user of this machine.
    fn is_local(&self) -> bool {
        matches!(self.stream, Stream::Unix(_))
    }

    fn in_stream(&mut self) -> io::Result<()> {
        let mut lease = Lease { desk: self.desk, bytes: 0 };
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                Some(Event::Chunk(chunk)) => {
                    let length = bytes.len().saturating_add(chunk.len()) as u64;
                    if length > self.desk.post.longest {
                        self.say("INSTREAM size limit exceeded. ERROR")?;
                        self.stream.linger();
                        return Err(io::ErrorKind::FileTooLarge.into());
                    }
                    if !lease.grow(chunk.len() as u64) {
                        self.say(&error(&"no memory for the stream"))?;
                        self.stream.linger();
                        return Err(io::ErrorKind::OutOfMemory.into());
                    }
                    bytes.extend_from_slice(&chunk);
                }
                Some(Event::StreamEnd) => break,
                _ => return Ok(()),
            }
        }
        let replies = ask(self.desk, b"stream", Content::Bytes(&bytes));
        self.say(&format!("stream: {}", first(&replies)))
    }

    fn fildes(&mut self) -> io::Result<()> {
        let mut buffer = [0; BUFFER];
        while self.files.is_empty() {
            let (count, file) = self.stream.receive(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.files.extend(file);
            self.incoming.feed(buffer.get(..count).unwrap_or_default());
            if self.files.is_empty() && !self.is_local() {
                return self.say(&error(&"no descriptor comes over this connection"));
            }
        }
        let Some(file) = self.files.pop_front() else { return Ok(()) };
        let replies = ask(self.desk, b"fd", Content::File(&file));
        self.say(&format!("fd[{}]: {}", file.as_raw_fd(), first(&replies)))
    }

    /// Scans what the account of this agent can read, and nothing else.
    fn scan(&mut self, mode: Mode, path: &[u8]) -> io::Result<()> {
        let mut is_silent = true;
        let desk = self.desk;
        walk(path, &mut |found, file| {
            let replies = match &file {
                Ok(file) => ask(desk, found.as_os_str().as_bytes(), Content::File(file)),
                Err(why) => vec![error(why)],
            };
            let shown = if mode == Mode::AllMatch { replies.len() } else { 1 };
            let mut flow = ControlFlow::Continue(());
            for reply in replies.iter().take(shown).filter(|reply| *reply != "OK") {
                is_silent = false;
                self.say_bytes(&named(found, reply))?;
                if mode == Mode::First && reply.ends_with("FOUND") {
                    flow = ControlFlow::Break(());
                }
            }
            Ok(flow)
        })?;
        if is_silent {
            self.say_bytes(&[path, b": OK"].concat())?;
        }
        Ok(())
    }

    /// The next event; `None` if the client hung up.
    fn next(&mut self) -> io::Result<Option<Event>> {
        let mut buffer = [0; BUFFER];
        loop {
            match self.incoming.event() {
                Ok(Some(event)) => return Ok(Some(event)),
                Ok(None) => {}
                Err(_) => {
                    self.say("COMMAND READ TIMED OUT")?;
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
            let (count, file) = self.stream.receive(&mut buffer)?;
            if count == 0 {
                return Ok(None);
            }
            self.files.extend(file);
            self.files.truncate(MOST_FILES);
            self.incoming.feed(buffer.get(..count).unwrap_or_default());
        }
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.say_bytes(text.as_bytes())
    }

    fn say_bytes(&mut self, text: &[u8]) -> io::Result<()> {
        let number = self.number.map(|number| format!("{number}: ")).unwrap_or_default();
        self.stream.send(&[number.as_bytes(), text, &[self.end]].concat())
    }

    fn stats(&self) -> String {
        let live = self.desk.connections.load(Ordering::Relaxed);
        format!(
            "POOLS: 1\n\nSTATE: VALID PRIMARY\nTHREADS: live {live}  idle 0 max {} idle-timeout \
             {}\nQUEUE: 0 items\n\nMEMSTATS: heap N/A mmap N/A used N/A free N/A releasable N/A \
             pools 0 pools_used N/A pools_total N/A\nEND",
            super::MOST_CONNECTIONS,
            PATIENCE.as_secs()
        )
    }
}

fn ask(desk: &Desk, name: &[u8], content: Content<'_>) -> Vec<String> {
    match desk.post.filter.ask(name, content, &Context::new("clamd")) {
        Ok(answer) => replies(&answer.outcome),
        Err(why) => vec![error(&why)],
    }
}

fn first(replies: &[String]) -> &str {
    replies.first().map_or("no answer ERROR", String::as_str)
}

fn named(path: &Path, reply: &str) -> Vec<u8> {
    [path.as_os_str().as_bytes(), b": ", reply.as_bytes()].concat()
}

fn version() -> String {
    format!("ESETS {}", env!("CARGO_PKG_VERSION"))
}

/// Memory for a stream, taken from what all connections have together.
struct Lease<'d> {
    desk: &'d Desk,
    bytes: u64,
}

impl Lease<'_> {
    fn grow(&mut self, more: u64) -> bool {
        let take = |left: u64| left.checked_sub(more);
        let memory = &self.desk.memory;
        let taken = memory.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        self.bytes = self.bytes.saturating_add(if taken { more } else { 0 });
        taken
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.desk.memory.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(120);
const BUFFER: usize = 64 << 10;
/// Descriptors that wait for their command.
const MOST_FILES: usize = 16;
