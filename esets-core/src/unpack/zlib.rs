//! zlib, RFC 1950, as a file of its own.

use std::io::Read as _;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::decode::{Inflate, Stream as _, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Zlib;

impl Unpacker for Zlib {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// Two bytes are no magic, so the data behind them must inflate.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let Some(data) = data(subject.bytes()) else { return false };
        let mut sample = [0; 512];
        Inflate::new(data).read(&mut sample).is_ok_and(|count| count > 0)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let data = data(subject.bytes()).ok_or(Reason::corrupt("header"))?;
        let mut inflate = Inflate::new(data);
        children.stream(Member::named(inner_name(&FORMAT, subject.name())), &mut inflate)?;
        if let Some(rest @ [_, ..]) = inflate.rest().get(CHECKSUM..) {
            children.slice("(behind the stream)", rest)?;
        }
        Ok(())
    }
}

/// What lies behind a header that says deflate, a window of up to 32 KiB and no dictionary.
fn data(bytes: &[u8]) -> Option<&[u8]> {
    let (&[method, flags], data) = bytes.split_first_chunk()?;
    let is_deflate = method & 0x0f == 8 && method >> 4 <= 7;
    let is_checked = u16::from_be_bytes([method, flags]) % 31 == 0;
    let has_dictionary = flags & 0x20 != 0;
    (is_deflate && is_checked && !has_dictionary).then_some(data)
}

/// The Adler-32 behind the data.
const CHECKSUM: usize = 4;

static FORMAT: Format = Format {
    name: "zlib",
    about: "zlib compressed data",
    extensions: &["zlib", "zz"],
    magic: &[],
    specification: &["RFC 1950"],
    limitations: &["a preset dictionary", "the Adler-32 is not checked"],
};
