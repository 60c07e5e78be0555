//! Frames: a length and JSON, and perhaps an open file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Sends one frame.
pub(super) fn send<T: Serialize>(
    socket: &UnixStream,
    content: &T,
    file: Option<&File>,
) -> io::Result<()> {
    let mut frame = vec![0; LENGTH];
    serde_json::to_writer(&mut frame, content)?;
    let length = frame.len().checked_sub(LENGTH).and_then(|length| u32::try_from(length).ok());
    let length = length.ok_or(io::ErrorKind::FileTooLarge)?;
    for (place, byte) in frame.iter_mut().zip(length.to_le_bytes()) {
        *place = byte;
    }
    esets_sys::send(socket, &frame, file)
}

/// Receives one frame of at most `longest` bytes before `deadline`; `None` if the other side is
/// gone.
pub(super) fn receive<T: DeserializeOwned>(
    socket: &UnixStream,
    longest: u32,
    deadline: Option<Instant>,
) -> io::Result<Option<(T, Option<File>)>> {
    let mut start = [0; LENGTH];
    let mut timed = Timed { socket, deadline };
    timed.arm()?;
    let (count, file) = esets_sys::receive(socket, &mut start)?;
    if count == 0 {
        return Ok(None);
    }
    timed.read_exact(start.get_mut(count..).unwrap_or_default())?;
    let length = u32::from_le_bytes(start);
    if length > longest {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"));
    }
    let mut content = Vec::new();
    timed.take(length.into()).read_to_end(&mut content)?;
    if content.len() < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((serde_json::from_slice(&content)?, file)))
}

/// A socket that is read until a deadline.
struct Timed<'s> {
    socket: &'s UnixStream,
    deadline: Option<Instant>,
}

impl Timed<'_> {
    /// Makes the next read wait no longer than the deadline.
    fn arm(&self) -> io::Result<()> {
        let Some(deadline) = self.deadline else { return Ok(()) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        self.socket.read(buffer)
    }
}

const LENGTH: usize = 4;

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_long_frame_arrives_whole() {
        let (here, there) = UnixStream::pair().unwrap();
        let text = "x".repeat(1 << 20);
        let sender = thread::spawn(move || send(&here, &text, None).unwrap());
        let (received, _) = receive::<String>(&there, 2 << 20, None).unwrap().unwrap();
        sender.join().unwrap();
        assert_eq!(received.len(), 1 << 20);
        assert!(receive::<String>(&there, 9, None).unwrap().is_none());
    }

    #[test]
    fn lies_about_lengths_and_drops_of_bytes_are_errors() {
        let (mut here, there) = UnixStream::pair().unwrap();
        here.write_all(&u32::MAX.to_le_bytes()).unwrap();
        assert!(receive::<String>(&there, 9, None).is_err());
        let (mut here, there) = UnixStream::pair().unwrap();
        here.write_all(&[9, 0, 0, 0, b'"']).unwrap();
        let soon = Instant::now() + Duration::from_millis(50);
        assert!(receive::<String>(&there, 9, Some(soon)).is_err());
    }
}
