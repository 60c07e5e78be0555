//! compress, the `.Z` files of Unix: LZW with codes of 9 to 16 bits (Welch 1984; compress 4.0).

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::decode::{Codes, Lzw, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Compress;

impl Unpacker for Compress {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// The third byte must make sense too.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let settings = subject.bytes().get(2).copied().unwrap_or_default();
        FORMAT.matches(subject.bytes())
            && settings & 0x60 == 0
            && (9..=16).contains(&(settings & 31))
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let settings = subject.bytes().get(2).copied().ok_or(Reason::Truncated)?;
        let _lease = children.lease(TABLES)?;
        let data = subject.bytes().get(3..).unwrap_or_default();
        let codes = Codes::of_compress((settings & 31).into(), settings & 0x80 != 0);
        let mut reader = Lzw::reader(data, codes);
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        Ok(children.stream(member, &mut reader)?)
    }
}

/// Prefixes, bytes and one string, for codes of 16 bits.
const TABLES: u64 = 4 << 16;

static FORMAT: Format = Format {
    name: "compress",
    about: "compress'd data (LZW)",
    extensions: &["z", "taz"],
    magic: &[Magic::start(b"\x1f\x9d")],
    specification: &[
        "compress(1); T. Welch, A Technique for High-Performance Data Compression, 1984",
    ],
    limitations: &[],
};
