//! The daemon's side of one connection as a state machine: bytes in, events out; no I/O.

use std::collections::HashMap;

use crate::error::{MOST_OPEN, ProtocolError};
use crate::frame::Decoder;
use crate::message::{Ask, Control, FromClient, Source, VERSION};

/// What a client did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It said hello, and a [`Welcome`](crate::Welcome) is due.
    Greeted,
    /// It asks for a scan; the content, if it comes in frames, follows.
    Asked(Box<Ask>),
    /// Content of the request with this number came.
    Content {
        /// The number of the request.
        id: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The content of the request with this number is complete.
    Complete(u32),
    /// Nobody waits for the request with this number.
    Cancelled(u32),
    /// It asks about the daemon itself.
    Controlled(Control),
}

/// The daemon's side of one connection.
///
/// ```
/// use esets_client::{Event, FromClient, Hello, Incoming, VERSION};
///
/// let mut stream = Vec::new();
/// FromClient::Hello(Hello { version: VERSION, token: None }).encode(&mut stream)?;
/// let mut incoming = Incoming::new();
/// incoming.feed(&stream);
/// assert_eq!(incoming.event()?, Some(Event::Greeted));
/// # Ok::<(), esets_client::ProtocolError>(())
/// ```
#[derive(Debug)]
pub struct Incoming {
    decoder: Decoder,
    greeted: bool,
    /// Content still to come, by request.
    open: HashMap<u32, u64>,
    complete: Option<u32>,
}

impl Incoming {
    /// A connection on which nothing was said yet.
    #[must_use]
    pub fn new() -> Self {
        let decoder = Decoder::new(LONGEST_FROM_CLIENT);
        Self { decoder, greeted: false, open: HashMap::new(), complete: None }
    }

    /// Takes bytes from the client; [`Incoming::event`] must be asked for all events before the
    /// next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
    }

    /// Whether the client may hang up here without having broken off a frame.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        self.decoder.is_between_frames()
    }

    /// The next event; `None` if more bytes are needed.
    ///
    /// # Errors
    /// The client breaks the protocol; the connection cannot be read on.
    pub fn event(&mut self) -> Result<Option<Event>, ProtocolError> {
        if let Some(id) = self.complete.take() {
            return Ok(Some(Event::Complete(id)));
        }
        let Some(frame) = self.decoder.frame()? else { return Ok(None) };
        let message = FromClient::decode(&frame)?;
        let is_hello = matches!(message, FromClient::Hello(_));
        if is_hello == self.greeted {
            return Err(ProtocolError::Unexpected { kind: frame.kind });
        }
        self.take(message).map(Some)
    }

    fn take(&mut self, message: FromClient) -> Result<Event, ProtocolError> {
        match message {
            FromClient::Hello(hello) if hello.version != VERSION => {
                Err(ProtocolError::Version { version: hello.version })
            }
            FromClient::Hello(_) => {
                self.greeted = true;
                Ok(Event::Greeted)
            }
            FromClient::Ask(ask) => self.ask(ask),
            FromClient::Content(id, bytes) => self.content(id, bytes),
            FromClient::Cancel(id) => Ok(Event::Cancelled(id)),
            FromClient::Control(control) => Ok(Event::Controlled(control)),
        }
    }

    fn ask(&mut self, ask: Box<Ask>) -> Result<Event, ProtocolError> {
        if self.open.contains_key(&ask.id) {
            return Err(ProtocolError::DuplicateId);
        }
        match ask.source {
            Source::Content(0) => self.complete = Some(ask.id),
            Source::Content(_) if self.open.len() >= MOST_OPEN => {
                return Err(ProtocolError::TooMany);
            }
            Source::Content(size) => drop(self.open.insert(ask.id, size)),
            Source::Descriptor => {}
        }
        Ok(Event::Asked(ask))
    }

    fn content(&mut self, id: u32, bytes: Vec<u8>) -> Result<Event, ProtocolError> {
        let left = self.open.get_mut(&id).ok_or(ProtocolError::Content)?;
        *left = left.checked_sub(bytes.len() as u64).ok_or(ProtocolError::Content)?;
        if *left == 0 {
            self.open.remove(&id);
            self.complete = Some(id);
        }
        Ok(Event::Content { id, bytes })
    }
}

impl Default for Incoming {
    fn default() -> Self {
        Self::new()
    }
}

/// The longest body that a client may send.
pub const LONGEST_FROM_CLIENT: u32 = 256 << 10;
/// The longest body that the daemon sends.
pub const LONGEST_FROM_DAEMON: u32 = 64 << 20;
