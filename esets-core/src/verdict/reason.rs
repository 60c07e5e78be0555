//! Why part of an object was not looked at.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use super::Text;
use crate::cursor::Truncated;
use crate::session::Interruption;

/// Why part of an object was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The caller ended the scan.
    #[error("cancelled")]
    Cancelled,
    /// The object breaks its format; the text says where.
    #[error("corrupt: {0}")]
    Corrupt(Text),
    /// No known password opens it.
    #[error("encrypted")]
    Encrypted,
    /// A defect in this software; the text says which part.
    #[error("fault: {0}")]
    Fault(Text),
    /// A limit was reached.
    #[error("limit reached: {0}")]
    Limit(Limit),
    /// The object ends before its format does.
    #[error("truncated")]
    Truncated,
    /// The object uses a feature of its format that is not implemented; the text says which.
    #[error("unsupported: {0}")]
    Unsupported(Text),
}

impl Reason {
    /// The object breaks its format at `place`.
    #[must_use]
    pub const fn corrupt(place: &'static str) -> Self {
        Self::Corrupt(Text::Borrowed(place))
    }

    /// The object uses `feature`, which is not implemented.
    #[must_use]
    pub const fn unsupported(feature: &'static str) -> Self {
        Self::Unsupported(Text::Borrowed(feature))
    }

    /// Whether the cause lies in the scanner or its limits of time and memory, not in the object,
    /// so that trying again later may help.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Fault(_) | Self::Limit(Limit::Memory | Limit::Time))
    }

    /// The reason that a decoder's error stands for. A decoder says precisely what it means by
    /// wrapping a `Reason`: `io::Error::other(Reason::Encrypted)`.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Self {
        let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        match (wrapped, error.kind()) {
            (Some(reason), _) => reason.clone(),
            (None, io::ErrorKind::UnexpectedEof) => Self::Truncated,
            (None, io::ErrorKind::OutOfMemory) => Self::Limit(Limit::Memory),
            (None, io::ErrorKind::Unsupported) => Self::unsupported("feature of the compression"),
            (None, _) => Self::corrupt("compressed data"),
        }
    }
}

impl From<Truncated> for Reason {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

impl From<Interruption> for Reason {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::Cancelled => Self::Cancelled,
            Interruption::Time => Self::Limit(Limit::Time),
        }
    }
}

/// Which limit was reached; see [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// Comparisons with signatures in one object: it was made to look like many of them.
    Comparisons,
    /// Nesting.
    Depth,
    /// Bytes of unpacked members in memory at a time.
    Memory,
    /// Objects in one scan.
    Objects,
    /// Bytes of one member.
    ObjectSize,
    /// Bytes unpacked per byte of the scanned object.
    Ratio,
    /// Readings of an ambiguous container.
    Readings,
    /// Bytes scanned in one scan.
    ScanSize,
    /// The caller's clock.
    Time,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
