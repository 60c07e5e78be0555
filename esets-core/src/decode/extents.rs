//! Contents that lie in pieces: blocks of a disk image, extents of a file.

use std::io::{self, Read};

use super::Inflate;
use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::unpack::UnpackError;
use crate::verdict::Reason;

/// One piece of a content.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent<'a> {
    /// The bytes themselves.
    Bytes(&'a [u8]),
    /// A raw deflate stream that must yield so many bytes; what is missing is read as zeros.
    Deflate(&'a [u8], u64),
    /// So many zero bytes, which the image does not store.
    Zeros(u64),
}

/// Reads the pieces that an iterator yields one behind the other. A reason that it yields ends
/// the content.
pub(crate) struct Extents<'a, I> {
    pieces: I,
    current: Current<'a>,
}

enum Current<'a> {
    Bytes(&'a [u8]),
    Deflate(Box<Inflate<'a>>, u64),
    Zeros(u64),
}

impl<'a, I: Iterator<Item = Result<Extent<'a>, Reason>>> Extents<'a, I> {
    pub(crate) fn new(pieces: impl IntoIterator<IntoIter = I>) -> Self {
        Self { pieces: pieces.into_iter(), current: Current::Zeros(0) }
    }
}

impl<'a, I: Iterator<Item = Result<Extent<'a>, Reason>>> Read for Extents<'a, I> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(output)?;
            if count > 0 || output.is_empty() {
                return Ok(count);
            }
            self.current = match self.pieces.next() {
                None => return Ok(0),
                Some(Err(reason)) => return Err(io::Error::other(reason)),
                Some(Ok(Extent::Bytes(bytes))) => Current::Bytes(bytes),
                Some(Ok(Extent::Deflate(packed, size))) => {
                    Current::Deflate(Box::new(Inflate::new(packed)), size)
                }
                Some(Ok(Extent::Zeros(size))) => Current::Zeros(size),
            };
        }
    }
}

impl Read for Current<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Bytes(bytes) => {
                let cursor = &mut Cursor::new(bytes);
                let count = cursor.read(output)?;
                *bytes = cursor.rest();
                Ok(count)
            }
            Self::Deflate(inflate, left) => {
                let room = usize::try_from(*left).unwrap_or(usize::MAX).min(output.len());
                let output = output.get_mut(..room).unwrap_or_default();
                let count = inflate.read(output)?;
                if count == 0 {
                    *self = Self::Zeros(*left);
                    return self.read(output);
                }
                *left = left.saturating_sub(count as u64);
                Ok(count)
            }
            Self::Zeros(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(output.len());
                output.iter_mut().take(count).for_each(|byte| *byte = 0);
                *left = left.saturating_sub(count as u64);
                Ok(count)
            }
        }
    }
}

/// `length` bytes at `offset`, or why they are not there.
pub(crate) fn stored(bytes: &[u8], offset: u64, length: u64) -> Result<Extent<'_>, Reason> {
    let rest = Cursor::at(bytes, offset)?.take_up_to(length);
    if (rest.len() as u64) < length { Err(Reason::Truncated) } else { Ok(Extent::Bytes(rest)) }
}

/// Offers the part of a disk at `(offset, size)`; one that the image does not hold as a whole is
/// offered as far as it goes, and said to be cut.
pub(crate) fn offer_partition(
    disk: &[u8],
    (offset, size): (u64, u64),
    member: Member<'_>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let body = Cursor::at(disk, offset).map(|mut cursor| cursor.take_up_to(size));
    let body = body.unwrap_or_default();
    children.slice(member, body)?;
    if (body.len() as u64) < size {
        children.not_scanned(Reason::Truncated);
    }
    Ok(())
}
