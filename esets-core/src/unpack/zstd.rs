//! Zstandard, RFC 8878.

use std::io::{self, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Stream, Streams, behind_skippable, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Zstd;

impl Unpacker for Zstd {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        FORMAT.matches(behind_skippable(subject.bytes()))
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let rest = behind_skippable(subject.bytes());
        let _lease = children.lease(cost(rest)?)?;
        let streams = Streams { open: &Frame::open, magic: MAGIC };
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        streams.unpack(subject, member, children)
    }
}

/// One frame, and the skippable ones around it.
pub(crate) struct Frame<'a>(StreamingDecoder<Cursor<'a>, FrameDecoder>);

impl<'a> Frame<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Option<Self>, Reason> {
        let bytes = behind_skippable(bytes);
        if bytes.is_empty() {
            return Ok(None);
        }
        let cursor = Cursor::new(bytes);
        let frame = StreamingDecoder::new_with_max_window_size(cursor, MAX_WINDOW);
        frame.map(|frame| Some(Self(frame))).map_err(|_| Reason::corrupt("frame header"))
    }
}

impl Read for Frame<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        self.0.read(output).map_err(damage)
    }
}

impl<'a> Stream<'a> for Frame<'a> {
    fn rest(&self) -> &'a [u8] {
        behind_skippable(self.0.get_ref().rest())
    }
}

/// The decoder wraps the end of its input in an error of its own.
fn damage(error: io::Error) -> io::Error {
    let text = error.to_string();
    if error.kind() == io::ErrorKind::UnexpectedEof || text.contains("failed to fill") {
        return io::ErrorKind::UnexpectedEof.into();
    }
    io::Error::other(Reason::corrupt("zstd block"))
}

/// The memory that the frame at the start of `bytes` needs.
pub(crate) fn cost(bytes: &[u8]) -> Result<u64, Reason> {
    match window(&mut Cursor::new(bytes))? {
        window if window > MAX_WINDOW => Err(Reason::unsupported("a window of more than 128 MiB")),
        window => Ok(window),
    }
}

/// How much of what it wrote the decoder of a frame keeps (3.1.1.1).
fn window(cursor: &mut Cursor<'_>) -> Result<u64, Truncated> {
    cursor.take(4)?;
    let descriptor = cursor.u8()?;
    let is_single = descriptor & 0x20 != 0;
    if !is_single {
        let code = cursor.u8()?;
        let base = 1_u64 << u64::from(code >> 3).saturating_add(10).min(63);
        let eighths = (base / 8).saturating_mul(u64::from(code & 7));
        return Ok(base.saturating_add(eighths));
    }
    cursor.take(match descriptor & 3 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 4,
    })?;
    Ok(match descriptor >> 6 {
        0 => cursor.u8()?.into(),
        1 => u64::from(cursor.u16_le()?).saturating_add(256),
        2 => cursor.u32_le()?.into(),
        _ => cursor.u64_le()?,
    })
}

const MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";
const MAX_WINDOW: u64 = 128 << 20;

static FORMAT: Format = Format {
    name: "zstd",
    about: "Zstandard compressed data",
    extensions: &["zst", "tzst"],
    magic: &[Magic::start(MAGIC)],
    specification: &["RFC 8878"],
    limitations: &["dictionaries", "windows of more than 128 MiB", "formats before 0.8"],
};
