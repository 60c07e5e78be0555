//! Stored data of a stated size.

use std::io::{self, Read};

/// A reader of `data`, which ends in an error if less is there than the `size` stated for it.
pub(crate) fn whole<'a>(data: impl Read + 'a, length: usize, size: u64) -> Box<dyn Read + 'a> {
    if (length as u64) < size { Box::new(data.chain(Cut)) } else { Box::new(data) }
}

/// Where data should go on and does not.
struct Cut;

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
