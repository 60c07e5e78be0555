//! The Huffman coders of LHA, which other archivers have taken over, as delharc decodes them.

use std::io::{self, Read};

use delharc::decode::Decoder;

use crate::verdict::Reason;

/// Reads `left` bytes from a decoder of delharc.
pub(crate) struct Lzh<D> {
    decoder: D,
    left: u64,
}

impl<D> Lzh<D> {
    pub(crate) fn new(decoder: D, size: u64) -> Self {
        Self { decoder, left: size }
    }
}

impl<D> Lzh<D> {
    /// A decoder fails with all that was asked of it, so little is asked at a time.
    fn fill<R>(&mut self, output: &mut [u8]) -> io::Result<usize>
    where
        D: Decoder<R>,
        io::Error: From<delharc::LhaError<D::Error>>,
    {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = output.len().min(left).min(STEP);
        let output = output.get_mut(..count).unwrap_or_default();
        match self.decoder.fill_buffer(output).map_err(io::Error::from) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(error),
            Err(_) => return Err(io::Error::other(Reason::corrupt("LZH data"))),
        }
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

macro_rules! reads {
    ($($decoder:ty),*) => {
        $(impl<R: Read> Read for Lzh<$decoder> {
            fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
                self.fill(output)
            }
        })*
    };
}

reads!(
    delharc::decode::DecoderAny<R>,
    delharc::decode::Lh5Decoder<R>,
    delharc::decode::Lh7Decoder<R>
);

const STEP: usize = 64;
