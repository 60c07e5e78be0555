//! WARC, ISO 28500: records of what a crawler got.

use memchr::memmem;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Warc;

impl Unpacker for Warc {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::new(subject.bytes());
        while FORMAT.matches(cursor.rest()) {
            let length = memmem::find(cursor.rest(), b"\r\n\r\n").ok_or(Reason::Truncated)?;
            let header = cursor.take(length)?;
            cursor.take(4)?;
            let size = field(header, b"content-length");
            let size = size.and_then(|size| std::str::from_utf8(size).ok()?.parse().ok());
            let size: u64 = size.ok_or(Reason::corrupt("content length"))?;
            let block = cursor.take_up_to(size);
            record(header, block, children)?;
            if (block.len() as u64) < size {
                return Err(Reason::Truncated.into());
            }
            cursor.take_up_to(4); // two line ends
        }
        Ok(())
    }
}

/// Offers a block, or the body of the HTTP message in it.
fn record(header: &[u8], block: &[u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
    let name = field(header, b"warc-target-uri").unwrap_or(b"record");
    let is_http =
        field(header, b"content-type").is_some_and(|kind| kind.starts_with(b"application/http"));
    let end = memmem::find(block, b"\r\n\r\n").filter(|_| is_http);
    let Some((head, body)) = end.and_then(|end| block.split_at_checked(end)) else {
        return Ok(children.slice(Member::named(name), block)?);
    };
    let body = body.get(4..).unwrap_or_default();
    let is_chunked = field(head, b"transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"));
    if is_chunked {
        let mut reader = Chunked { rest: body, left: 0 };
        return Ok(children.stream(Member::named(name), &mut reader)?);
    }
    Ok(children.slice(Member::named(name), body)?)
}

/// The value of a field, by its name in lower case.
fn field<'a>(header: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    header.split(|byte| *byte == b'\n').find_map(|line| {
        let (key, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        key.eq_ignore_ascii_case(name).then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

/// Chunks (RFC 9112, 7.1): a size in hexadecimal digits on a line, then as many bytes.
struct Chunked<'a> {
    rest: &'a [u8],
    left: usize,
}

impl Chunked<'_> {
    /// Reads the line before a chunk; `None` at the last chunk or at what is none.
    fn open(&mut self) -> Option<usize> {
        let rest = self.rest.strip_prefix(b"\r\n").unwrap_or(self.rest);
        let (line, rest) = rest.split_at_checked(memchr::memchr(b'\n', rest)?)?;
        self.rest = rest.get(1..).unwrap_or_default();
        let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        (size > 0).then_some(size)
    }
}

impl std::io::Read for Chunked<'_> {
    fn read(&mut self, output: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            match self.open() {
                Some(size) => self.left = size,
                None => return Ok(0),
            }
        }
        let most = self.left.min(output.len());
        let (chunk, rest) = self.rest.split_at_checked(most).unwrap_or((self.rest, b""));
        if chunk.is_empty() && most > 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        output.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        self.rest = rest;
        self.left = self.left.saturating_sub(chunk.len());
        Ok(chunk.len())
    }
}

static FORMAT: Format = Format {
    name: "warc",
    about: "WARC web archive",
    extensions: &["warc"],
    magic: &[Magic::start(b"WARC/0."), Magic::start(b"WARC/1.")],
    specification: &["ISO 28500:2017", "RFC 9112"],
    limitations: &["records cut into segments are read one by one"],
};
