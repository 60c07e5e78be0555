//! xz, "The .xz File Format" 1.2.1.

use std::io::{self, Read};
use std::mem;

use lzma_rust2::{Action, Status, XzReader, XzStream};

use super::{Format, Magic, UnpackError, Unpacker};
use crate::budget::Lease;
use crate::children::Children;
use crate::decode::{Stream, Streams, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

pub(super) struct Xz;

impl Unpacker for Xz {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let purse = children.lease(0)?;
        let open = |bytes| Unxz::open(bytes, &purse);
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        Streams { open: &open, magic: MAGIC }.unpack(subject, member, children)
    }
}

/// One stream.
pub(crate) struct Unxz<'a> {
    /// What is still to be read.
    input: &'a [u8],
    /// The whole stream and what is behind it.
    start: &'a [u8],
    decoder: Decoder<'a>,
    memory: Lease,
    has_written: bool,
}

/// The first kind gives all that is there before damage. The second reads chains of filters.
enum Decoder<'a> {
    Buffers(Box<XzStream>),
    Chains { reader: Box<XzReader<&'a [u8]>>, kibibytes: u32 },
    Failed(Reason),
    Ended,
}

impl<'a> Unxz<'a> {
    /// A decoder whose memory `purse` pays for; `Ok(None)` if no stream begins here.
    pub(crate) fn open(input: &'a [u8], purse: &Lease) -> Result<Option<Self>, Reason> {
        if !input.starts_with(MAGIC) {
            return Ok(None);
        }
        let decoder = Decoder::Buffers(Box::new(XzStream::new_mem_limit(false, 0)));
        Ok(Some(Self {
            input,
            start: input,
            decoder,
            memory: purse.another(0)?,
            has_written: false,
        }))
    }

    /// One step of the first decoder: how many bytes it wrote, and what comes next.
    fn step(&mut self, stream: &mut XzStream, output: &mut [u8]) -> (usize, Option<Decoder<'a>>) {
        let (read, written) = (stream.total_in(), stream.total_out());
        let result = stream.process(self.input, output, Action::Run);
        let read = since(read, stream.total_in());
        let written = since(written, stream.total_out());
        self.input = self.input.get(read..).unwrap_or_default();
        let next = match result {
            Ok(result) if result.status == Status::StreamEnd => Some(Decoder::Ended),
            Ok(_) if read == 0 && written == 0 => Some(Decoder::Failed(Reason::Truncated)),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory => self.grow(stream),
            Err(_) if stream.total_out() == 0 => self.chains(1 << 10),
            Err(_) => Some(Decoder::Failed(Reason::corrupt("xz data"))),
        };
        (written, next)
    }

    /// Pays for what the block at hand needs more than the ones before.
    fn grow(&mut self, stream: &mut XzStream) -> Option<Decoder<'a>> {
        let kibibytes = stream.memory_usage().unwrap_or(u32::MAX);
        stream.set_mem_limit(kibibytes);
        self.pay(kibibytes).err().map(Decoder::Failed)
    }

    /// The second decoder, from the start, with so many KiB.
    fn chains(&mut self, kibibytes: u32) -> Option<Decoder<'a>> {
        Some(match self.pay(kibibytes) {
            Ok(()) => {
                let reader = XzReader::new_mem_limit(self.start, false, kibibytes);
                Decoder::Chains { reader: Box::new(reader), kibibytes }
            }
            Err(reason) => Decoder::Failed(reason),
        })
    }

    fn pay(&mut self, kibibytes: u32) -> Result<(), Reason> {
        let more = u64::from(kibibytes).saturating_mul(1024).saturating_sub(self.memory.bytes());
        if self.memory.grow(more) { Ok(()) } else { Err(Reason::Limit(Limit::Memory)) }
    }

    /// A read of the second decoder. It says that it needs more, but not how much.
    fn read_chains(
        &mut self,
        mut reader: Box<XzReader<&'a [u8]>>,
        kibibytes: u32,
        output: &mut [u8],
    ) -> (usize, Decoder<'a>) {
        match reader.read(output) {
            Ok(0) => {
                self.input = reader.inner();
                (0, Decoder::Ended)
            }
            Ok(count) => (count, Decoder::Chains { reader, kibibytes }),
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory && !self.has_written => {
                let next = self.chains(kibibytes.saturating_mul(2));
                (0, next.unwrap_or(Decoder::Ended))
            }
            Err(_) => (0, Decoder::Failed(Reason::corrupt("xz data"))),
        }
    }
}

impl Read for Unxz<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !output.is_empty() {
            let (count, next) = match mem::replace(&mut self.decoder, Decoder::Ended) {
                Decoder::Buffers(mut stream) => {
                    let (count, next) = self.step(&mut stream, output);
                    (count, next.unwrap_or(Decoder::Buffers(stream)))
                }
                Decoder::Chains { reader, kibibytes } => {
                    self.read_chains(reader, kibibytes, output)
                }
                Decoder::Failed(reason) => return Err(io::Error::other(reason)),
                Decoder::Ended => return Ok(0),
            };
            self.decoder = next;
            if count > 0 {
                self.has_written = true;
                return Ok(count);
            }
        }
        Ok(0)
    }
}

impl<'a> Stream<'a> for Unxz<'a> {
    fn rest(&self) -> &'a [u8] {
        self.input
    }
}

fn since(before: u64, now: u64) -> usize {
    usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
}

const MAGIC: &[u8] = b"\xfd7zXZ\0";

static FORMAT: Format = Format {
    name: "xz",
    about: "xz compressed data",
    extensions: &["xz", "txz"],
    magic: &[Magic::start(MAGIC)],
    specification: &["The .xz File Format 1.2.1"],
    limitations: &["the blocks of a stream behind a damaged one are not read"],
};
