//! A client that waits: one thread, one connection, any number of requests.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::error::{ClientError, MOST_OPEN, ProtocolError};
use crate::frame::{Decoder, encode, kind};
use crate::link::Link;
use crate::message::{
    Answer, Ask, Command, Control, Envelope, FromClient, FromDaemon, Hello, Progress, Refusal,
    Source, VERSION, Want, Welcome,
};
use crate::proto::LONGEST_FROM_DAEMON;

/// An object as it is handed over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Content<'c> {
    /// Its bytes.
    Bytes(&'c [u8]),
    /// An open regular file; the daemon reads it from its start, wherever it stands.
    File(&'c File),
}

/// A request, without the number that the client gives it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The name of the object, as raw bytes.
    pub name: Vec<u8>,
    /// Who sends it to whom.
    pub envelope: Envelope,
    /// What is wanted.
    pub want: Want,
    /// Whether to tell how far the scan is.
    pub progress: bool,
}

/// What the daemon says of a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// How far the scan is; more follows.
    Progress(Progress),
    /// The answer.
    Answer(Box<Answer>),
    /// It cannot be done.
    Refused(Refusal),
}

/// A connection to the daemon.
///
/// ```no_run
/// use std::fs::File;
/// use std::path::Path;
/// use esets_client::{Client, Content, Request};
///
/// let mut client = Client::connect(Path::new("/tmp/esets.sock"))?;
/// let file = File::open("mail.eml")?;
/// let request = Request { name: b"mail.eml".to_vec(), ..Request::default() };
/// let answer = client.scan(&request, Content::File(&file))?;
/// println!("{}", answer.outcome.decision().action);
/// # Ok::<(), esets_client::ClientError>(())
/// ```
#[derive(Debug)]
pub struct Client {
    link: Link,
    decoder: Decoder,
    welcome: Welcome,
    last: u32,
    open: usize,
    /// Replies that came while something else was waited for.
    early: VecDeque<FromDaemon>,
}

impl Client {
    /// Connects, as [`connect`](crate::connect) does, and says hello.
    ///
    /// # Errors
    /// Nobody listens there, or it is not a daemon of this protocol.
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        Self::over(crate::filter::connect(path).map_err(ClientError::Connect)?)
    }

    /// Says hello over a connection.
    ///
    /// # Errors
    /// The other side is not a daemon of this protocol.
    pub fn over(socket: UnixStream) -> Result<Self, ClientError> {
        Self::greet(Link::Local(socket), None)
    }

    /// Connects to a daemon on another machine and says hello. Files are sent as content.
    ///
    /// # Errors
    /// Nobody listens there, one of the two does not believe the other, or it is not a daemon of
    /// this protocol.
    #[cfg(feature = "tls")]
    pub fn remote(remote: &crate::Remote) -> Result<Self, ClientError> {
        let tunnel = remote.connect().map_err(ClientError::Connect)?;
        Self::greet(Link::Remote(Box::new(tunnel)), remote.token.clone())
    }

    fn greet(link: Link, token: Option<String>) -> Result<Self, ClientError> {
        link.set_patience(Some(GREETING))?;
        let welcome = Welcome { version: 0, daemon: String::new() };
        let decoder = Decoder::new(LONGEST_FROM_DAEMON);
        let early = VecDeque::new();
        let mut client = Self { link, decoder, welcome, last: 0, open: 0, early };
        client.send(&FromClient::Hello(Hello { version: VERSION, token }))?;
        client.welcome = match client.receive()? {
            FromDaemon::Welcome(welcome) => welcome,
            other => return Err(unexpected(other)),
        };
        client.link.set_patience(None)?;
        Ok(client)
    }

    /// What the daemon said of itself.
    #[must_use]
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Limits how long any single wait for the daemon lasts; by default for ever, because the
    /// daemon answers within the limits of time of its configuration.
    ///
    /// # Errors
    /// The duration is zero.
    pub fn set_patience(&self, patience: Option<Duration>) -> Result<(), ClientError> {
        Ok(self.link.set_patience(patience)?)
    }

    /// Hands over an object and waits for the answer. Other requests must not be open.
    ///
    /// # Errors
    /// The connection broke, or the daemon refuses.
    pub fn scan(&mut self, request: &Request, content: Content<'_>) -> Result<Answer, ClientError> {
        self.start(request, content)?;
        loop {
            match self.wait()? {
                Reply::Answer(answer) => return Ok(*answer),
                Reply::Progress(_) => {}
                Reply::Refused(refusal) => return Err(ClientError::Refused(refusal.why)),
            }
        }
    }

    /// Hands over an object and returns the number that its replies will carry, for several
    /// requests at a time: [`Client::wait`] gives their replies in any order.
    ///
    /// # Errors
    /// The connection broke, or [`MOST_OPEN`] requests are open.
    pub fn start(&mut self, request: &Request, content: Content<'_>) -> Result<u32, ClientError> {
        if self.open >= MOST_OPEN {
            return Err(ProtocolError::TooMany.into());
        }
        let id = self.number();
        let (source, file) = match content {
            Content::Bytes(bytes) => (Source::Content(bytes.len() as u64), None),
            Content::File(file) if self.link.takes_files() => (Source::Descriptor, Some(file)),
            Content::File(file) => (Source::Content(size(file)?), None),
        };
        let Request { name, envelope, want, progress } = request.clone();
        let ask = Ask { id, name, source, envelope, want, progress };
        let mut frames = Vec::new();
        FromClient::Ask(Box::new(ask)).encode(&mut frames)?;
        match (content, source) {
            (Content::Bytes(bytes), _) => {
                bytes.chunks(PIECE).try_for_each(|piece| self.content(id, piece, &mut frames))?;
            }
            (Content::File(file), Source::Content(size)) => {
                self.read_content(id, (file, size), &mut frames)?;
            }
            _ => {}
        }
        if !frames.is_empty() {
            self.link.send(&frames, file)?;
        }
        self.open = self.open.saturating_add(1);
        Ok(id)
    }

    /// One piece of content. A small object goes with its request: one system call, one wake.
    fn content(&mut self, id: u32, piece: &[u8], out: &mut Vec<u8>) -> Result<(), ClientError> {
        encode(kind::CONTENT, &[&id.to_le_bytes(), piece], out)?;
        if out.len() > PIECE {
            self.link.send(out, None)?;
            out.clear();
        }
        Ok(())
    }

    /// The content of a file of this size, where no descriptor can travel.
    fn read_content(
        &mut self,
        id: u32,
        (file, size): (&File, u64),
        out: &mut Vec<u8>,
    ) -> Result<(), ClientError> {
        let mut buffer = vec![0; PIECE];
        let mut at = 0;
        while at < size {
            let left = usize::try_from(size.saturating_sub(at)).unwrap_or(PIECE);
            let piece = buffer.get_mut(..left.min(PIECE)).unwrap_or_default();
            // A file that shrinks meanwhile breaks the connection, which ends the request.
            file.read_exact_at(piece, at)?;
            at = at.saturating_add(piece.len() as u64);
            self.content(id, piece, out)?;
        }
        Ok(())
    }

    /// Waits for the next reply to any request that was started.
    ///
    /// # Errors
    /// The connection broke, or the daemon ends it and says why.
    pub fn wait(&mut self) -> Result<Reply, ClientError> {
        let message = match self.early.pop_front() {
            Some(message) => message,
            None => self.receive()?,
        };
        let reply = match message {
            FromDaemon::Progress(progress) => return Ok(Reply::Progress(progress)),
            FromDaemon::Answer(answer) => Reply::Answer(answer),
            FromDaemon::Refusal(refusal) if refusal.id == 0 => {
                return Err(ClientError::Refused(refusal.why));
            }
            FromDaemon::Refusal(refusal) => Reply::Refused(refusal),
            other => return Err(unexpected(other)),
        };
        self.open = self.open.saturating_sub(1);
        Ok(reply)
    }

    /// Tells the daemon that nobody waits for a request; its answer still comes.
    ///
    /// # Errors
    /// The connection broke.
    pub fn cancel(&mut self, id: u32) -> Result<(), ClientError> {
        self.send(&FromClient::Cancel(id))
    }

    /// Asks about the daemon itself and waits for the text.
    ///
    /// # Errors
    /// The connection broke, or the daemon refuses: some commands are for its own user only.
    pub fn control(&mut self, command: Command) -> Result<String, ClientError> {
        let id = self.number();
        self.send(&FromClient::Control(Control { id, command }))?;
        loop {
            match self.receive()? {
                FromDaemon::Report(report) if report.id == id => return Ok(report.text),
                FromDaemon::Refusal(refusal) if refusal.id == id || refusal.id == 0 => {
                    return Err(ClientError::Refused(refusal.why));
                }
                other => self.early.push_back(other),
            }
        }
    }

    /// The next number; never 0.
    fn number(&mut self) -> u32 {
        self.last = self.last.checked_add(1).unwrap_or(1);
        self.last
    }

    fn send(&mut self, message: &FromClient) -> Result<(), ClientError> {
        let mut frame = Vec::new();
        message.encode(&mut frame)?;
        Ok(self.link.send(&frame, None)?)
    }

    fn receive(&mut self) -> Result<FromDaemon, ClientError> {
        let mut buffer = [0; 16 << 10];
        loop {
            if let Some(frame) = self.decoder.frame()? {
                return Ok(FromDaemon::decode(&frame)?);
            }
            match self.link.receive(&mut buffer) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => self.decoder.feed(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The size of a regular file.
fn size(file: &File) -> Result<u64, ClientError> {
    let about = file.metadata()?;
    match about.is_file() {
        true => Ok(about.len()),
        false => Err(ClientError::Refused("what is to be scanned is not a file".to_owned())),
    }
}

fn unexpected(message: FromDaemon) -> ClientError {
    let kind = match message {
        FromDaemon::Refusal(refusal) => return ClientError::Refused(refusal.why),
        FromDaemon::Welcome(_) => kind::WELCOME,
        FromDaemon::Progress(_) => kind::PROGRESS,
        FromDaemon::Answer(_) => kind::ANSWER,
        FromDaemon::Report(_) => kind::REPORT,
    };
    ProtocolError::Unexpected { kind }.into()
}

/// How long the daemon may take to say who it is.
const GREETING: Duration = Duration::from_secs(30);
/// Bytes of content in one frame.
const PIECE: usize = 64 << 10;
