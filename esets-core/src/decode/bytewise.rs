//! Decoders that find one byte at a time, as readers.

use std::io::{self, Read};

/// Reads what an iterator of bytes gives. An error ends it: it is told once, behind all that came
/// before it, and the iterator, which may be out of step by then, is asked no more.
pub(crate) struct Bytewise<I> {
    bytes: Option<I>,
    failed: Option<io::Error>,
}

impl<I> Bytewise<I> {
    pub(crate) fn new(bytes: I) -> Self {
        Self { bytes: Some(bytes), failed: None }
    }
}

impl<I: Iterator<Item = io::Result<u8>>> Read for Bytewise<I> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let mut count = 0_usize;
        for place in output {
            match self.bytes.as_mut().and_then(Iterator::next) {
                Some(Ok(byte)) => *place = byte,
                end => {
                    self.bytes = None;
                    self.failed = self.failed.take().or(end.and_then(Result::err));
                    break;
                }
            }
            count = count.saturating_add(1);
        }
        let failed = self.failed.take_if(|_| count == 0);
        failed.map_or(Ok(count), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_once_and_is_the_end() {
        let decoded = [Ok(1), Ok(2), Err(io::ErrorKind::InvalidData.into()), Ok(3)];
        let mut reader = Bytewise::new(decoded.into_iter());
        let mut output = [0; 8];
        assert_eq!(reader.read(&mut output).unwrap(), 2);
        assert_eq!(output[..2], [1, 2]);
        assert_eq!(reader.read(&mut output).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(reader.read(&mut output).unwrap(), 0, "nothing comes behind the error");
    }

    #[test]
    fn what_fits_is_given_and_the_rest_later() {
        let mut reader = Bytewise::new([1, 2, 3].into_iter().map(Ok));
        let mut output = [0; 2];
        assert_eq!(reader.read(&mut output).unwrap(), 2);
        assert_eq!(reader.read(&mut output).unwrap(), 1);
        assert_eq!(reader.read(&mut output).unwrap(), 0);
    }
}
