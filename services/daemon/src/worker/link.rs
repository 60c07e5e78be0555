//! Frames and descriptors over a socket, for a thread that waits.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;

use esets_client::frame::{Decoder, Frame, encode};
use serde::Serialize;

/// One side of a connection between daemon and worker.
#[derive(Debug)]
pub(crate) struct Link {
    socket: UnixStream,
    decoder: Decoder,
    files: VecDeque<File>,
}

impl Link {
    pub(crate) fn new(socket: UnixStream, longest: u32) -> Self {
        Self { socket, decoder: Decoder::new(longest), files: VecDeque::new() }
    }

    /// The next frame; `None` if the other side is gone.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Frame>> {
        let mut buffer = [0; 32 << 10];
        loop {
            if let Some(frame) = self.decoder.frame().map_err(io::Error::other)? {
                return Ok(Some(frame));
            }
            let (count, file) = esets_sys::receive(&self.socket, &mut buffer)?;
            if count == 0 {
                return Ok(None);
            }
            self.files.extend(file);
            self.decoder.feed(buffer.get(..count).unwrap_or_default());
        }
    }

    /// The first descriptor that came and was not taken yet.
    pub(crate) fn take_file(&mut self) -> Option<File> {
        self.files.pop_front()
    }

    /// Whether a frame waits, or part of one, or the end.
    pub(crate) fn has_more(&self) -> bool {
        !self.decoder.is_between_frames() || esets_sys::is_readable(&self.socket)
    }

    pub(crate) fn send(&self, kind: u8, body: &[u8]) -> io::Result<()> {
        let mut frame = Vec::new();
        encode(kind, &[body], &mut frame).map_err(io::Error::other)?;
        esets_sys::send(&self.socket, &frame, None)
    }

    pub(crate) fn send_json<T: Serialize>(&self, kind: u8, body: &T) -> io::Result<()> {
        self.send(kind, &serde_json::to_vec(body)?)
    }

    /// Sends two numbers.
    pub(crate) fn tell(&self, kind: u8, first: u64, second: u64) -> io::Result<()> {
        self.send(kind, &[first.to_le_bytes(), second.to_le_bytes()].concat())
    }
}
