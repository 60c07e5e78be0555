//! Raw DEFLATE (RFC 1951) over borrowed bytes; tells a cut stream from a finished one.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::Stream;
use crate::verdict::Reason;

/// Inflates a stream and stops behind its last block.
pub(crate) struct Inflate<'a> {
    input: &'a [u8],
    state: Decompress,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Corrupt,
    Truncated,
}

impl<'a> Inflate<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { input, state: Decompress::new(false), end: None }
    }

    /// The same behind data that matches may reach back into, as in MSZIP.
    pub(crate) fn with_dictionary(input: &'a [u8], dictionary: &[u8]) -> Self {
        let mut inflate = Self::new(input);
        if !dictionary.is_empty() && inflate.state.set_dictionary(dictionary).is_err() {
            inflate.end = Some(End::Corrupt);
        }
        inflate
    }

    /// One step; the count of bytes that it wrote.
    fn step(&mut self, output: &mut [u8]) -> usize {
        let (read, written) = (self.state.total_in(), self.state.total_out());
        let status = self.state.decompress(self.input, output, FlushDecompress::None);
        let read = since(read, self.state.total_in());
        let written = since(written, self.state.total_out());
        self.input = self.input.get(read..).unwrap_or_default();
        self.end = match status {
            Ok(Status::StreamEnd) => Some(End::Complete),
            Ok(_) if written == 0 && read == 0 => Some(End::Truncated),
            Ok(_) => None,
            Err(_) => Some(End::Corrupt),
        };
        written
    }
}

impl Read for Inflate<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            match self.end {
                None => {}
                Some(End::Complete) => return Ok(0),
                Some(End::Corrupt) => {
                    return Err(io::Error::other(Reason::corrupt("deflate data")));
                }
                Some(End::Truncated) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            let written = self.step(output);
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

impl<'a> Stream<'a> for Inflate<'a> {
    fn rest(&self) -> &'a [u8] {
        self.input
    }
}

fn since(before: u64, now: u64) -> usize {
    usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
}
