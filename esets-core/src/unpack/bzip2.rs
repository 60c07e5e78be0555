//! bzip2, as written by bzip2 1.0 (there is no standard).

use std::io::{self, Read};

use bzip2::{Decompress, Status};

use super::{Format, Magic, UnpackError, Unpacker};
use crate::budget::Lease;
use crate::children::Children;
use crate::decode::{Stream, Streams, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Bzip2;

impl Unpacker for Bzip2 {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        begins(subject.bytes())
    }

    fn carved_by(&self) -> &'static [Magic] {
        const { &[Magic::at(4, BLOCK)] }
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let purse = children.lease(0)?;
        let open = |bytes| Bunzip::open(bytes, &purse);
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        Streams { open: &open, magic: b"BZh" }.unpack(subject, member, children)
    }
}

/// Whether a stream begins here: block size, then a block or the end of an empty stream.
fn begins(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"BZh") else { return false };
    let Some((b'1'..=b'9', rest)) = rest.split_first() else { return false };
    [BLOCK, END].iter().any(|mark| rest.iter().zip(*mark).all(|(byte, known)| byte == known))
}

/// One stream.
pub(crate) struct Bunzip<'a> {
    input: &'a [u8],
    state: Decompress,
    has_ended: bool,
    _memory: Lease,
}

impl<'a> Bunzip<'a> {
    /// A decoder whose memory `purse` pays for; `Ok(None)` if no stream begins here.
    pub(crate) fn open(input: &'a [u8], purse: &Lease) -> Result<Option<Self>, Reason> {
        if !begins(input) {
            return Ok(None);
        }
        let memory = purse.another(WORK_AREA)?;
        let state = Decompress::new(false);
        Ok(Some(Self { input, state, has_ended: false, _memory: memory }))
    }
}

impl Read for Bunzip<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !output.is_empty() {
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(self.input, output);
            let read = self.state.total_in().saturating_sub(read);
            let written = self.state.total_out().saturating_sub(written);
            let read = usize::try_from(read).unwrap_or(usize::MAX);
            self.input = self.input.get(read..).unwrap_or_default();
            match status {
                Ok(Status::StreamEnd) => self.has_ended = true,
                Ok(_) if read == 0 && written == 0 => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(_) => {}
                Err(_) => return Err(io::Error::other(Reason::corrupt("bzip2 data"))),
            }
            if written > 0 {
                return Ok(usize::try_from(written).unwrap_or(usize::MAX));
            }
        }
        Ok(0)
    }
}

impl<'a> Stream<'a> for Bunzip<'a> {
    fn rest(&self) -> &'a [u8] {
        self.input
    }
}

/// What the decoder needs for the largest blocks, in bytes.
const WORK_AREA: u64 = 4 << 20;

/// What a block begins with: π.
const BLOCK: &[u8] = b"1AY&SY";

/// What the end of a stream begins with: √π.
const END: &[u8] = b"\x17rE8P\x90";

static FORMAT: Format = Format {
    name: "bzip2",
    about: "bzip2 compressed data",
    extensions: &["bz2", "bz", "tbz", "tbz2"],
    magic: &[Magic::start(b"BZh")],
    specification: &["bzip2 1.0.8 manual", "Joe Tsai, \"BZIP2: Format Specification\", 2016"],
    limitations: &["the blocks of a stream behind a damaged one are not read"],
};
