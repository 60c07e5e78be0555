//! Brotli, RFC 7932.

use brotli_decompressor::Decompressor;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::inner_name;
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Brotli;

impl Unpacker for Brotli {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// There is no magic and nearly any bytes are the start of a stream: the name must say it.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let dot = memchr::memrchr(b'.', subject.name());
        let extension = dot.and_then(|dot| subject.name().get(dot..)).unwrap_or_default();
        let known = FORMAT.extensions.iter();
        let mut known = known.filter(|known| {
            extension.get(1..).is_some_and(|end| end.eq_ignore_ascii_case(known.as_bytes()))
        });
        known.next().is_some() && !subject.bytes().is_empty()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let _lease = children.lease(WINDOW)?;
        let mut reader = Decompressor::new(Cursor::new(subject.bytes()), BUFFER);
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        Ok(children.stream(member, &mut reader)?)
    }
}

/// The largest window, 16 MiB, and what the decoder keeps beside it.
const WINDOW: u64 = 17 << 20;
const BUFFER: usize = 4096;

static FORMAT: Format = Format {
    name: "brotli",
    about: "Brotli compressed data",
    extensions: &["br", "tbr"],
    magic: &[],
    specification: &["RFC 7932"],
    limitations: &["recognised by its name only", "large windows beyond RFC 7932"],
};
