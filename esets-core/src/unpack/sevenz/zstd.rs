//! Zstandard frames (RFC 8878) one behind the other, as the packers that add it to 7z write them.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::decode;
use crate::verdict::Reason;

/// Decodes frame after frame and passes over what may be skipped.
pub(super) struct Frames<R> {
    source: R,
    frame: FrameDecoder,
    is_open: bool,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R, max_window: u64) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(max_window);
        Self { source, frame, is_open: false }
    }

    /// Opens the next frame; `false` if there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            match self.frame.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(error)) => match error {
                    ReadFrameHeaderError::MagicNumberReadError(_) => return Ok(false),
                    ReadFrameHeaderError::SkipFrame { length, .. } => {
                        decode::skip(&mut self.source, length.into())?;
                    }
                    _ => return Err(io::Error::other(Reason::corrupt("zstd frame"))),
                },
                Err(_) => return Err(io::Error::other(Reason::corrupt("zstd frame"))),
            }
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !output.is_empty() {
            let is_over = self.frame.is_finished() && self.frame.can_collect() == 0;
            if !self.is_open || is_over {
                self.is_open = self.next_frame()?;
            }
            if !self.is_open {
                break;
            }
            if self.frame.can_collect() == 0 && !self.frame.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.frame.decode_blocks(&mut self.source, one);
                decoded.map_err(|_| io::Error::other(Reason::corrupt("zstd block")))?;
            }
            let count = self.frame.read(output)?;
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }
}
