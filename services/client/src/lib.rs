//! The protocol of `esets_daemon`, and a client of it over a Unix socket or, with the feature
//! `tls`, to another machine.
//!
//! An object is handed over as content or as an open descriptor, never as a path: the daemon opens
//! nothing for anybody. `docs/protocol.md` describes the frames; [`Incoming`] is the daemon's side
//! of a connection without I/O, [`Client`] the other side with it, and [`DaemonFilter`] what an
//! agent asks.
//!
//! ```no_run
//! use std::path::Path;
//! use esets_client::{Client, Content, Request};
//!
//! let mut client = Client::connect(Path::new("/tmp/esets.sock"))?;
//! let answer = client.scan(&Request::default(), Content::Bytes(b"Subject: hi\n\n"))?;
//! println!("{}", answer.outcome.decision().action);
//! # Ok::<(), esets_client::ClientError>(())
//! ```

mod client;
mod error;
mod filter;
pub mod frame;
mod link;
mod message;
mod proto;
#[cfg(feature = "tls")]
mod remote;

pub use client::{Client, Content, Reply, Request};
pub use error::{ClientError, MOST_OPEN, ProtocolError};
pub use filter::{DaemonFilter, connect};
pub use message::{
    Answer, Ask, Command, Control, Envelope, FromClient, FromDaemon, Hello, Progress, Refusal,
    Report, Source, VERSION, Want, Welcome,
};
pub use proto::{Event, Incoming, LONGEST_FROM_CLIENT, LONGEST_FROM_DAEMON};
#[cfg(feature = "tls")]
pub use remote::{Credentials, Remote};
