//! What can go wrong between a client and the daemon.

use std::io;

/// The other side breaks the protocol; the connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Content for a request that expects none, or more than it announced.
    #[error("content that no request announced")]
    Content,
    /// A descriptor was announced and did not come.
    #[error("the descriptor of a request is missing")]
    Descriptor,
    /// Two requests at a time with one number.
    #[error("the number of a request is in use")]
    DuplicateId,
    /// The body of a frame is not what its kind says.
    #[error("malformed frame of kind {kind}: {cause}")]
    Malformed {
        /// The kind of the frame.
        kind: u8,
        /// What is wrong with it.
        cause: String,
    },
    /// Too many requests at a time in one connection.
    #[error("more than {MOST_OPEN} requests at a time in one connection")]
    TooMany,
    /// A frame is longer than its receiver allows.
    #[error("frame longer than {longest} bytes")]
    TooLong {
        /// How long it may be.
        longest: u32,
    },
    /// A frame where it has no place, or of an unknown kind.
    #[error("unexpected frame of kind {kind}")]
    Unexpected {
        /// The kind of the frame.
        kind: u8,
    },
    /// The first frame asks for a version that is not spoken here.
    #[error("protocol version {version} is not spoken here")]
    Version {
        /// The version asked for.
        version: u32,
    },
}

/// Why the daemon gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("the daemon cannot be reached: {0}")]
    Connect(#[source] io::Error),
    /// The connection broke.
    #[error("the connection to the daemon broke: {0}")]
    Io(#[from] io::Error),
    /// The daemon breaks the protocol.
    #[error("the daemon answers wrongly: {0}")]
    Protocol(#[from] ProtocolError),
    /// The daemon will not do what it was asked.
    #[error("the daemon refuses: {0}")]
    Refused(String),
}

/// How many requests one connection may have at a time.
pub const MOST_OPEN: usize = 64;
