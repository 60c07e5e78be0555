//! Stored data of a stated size.

use std::io::{self, Read};

/// A reader of `data`, which ends in an error if less is there than the `size` stated for it.
pub(crate) fn whole<'a>(data: impl Read + 'a, length: usize, size: u64) -> Box<dyn Read + 'a> {
    if (length as u64) < size {
        Box::new(data.chain(Failing::new(io::ErrorKind::UnexpectedEof.into())))
    } else {
        Box::new(data)
    }
}

/// Reads nothing but an error, once.
pub(crate) struct Failing(Option<io::Error>);

impl Failing {
    pub(crate) fn new(error: io::Error) -> Self {
        Self(Some(error))
    }
}

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
