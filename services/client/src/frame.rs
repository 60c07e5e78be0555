//! Frames: a kind, a length, a body. Bytes in, frames out; no I/O.

use crate::error::ProtocolError;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the body is; see the constants of [`kind`].
    pub kind: u8,
    /// The body.
    pub body: Vec<u8>,
}

/// What a frame's body is.
pub mod kind {
    /// JSON [`Hello`](crate::Hello), from the client, first.
    pub const HELLO: u8 = 1;
    /// JSON [`Ask`](crate::Ask).
    pub const ASK: u8 = 2;
    /// The request's number, then bytes of its content.
    pub const CONTENT: u8 = 3;
    /// The number of a request that nobody waits for any more.
    pub const CANCEL: u8 = 4;
    /// JSON [`Control`](crate::Control).
    pub const CONTROL: u8 = 5;
    /// JSON [`Welcome`](crate::Welcome), from the daemon, first.
    pub const WELCOME: u8 = 129;
    /// JSON [`Progress`](crate::Progress).
    pub const PROGRESS: u8 = 130;
    /// JSON [`Answer`](crate::Answer).
    pub const ANSWER: u8 = 131;
    /// JSON [`Refusal`](crate::Refusal).
    pub const REFUSAL: u8 = 132;
    /// JSON [`Report`](crate::Report).
    pub const REPORT: u8 = 133;
}

/// Appends a frame to `out`.
///
/// # Errors
/// The body is longer than 4 GiB.
pub fn encode(kind: u8, parts: &[&[u8]], out: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let length = parts.iter().map(|part| part.len()).fold(0, usize::saturating_add);
    let length = u32::try_from(length).map_err(|_| ProtocolError::TooLong { longest: u32::MAX })?;
    out.push(kind);
    out.extend(length.to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
    Ok(())
}

/// Finds frames in a stream of bytes that may be cut anywhere.
///
/// It keeps the bytes of at most one unfinished frame, and what was fed since the last call of
/// [`Decoder::frame`].
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    read: usize,
    longest: u32,
}

impl Decoder {
    /// A decoder that refuses bodies of more than `longest` bytes.
    #[must_use]
    pub fn new(longest: u32) -> Self {
        Self { buffer: Vec::new(), read: 0, longest }
    }

    /// Takes bytes from the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` if more bytes are needed.
    ///
    /// # Errors
    /// The frame is too long. The stream cannot be read on.
    pub fn frame(&mut self) -> Result<Option<Frame>, ProtocolError> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let Some((head, rest)) = rest.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [kind, length @ ..] = *head;
        let length = u32::from_le_bytes(length);
        if length > self.longest {
            return Err(ProtocolError::TooLong { longest: self.longest });
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let frame = Frame { kind, body: body.to_vec() };
        self.read = self.read.saturating_add(HEAD).saturating_add(length);
        if self.read == self.buffer.len() {
            // An idle connection keeps no memory.
            self.buffer = Vec::new();
            self.read = 0;
        }
        Ok(Some(frame))
    }

    /// Whether the stream may end here.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        self.buffer.len() == self.read
    }
}

/// Bytes before the body.
const HEAD: usize = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_beyond_the_longest_is_refused_before_its_bytes_come() {
        let mut decoder = Decoder::new(10);
        decoder.feed(&[kind::ASK, 11, 0, 0, 0]);
        assert_eq!(decoder.frame(), Err(ProtocolError::TooLong { longest: 10 }));
    }

    #[test]
    fn half_a_frame_is_no_frame() {
        let mut decoder = Decoder::new(10);
        decoder.feed(&[kind::ASK, 2, 0, 0, 0, b'x']);
        assert_eq!(decoder.frame(), Ok(None));
        assert!(!decoder.is_between_frames());
        decoder.feed(b"y");
        assert_eq!(decoder.frame().unwrap().unwrap().body, b"xy");
        assert!(decoder.is_between_frames());
    }

    proptest! {
        #[test]
        fn frames_survive_any_cut(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
            step in 1_usize..50,
        ) {
            let mut stream = Vec::new();
            for body in &bodies {
                encode(7, &[body], &mut stream).unwrap();
            }
            let mut decoder = Decoder::new(40);
            let mut found = Vec::new();
            for piece in stream.chunks(step) {
                decoder.feed(piece);
                while let Some(frame) = decoder.frame().unwrap() {
                    found.push(frame.body);
                }
            }
            prop_assert_eq!(found, bodies);
            prop_assert!(decoder.is_between_frames());
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let mut decoder = Decoder::new(16);
            decoder.feed(&bytes);
            while let Ok(Some(frame)) = decoder.frame() {
                prop_assert!(frame.body.len() <= 16);
            }
        }
    }
}
