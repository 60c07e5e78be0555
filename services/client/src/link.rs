//! The way to the daemon: a socket of this machine, or TLS to another.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A connection to the daemon.
#[derive(Debug)]
pub(crate) enum Link {
    /// On this machine; descriptors can travel.
    Local(UnixStream),
    /// To another machine.
    #[cfg(feature = "tls")]
    Remote(Box<crate::remote::Tunnel>),
}

impl Link {
    /// Whether an open file can be handed over.
    pub(crate) fn takes_files(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Sends all bytes, and with the first of them the file.
    pub(crate) fn send(&mut self, bytes: &[u8], file: Option<&File>) -> io::Result<()> {
        match self {
            Self::Local(socket) => esets_sys::send(&*socket, bytes, file),
            #[cfg(feature = "tls")]
            Self::Remote(_) if file.is_some() => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(feature = "tls")]
            Self::Remote(tunnel) => {
                use std::io::Write as _;

                tunnel.write_all(bytes)?;
                tunnel.flush()
            }
        }
    }

    /// Reads some bytes; 0 are the end.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Local(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Self::Remote(tunnel) => tunnel.read(buffer),
        }
    }

    /// Limits how long any single wait lasts.
    pub(crate) fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Local(socket) => socket.set_read_timeout(patience),
            #[cfg(feature = "tls")]
            Self::Remote(tunnel) => tunnel.sock.set_read_timeout(patience),
        }
    }
}
