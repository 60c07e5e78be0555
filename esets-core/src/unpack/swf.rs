//! SWF, the Flash file format: the compressed body.

use std::io::Read;

use lzma_rust2::{LzmaReader, lzma_get_memory_usage_by_props as memory_usage};

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Inflate, Stream as _};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

/// The tags of a film, unpacked.
pub(super) struct Swf;

static FORMAT: Format = Format {
    name: "swf",
    about: "Flash film (SWF)",
    extensions: &["swf"],
    magic: &[Magic::start(b"CWS"), Magic::start(b"FWS"), Magic::start(b"ZWS")],
    specification: &["SWF File Format Specification, version 19"],
    limitations: &["tags are scanned together, not one by one", "the Adler-32 is not checked"],
};

impl Unpacker for Swf {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// Three letters are little, so version and size must be possible.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        FORMAT.matches(subject.bytes())
            && Header::read(&mut Cursor::new(subject.bytes())).is_ok_and(|header| header.is_sane())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::new(subject.bytes());
        let header = Header::read(cursor)?;
        let size = u64::from(header.size).checked_sub(HEADER).ok_or(Reason::corrupt("header"))?;
        let member = Member { size: Some(size), ..Member::named(&b"body"[..]) };
        match header.kind {
            b'C' => {
                cursor.take(2)?; // the header of zlib
                let mut body = Inflate::new(cursor.rest());
                children.stream(member, &mut body)?;
                if let Some(behind @ [_, ..]) = body.rest().get(CHECKSUM..) {
                    children.slice("(behind the film)", behind)?;
                }
            }
            b'Z' => return lzma(cursor, size, member, children),
            _ => {
                let body = cursor.take_up_to(size);
                children.slice(member, body)?;
                if let behind @ [_, ..] = cursor.rest() {
                    children.slice("(behind the film)", behind)?;
                }
                if (body.len() as u64) < size {
                    return Err(Reason::Truncated.into());
                }
            }
        }
        Ok(())
    }
}

/// Offers a body behind the header that LZMA has here: packed size, then properties.
fn lzma(
    cursor: &mut Cursor<'_>,
    size: u64,
    member: Member<'_>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    cursor.u32_le()?; // packed size
    let properties = cursor.u8()?;
    let dictionary = cursor.u32_le()?;
    let memory = memory_usage(dictionary, properties).map_err(|_| Reason::corrupt("header"))?;
    let _lease = children.lease(u64::from(memory) << 10)?;
    let mut reader =
        LzmaReader::new_with_props(cursor.clone(), u64::MAX, properties, dictionary, None)?;
    // What comes before an error is scanned too.
    reader.set_defer_errors(true);
    Ok(children.stream(member, &mut reader.take(size))?)
}

struct Header {
    kind: u8,
    version: u8,
    /// Bytes of the whole film, unpacked.
    size: u32,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [kind, _, _, version] = cursor.array()?;
        Ok(Self { kind, version, size: cursor.u32_le()? })
    }

    fn is_sane(&self) -> bool {
        (1..=64).contains(&self.version) && u64::from(self.size) > HEADER
    }
}

/// Bytes before the body.
const HEADER: u64 = 8;
/// Bytes of the Adler-32 behind the data.
const CHECKSUM: usize = 4;
