//! ActiveMime, in which Word saves macros into HTML and XML (`editdata.mso`).

use flate2::read::ZlibDecoder;

use crate::children::Children;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, Magic, UnpackError, Unpacker};

/// The compound file inside.
pub(super) struct ActiveMime;

static FORMAT: Format = Format {
    name: "activemime",
    about: "ActiveMime, a deflated compound file with macros",
    extensions: &["mso"],
    magic: &[Magic::start(b"ActiveMime")],
    specification: &["undocumented; a header, then a zlib stream (RFC 1950)"],
    limitations: &["the stream is looked for in the first kibibyte only"],
};

impl Unpacker for ActiveMime {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        // The header grows with the version, and the length in it is not to be trusted.
        let mut offsets = (HEADER..SEARCHED).filter(|at| begins_zlib(bytes, *at));
        let start = offsets.next().and_then(|at| bytes.get(at..));
        let start = start.ok_or(Reason::corrupt("no zlib stream"))?;
        children.stream("content", &mut ZlibDecoder::new(start))?;
        Ok(())
    }
}

/// Whether a zlib stream begins here, and its first block is one.
fn begins_zlib(bytes: &[u8], at: usize) -> bool {
    let Some([method, flags, block]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
        return false;
    };
    let check = u16::from_be_bytes([*method, *flags]).checked_rem(31);
    method & 0x8F == 8 && flags & 0x20 == 0 && check == Some(0) && block & 6 != 6
}

/// Bytes of the shortest header.
const HEADER: usize = 0x1E;
const SEARCHED: usize = 1024;
