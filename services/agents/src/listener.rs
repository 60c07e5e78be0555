//! Sockets of either kind, so that an agent need not care.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// On a port: anybody on the network may speak.
    Tcp(TcpListener),
    /// In the file system: users of this machine speak.
    Unix(UnixListener),
}

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// From the network.
    Tcp(TcpStream),
    /// From this machine.
    Unix(UnixStream),
}

impl Listener {
    /// Waits for the next connection.
    ///
    /// # Errors
    /// Those of accept(2).
    pub fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => listener.accept().map(|(stream, _)| Stream::Tcp(stream)),
            Self::Unix(listener) => listener.accept().map(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

impl Stream {
    /// Reads bytes, and the file that came with them; 0 bytes are the end.
    ///
    /// # Errors
    /// Those of recvmsg(2).
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Option<File>)> {
        match self {
            Self::Tcp(stream) => stream.read(buffer).map(|count| (count, None)),
            Self::Unix(stream) => esets_sys::receive(&*stream, buffer),
        }
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// Those of write(2).
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Ends a connection whose client still sends: it gets what was said last, which a plain end
    /// would take from it.
    pub fn linger(&mut self) {
        let shut = match &self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
        let mut buffer = [0; 16 << 10];
        let mut left = LINGER;
        while shut.is_ok() && left > 0 {
            match self.receive(&mut buffer) {
                Ok((count @ 1.., _)) => left = left.saturating_sub(count),
                _ => return,
            }
        }
    }

    /// Limits how long a read or a write waits.
    ///
    /// # Errors
    /// The duration is zero.
    pub fn set_patience(&self, patience: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))
            }
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))
            }
        }
    }
}

/// Bytes that a client may still send.
const LINGER: usize = 64 << 20;
