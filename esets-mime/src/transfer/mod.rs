//! Transfer encodings: what stands between the bytes of a body and its content.

mod base64;
mod quoted_printable;
mod utf16;
mod uuencode;
mod yenc;

pub(crate) use base64::{is_clean as is_clean_base64, looks_like as looks_like_base64};
pub(crate) use uuencode::{is_uu_line, is_xx_line};

use crate::bytes::{Breaks, from, line_end, slice, up_to};
use std::fmt;
use std::io::{self, Read};

/// How a body is to be decoded. The ways to read damaged base64 differ between mail programs, so
/// each is an encoding of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Encoding {
    /// 7bit, 8bit, binary: the body is the content.
    Identity,
    /// RFC 2045, 6.8: foreign characters are skipped, padding ends a group and not the stream.
    Base64,
    /// Base64 without the lines that hold foreign characters.
    Base64CleanLines,
    /// Base64 with padding skipped like any foreign character.
    Base64IgnoringPadding,
    /// Base64 decoded twice.
    Base64Twice,
    /// Base64 up to the first padding.
    Base64UntilPadding,
    /// Base64 with `-` and `_`, as in RFC 4648, 5.
    Base64Url,
    /// RFC 2045, 6.7: escapes that are none stay as they are.
    QuotedPrintable,
    /// Big-endian UTF-16, to UTF-8.
    Utf16Be,
    /// Little-endian UTF-16, to UTF-8.
    Utf16Le,
    /// The data lines of uuencode (POSIX).
    Uuencode,
    /// The data lines of xxencode.
    Xxencode,
    /// yEnc 1.3; control lines are skipped.
    Yenc,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Base64 => "base64",
            Self::Base64CleanLines => "base64 (clean lines)",
            Self::Base64IgnoringPadding => "base64 (ignoring padding)",
            Self::Base64Twice => "base64 (twice)",
            Self::Base64UntilPadding => "base64 (until padding)",
            Self::Base64Url => "base64 (url)",
            Self::QuotedPrintable => "quoted-printable",
            Self::Utf16Be => "utf-16be",
            Self::Utf16Le => "utf-16le",
            Self::Uuencode => "uuencode",
            Self::Xxencode => "xxencode",
            Self::Yenc => "yenc",
        })
    }
}

impl Encoding {
    /// A reader of the content of `body`. It never returns an error, whatever the bytes are.
    #[must_use]
    pub fn decode(self, body: &[u8]) -> Decoded<'_> {
        let stages: Vec<Box<dyn Decode + Send>> = match self {
            Self::Identity => vec![],
            Self::Base64 | Self::Base64CleanLines => vec![Box::new(base64::Base64::new())],
            Self::Base64Twice => {
                vec![Box::new(base64::Base64::new()), Box::new(base64::Base64::new())]
            }
            Self::Base64IgnoringPadding => vec![Box::new(base64::Base64::ignoring_padding())],
            Self::Base64UntilPadding => vec![Box::new(base64::Base64::until_padding())],
            Self::Base64Url => vec![Box::new(base64::Base64::url())],
            Self::QuotedPrintable => vec![Box::new(quoted_printable::QuotedPrintable)],
            Self::Utf16Be => vec![Box::new(utf16::Utf16::new(encoding_rs::UTF_16BE))],
            Self::Utf16Le => vec![Box::new(utf16::Utf16::new(encoding_rs::UTF_16LE))],
            Self::Uuencode => vec![Box::new(uuencode::Uuencode::uu())],
            Self::Xxencode => vec![Box::new(uuencode::Uuencode::xx())],
            Self::Yenc => vec![Box::new(yenc::Yenc::default())],
        };
        let clean_line = (self == Self::Base64CleanLines).then_some(0);
        Decoded { rest: body, stages, clean_line, ready: Vec::new(), taken: 0 }
    }
}

/// One step from encoded to decoded bytes.
trait Decode {
    /// Decodes the start of `input` to the end of `out` and returns how much of it is done with.
    ///
    /// What is left over comes again with more behind it, except after `last`.
    fn decode(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> usize;
}

/// The content of a part, decoded as it is read. Reading it never fails.
pub struct Decoded<'a> {
    rest: &'a [u8],
    stages: Vec<Box<dyn Decode + Send>>,
    /// How much of the current line is left, if only clean lines are decoded.
    clean_line: Option<usize>,
    ready: Vec<u8>,
    taken: usize,
}

impl fmt::Debug for Decoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

impl Decoded<'_> {
    /// Reads all that is left, but stops after the read that reaches `limit` bytes.
    #[must_use]
    pub fn to_vec(mut self, limit: usize) -> Vec<u8> {
        if self.stages.is_empty() {
            return up_to(self.rest, limit).to_vec();
        }
        let mut all = Vec::new();
        while all.len() < limit && self.refill() {
            all.append(&mut self.ready);
        }
        all.truncate(limit);
        all
    }

    /// Decodes the next piece of the body; false at its end.
    fn refill(&mut self) -> bool {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() && !self.rest.is_empty() {
            self.clean_line = match self.clean_line {
                Some(0) => Some(self.next_clean_line()),
                left => left,
            };
            self.decode_piece();
        }
        !self.ready.is_empty()
    }

    fn decode_piece(&mut self) {
        let length = PIECE.min(self.clean_line.unwrap_or(PIECE)).min(self.rest.len());
        let last = length == self.rest.len();
        let [first, others @ ..] = self.stages.as_mut_slice() else { return };
        let used = match first.decode(up_to(self.rest, length), last, &mut self.ready) {
            0 => length,
            used => used,
        };
        self.rest = from(self.rest, used);
        self.clean_line = self.clean_line.map(|left| left.saturating_sub(used));
        for stage in others {
            let between = std::mem::take(&mut self.ready);
            stage.decode(&between, self.rest.is_empty(), &mut self.ready);
        }
    }

    /// Skips to the next line without foreign characters and returns its length.
    fn next_clean_line(&mut self) -> usize {
        loop {
            let (end, next) = line_end(self.rest, 0, Breaks::Any);
            if self.rest.is_empty() || is_clean_base64(slice(self.rest, 0..end)) {
                return next;
            }
            self.rest = from(self.rest, next);
        }
    }
}

impl Read for Decoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stages.is_empty() {
            return self.rest.read(buffer);
        }
        if self.taken >= self.ready.len() && !self.refill() {
            return Ok(0);
        }
        let read = from(&self.ready, self.taken).read(buffer)?;
        self.taken = self.taken.saturating_add(read);
        Ok(read)
    }
}

/// Bytes decoded at once; small enough to stay in the processor's first cache.
const PIECE: usize = 16 << 10;
