//! LZ4 frames, as in the LZ4 Frame Format Description 1.6.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Blockwise, NextBlock, Stream, Streams, behind_skippable, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Lz4;

impl Unpacker for Lz4 {
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
        let _lease = children.lease(BLOCKS)?;
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        if subject.bytes().starts_with(LEGACY) {
            let streams = Streams { open: &LegacyFrame::open, magic: LEGACY };
            return streams.unpack(subject, member, children);
        }
        let streams = Streams { open: &Frame::open, magic: CURRENT };
        streams.unpack(subject, member, children)
    }
}

/// One frame, and the skippable ones around it.
struct Frame<'a> {
    bytes: &'a [u8],
    decoder: FrameDecoder<Cursor<'a>>,
}

impl<'a> Frame<'a> {
    #[expect(clippy::unnecessary_wraps, reason = "streams of other formats can fail to open")]
    fn open(bytes: &'a [u8]) -> Result<Option<Self>, Reason> {
        let bytes = behind_skippable(bytes);
        let is_frame = bytes.starts_with(CURRENT);
        Ok(is_frame.then(|| Self { bytes, decoder: FrameDecoder::new(Cursor::new(bytes)) }))
    }

    /// Whether the mark of the end stands where reading has ended. The decoder takes the end of
    /// the data for it.
    fn is_whole(&self) -> bool {
        let read = self.bytes.len().saturating_sub(self.decoder.get_ref().rest().len());
        let has_checksum = self.bytes.get(4).is_some_and(|flags| flags & 4 != 0);
        let end = read.checked_sub(if has_checksum { 4 } else { 0 });
        let frame = end.and_then(|end| self.bytes.get(..end)).unwrap_or_default();
        frame.len() >= SHORTEST && frame.ends_with(&[0; 4])
    }
}

impl Read for Frame<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(output) {
            Ok(0) if !output.is_empty() && !self.is_whole() => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            outcome => outcome,
        }
    }
}

impl<'a> Stream<'a> for Frame<'a> {
    fn rest(&self) -> &'a [u8] {
        behind_skippable(self.decoder.get_ref().rest())
    }
}

/// What the first versions of lz4 and the Linux kernel write: blocks of 8 MiB, each behind its
/// packed size, up to the end or to something that is no size.
struct LegacyFrame<'a>(&'a [u8]);

impl<'a> LegacyFrame<'a> {
    #[expect(clippy::unnecessary_wraps, reason = "streams of other formats can fail to open")]
    fn open(bytes: &'a [u8]) -> Result<Option<Blockwise<Self>>, Reason> {
        Ok(bytes.strip_prefix(LEGACY).map(|rest| Blockwise::new(Self(rest))))
    }
}

impl NextBlock for LegacyFrame<'_> {
    fn next_block(&mut self, block: &mut Vec<u8>) -> Result<bool, Reason> {
        let cursor = &mut Cursor::new(self.0);
        let Ok(size @ 1..=MAX_PACKED) = cursor.u32_le() else { return Ok(false) };
        let packed = cursor.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        let unpacked = lz4_flex::block::decompress(packed, LEGACY_BLOCK);
        *block = unpacked.map_err(|_| Reason::corrupt("lz4 block"))?;
        self.0 = cursor.rest();
        Ok(true)
    }
}

impl<'a> Stream<'a> for Blockwise<LegacyFrame<'a>> {
    fn rest(&self) -> &'a [u8] {
        self.source().0
    }
}

const CURRENT: &[u8] = b"\x04\x22\x4d\x18";
const LEGACY: &[u8] = b"\x02\x21\x4c\x18";
/// Magic, flags, size of blocks, checksum; the mark of the end.
const SHORTEST: usize = 11;
/// Two blocks of 4 MiB and a window; a legacy block has 8 MiB.
const BLOCKS: u64 = 9 << 20;
const LEGACY_BLOCK: usize = 8 << 20;
/// What 8 MiB take that cannot be packed.
const MAX_PACKED: u32 = (8 << 20) + (8 << 20) / 255 + 16;

static FORMAT: Format = Format {
    name: "lz4",
    about: "LZ4 compressed data",
    extensions: &["lz4", "tlz4"],
    magic: &[Magic::start(CURRENT), Magic::start(LEGACY)],
    specification: &["LZ4 Frame Format Description 1.6"],
    limitations: &["dictionaries"],
};
