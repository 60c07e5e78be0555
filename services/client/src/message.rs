//! What client and daemon say to each other: the bodies of the frames.

use std::net::IpAddr;

use esets_policy::core::{Limits, Options};
use esets_policy::{Context, Outcome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::ProtocolError;
use crate::frame::{Frame, encode, kind};

/// The first frame of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the protocol that the client speaks: [`VERSION`].
    pub version: u32,
    /// The word that lets clients in that come over the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// The first frame of the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version of the protocol that is spoken from here on.
    pub version: u32,
    /// The daemon's own version.
    pub daemon: String,
}

/// A request to scan one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// A number that the answer will carry; free to use again after it.
    pub id: u32,
    /// The name of the object, as raw bytes. Nothing is opened by it.
    #[serde(default)]
    pub name: Vec<u8>,
    /// How the object comes.
    pub source: Source,
    /// Who sends it to whom.
    #[serde(default)]
    pub envelope: Envelope,
    /// What is wanted.
    #[serde(default)]
    pub want: Want,
    /// Whether to tell how far the scan is.
    #[serde(default)]
    pub progress: bool,
}

/// How an object comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// This many bytes follow in [`kind::CONTENT`] frames.
    Content(u64),
    /// An open regular file came with the first byte of the frame (`SCM_RIGHTS`).
    Descriptor,
}

/// What a client wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Want {
    /// What happens to the object under the daemon's policy. It is logged, counted and, if the
    /// policy says so, quarantined.
    #[default]
    Decision,
    /// A verdict and nothing else.
    Verdict {
        /// What to look for; by default what the policy says.
        options: Option<Options>,
        /// How far to go, within what the policy allows.
        limits: Option<Limits>,
        /// How long it may take, within what the policy allows.
        seconds: Option<u64>,
    },
}

/// A [`Context`] that owns its texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// As [`Context::agent`].
    pub agent: String,
    /// As [`Context::client`].
    pub client: Option<IpAddr>,
    /// As [`Context::server`].
    pub server: Option<IpAddr>,
    /// As [`Context::sender`].
    pub sender: Option<String>,
    /// As [`Context::recipients`].
    pub recipients: Vec<String>,
    /// As [`Context::user`].
    pub user: Option<String>,
    /// As [`Context::may_modify`].
    pub may_modify: bool,
}

impl Envelope {
    /// Keeps a context.
    #[must_use]
    pub fn of(context: &Context<'_>) -> Self {
        Self {
            agent: context.agent.to_owned(),
            client: context.client,
            server: context.server,
            sender: context.sender.map(str::to_owned),
            recipients: context.recipients.iter().map(|name| (*name).to_owned()).collect(),
            user: context.user.map(str::to_owned),
            may_modify: context.may_modify,
        }
    }

    /// Lends itself as a context.
    pub fn with<T>(&self, use_it: impl FnOnce(&Context<'_>) -> T) -> T {
        let recipients: Vec<&str> = self.recipients.iter().map(String::as_str).collect();
        let mut context = Context::new(&self.agent).recipients(&recipients);
        context.client = self.client;
        context.server = self.server;
        context.sender = self.sender.as_deref();
        context.user = self.user.as_deref();
        context.may_modify = self.may_modify;
        use_it(&context)
    }
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The number of the request.
    pub id: u32,
    /// Objects met so far.
    pub objects: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// The answer to an [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The number of the request.
    pub id: u32,
    /// The handle under which the daemon logged it; 0 if it did not.
    pub handle: u32,
    /// What was found, and what happens; no dispositions if only a verdict was wanted.
    pub outcome: Outcome,
}

/// The answer to a request that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The number of the request; 0 for the connection as a whole, which then ends.
    pub id: u32,
    /// Why, in English.
    pub why: String,
}

/// A request about the daemon itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// A number that the answer will carry.
    pub id: u32,
    /// What is wanted.
    pub command: Command,
}

/// What the daemon can be asked about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Command {
    /// Numbers for Prometheus.
    Metrics,
    /// Read configuration and database anew; for root and the daemon's own user.
    Reload,
    /// State, for people.
    Status,
    /// Finish what was begun, then end; for root and the daemon's own user.
    Stop,
    /// The version of the program and of its database.
    Version,
}

/// The answer to a [`Control`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The number of the request.
    pub id: u32,
    /// The text.
    pub text: String,
}

/// What a client says.
#[derive(Clone, Debug, PartialEq)]
pub enum FromClient {
    /// The first frame.
    Hello(Hello),
    /// A request.
    Ask(Box<Ask>),
    /// Content of the request with this number.
    Content(u32, Vec<u8>),
    /// Nobody waits for the request with this number.
    Cancel(u32),
    /// A request about the daemon itself.
    Control(Control),
}

/// What the daemon says.
#[derive(Clone, Debug, PartialEq)]
pub enum FromDaemon {
    /// The first frame.
    Welcome(Welcome),
    /// How far a scan is.
    Progress(Progress),
    /// The answer to a request.
    Answer(Box<Answer>),
    /// The answer to a request that cannot be done.
    Refusal(Refusal),
    /// The answer to a request about the daemon itself.
    Report(Report),
}

impl FromClient {
    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// It is longer than a frame can be.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
        match self {
            Self::Hello(body) => json(kind::HELLO, body, out),
            Self::Ask(body) => json(kind::ASK, body, out),
            Self::Content(id, bytes) => encode(kind::CONTENT, &[&id.to_le_bytes(), bytes], out),
            Self::Cancel(id) => encode(kind::CANCEL, &[&id.to_le_bytes()], out),
            Self::Control(body) => json(kind::CONTROL, body, out),
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// The kind is unknown or the body malformed.
    pub fn decode(frame: &Frame) -> Result<Self, ProtocolError> {
        Ok(match frame.kind {
            kind::HELLO => Self::Hello(parse(frame)?),
            kind::ASK => Self::Ask(parse(frame)?),
            kind::CONTENT => {
                let (id, bytes) = number(frame)?;
                Self::Content(id, bytes.to_vec())
            }
            kind::CANCEL => Self::Cancel(number(frame)?.0),
            kind::CONTROL => Self::Control(parse(frame)?),
            kind => return Err(ProtocolError::Unexpected { kind }),
        })
    }
}

impl FromDaemon {
    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// It is longer than a frame can be.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
        match self {
            Self::Welcome(body) => json(kind::WELCOME, body, out),
            Self::Progress(body) => json(kind::PROGRESS, body, out),
            Self::Answer(body) => json(kind::ANSWER, body, out),
            Self::Refusal(body) => json(kind::REFUSAL, body, out),
            Self::Report(body) => json(kind::REPORT, body, out),
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// The kind is unknown or the body malformed.
    pub fn decode(frame: &Frame) -> Result<Self, ProtocolError> {
        Ok(match frame.kind {
            kind::WELCOME => Self::Welcome(parse(frame)?),
            kind::PROGRESS => Self::Progress(parse(frame)?),
            kind::ANSWER => Self::Answer(parse(frame)?),
            kind::REFUSAL => Self::Refusal(parse(frame)?),
            kind::REPORT => Self::Report(parse(frame)?),
            kind => return Err(ProtocolError::Unexpected { kind }),
        })
    }
}

fn json<T: Serialize>(kind: u8, body: &T, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let body = serde_json::to_vec(body).map_err(|error| malformed(kind, &error))?;
    encode(kind, &[&body], out)
}

fn parse<T: DeserializeOwned>(frame: &Frame) -> Result<T, ProtocolError> {
    serde_json::from_slice(&frame.body).map_err(|error| malformed(frame.kind, &error))
}

/// The number at the start of a body, and the rest.
fn number(frame: &Frame) -> Result<(u32, &[u8]), ProtocolError> {
    let split = frame.body.split_first_chunk();
    let (number, rest) = split.ok_or_else(|| malformed(frame.kind, &"it is too short"))?;
    Ok((u32::from_le_bytes(*number), rest))
}

fn malformed(kind: u8, cause: &dyn std::fmt::Display) -> ProtocolError {
    ProtocolError::Malformed { kind, cause: cause.to_string() }
}

/// The version of the protocol.
pub const VERSION: u32 = 1;
