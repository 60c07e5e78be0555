//! clamd's protocol as a state machine: bytes in, commands out; no I/O.
//!
//! A command is a line. With `n` before it, the line and its replies end with a newline, with `z`
//! with a zero byte; without either, with a newline. After `INSTREAM` come chunks: a length (32
//! bits, big endian) and so many bytes; a length of 0 is the end.

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Ends a session.
    End,
    /// Scans the file that comes as a descriptor.
    Fildes,
    /// Begins a session of several commands, whose replies have numbers.
    IdSession,
    /// Scans the chunks that follow.
    InStream,
    /// Is anybody there?
    Ping,
    /// Reads the database anew.
    Reload,
    /// Scans a path.
    Scan(Mode, Vec<u8>),
    /// Ends the server.
    Shutdown,
    /// How is the server?
    Stats,
    /// Anything else.
    Unknown,
    /// Which version is the server?
    Version,
    /// The same, and what it understands.
    VersionCommands,
}

/// How a path is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All files, each with all that is found in it.
    AllMatch,
    /// All files.
    Continue,
    /// Up to the first that is infected.
    First,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A command; its replies end with this byte.
    Command(Command, u8),
    /// Bytes of the stream.
    Chunk(Vec<u8>),
    /// The end of the stream.
    StreamEnd,
}

/// The client breaks the protocol; the connection cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The server's side of a connection.
///
/// ```
/// use esets_agents::clamd::proto::{Command, Event, Incoming};
///
/// let mut incoming = Incoming::default();
/// incoming.feed(b"zPING\0nVERSION\n");
/// assert_eq!(incoming.event(), Ok(Some(Event::Command(Command::Ping, 0))));
/// assert_eq!(incoming.event(), Ok(Some(Event::Command(Command::Version, b'\n'))));
/// assert_eq!(incoming.event(), Ok(None));
/// ```
#[derive(Debug, Default)]
pub struct Incoming {
    buffer: Vec<u8>,
    read: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Line,
    /// The byte that a client sends because a descriptor cannot travel alone.
    Filler,
    Length,
    Chunk(usize),
}

impl Incoming {
    /// Takes bytes from the client.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event; `None` if more bytes are needed.
    ///
    /// # Errors
    /// A line is too long.
    pub fn event(&mut self) -> Result<Option<Event>, TooLong> {
        loop {
            let rest = self.buffer.get(self.read..).unwrap_or_default();
            match self.state {
                State::Line => return self.line(),
                State::Filler if rest.is_empty() => return Ok(None),
                State::Filler => {
                    self.take(1);
                    self.state = State::Line;
                }
                State::Length => {
                    let Some(length) = rest.first_chunk() else { return Ok(None) };
                    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                    self.take(size_of::<u32>());
                    self.state = if length == 0 { State::Line } else { State::Chunk(length) };
                    if length == 0 {
                        return Ok(Some(Event::StreamEnd));
                    }
                }
                State::Chunk(_) if rest.is_empty() => return Ok(None),
                State::Chunk(length) => {
                    // As far as it came: a chunk may be 4 GiB.
                    let piece = rest.get(..length.min(rest.len())).unwrap_or_default().to_vec();
                    let left = length.saturating_sub(piece.len());
                    self.take(piece.len());
                    self.state = if left == 0 { State::Length } else { State::Chunk(left) };
                    return Ok(Some(Event::Chunk(piece)));
                }
            }
        }
    }

    fn line(&mut self) -> Result<Option<Event>, TooLong> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some(&first) = rest.first() else { return Ok(None) };
        let (skipped, end) = match first {
            b'z' => (1, 0),
            b'n' => (1, b'\n'),
            _ => (0, b'\n'),
        };
        let line = rest.get(skipped..).unwrap_or_default();
        let Some(length) = line.iter().position(|byte| *byte == end) else {
            return if rest.len() > LONGEST_LINE { Err(TooLong) } else { Ok(None) };
        };
        let line = line.get(..length).unwrap_or_default();
        let command = command(line.strip_suffix(b"\r").unwrap_or(line));
        self.take(skipped.saturating_add(length).saturating_add(1));
        self.state = match command {
            Command::InStream => State::Length,
            Command::Fildes => State::Filler,
            _ => State::Line,
        };
        Ok(Some(Event::Command(command, end)))
    }

    fn take(&mut self, count: usize) {
        self.read = self.read.saturating_add(count).min(self.buffer.len());
        if self.read == self.buffer.len() {
            // An idle session keeps no memory.
            self.buffer = Vec::new();
            self.read = 0;
        }
    }
}

fn command(line: &[u8]) -> Command {
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let word = words.next().unwrap_or_default();
    let Some(path) = words.next() else {
        let found = PLAIN.iter().find(|(name, _)| name.as_bytes() == word);
        return found.map_or(Command::Unknown, |(_, command)| command.clone());
    };
    let mode = MODES.iter().find(|(name, _)| name.as_bytes() == word);
    match mode {
        Some((_, mode)) if !path.is_empty() => Command::Scan(*mode, path.to_vec()),
        _ => Command::Unknown,
    }
}

/// Commands without an argument.
const PLAIN: &[(&str, Command)] = &[
    ("END", Command::End),
    ("FILDES", Command::Fildes),
    ("IDSESSION", Command::IdSession),
    ("INSTREAM", Command::InStream),
    ("PING", Command::Ping),
    ("RELOAD", Command::Reload),
    ("SHUTDOWN", Command::Shutdown),
    ("STATS", Command::Stats),
    ("VERSION", Command::Version),
    ("VERSIONCOMMANDS", Command::VersionCommands),
];

/// Commands with a path.
const MODES: &[(&str, Mode)] = &[
    ("ALLMATCHSCAN", Mode::AllMatch),
    ("CONTSCAN", Mode::Continue),
    ("MULTISCAN", Mode::Continue),
    ("SCAN", Mode::First),
];

/// The words that VERSIONCOMMANDS lists.
pub fn words() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().map(|(word, _)| *word).chain(MODES.iter().map(|(word, _)| *word))
}

/// A path may have 4096 bytes.
const LONGEST_LINE: usize = 4200;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes of bytes that arrive in pieces; chunks are joined.
    fn events(bytes: &[u8], step: usize) -> Result<Vec<Event>, TooLong> {
        let mut incoming = Incoming::default();
        let mut events: Vec<Event> = Vec::new();
        for piece in bytes.chunks(step) {
            incoming.feed(piece);
            while let Some(event) = incoming.event()? {
                match (events.last_mut(), event) {
                    (Some(Event::Chunk(before)), Event::Chunk(more)) => before.extend(more),
                    (_, event) => events.push(event),
                }
            }
        }
        Ok(events)
    }

    #[test]
    fn a_transcript_means_the_same_however_it_is_cut() {
        let stream =
            b"zIDSESSION\0zINSTREAM\0\0\0\0\x03abc\0\0\0\x02de\0\0\0\0zFILDES\0\0nSCAN /a b\n\
                       PING\r\nbogus\nSCAN \nzEND\0";
        let expected = vec![
            Event::Command(Command::IdSession, 0),
            Event::Command(Command::InStream, 0),
            Event::Chunk(b"abcde".to_vec()),
            Event::StreamEnd,
            Event::Command(Command::Fildes, 0),
            Event::Command(Command::Scan(Mode::First, b"/a b".to_vec()), b'\n'),
            Event::Command(Command::Ping, b'\n'),
            Event::Command(Command::Unknown, b'\n'),
            Event::Command(Command::Unknown, b'\n'),
            Event::Command(Command::End, 0),
        ];
        for step in 1..stream.len() {
            assert_eq!(events(stream, step).as_ref(), Ok(&expected), "step {step}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        assert_eq!(events(&[b'x'; 5000], 100), Err(TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes: Vec<u8>, step in 1_usize..20) {
            let _ = events(&bytes, step);
        }
    }
}
