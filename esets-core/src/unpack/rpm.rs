//! RPM packages, as in the RPM reference manual, "Package format".

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Rpm;

impl Unpacker for Rpm {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// The files are a cpio archive, packed as one stream; other unpackers open both.
    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::at(subject.bytes(), LEAD)?;
        skip_header(cursor)?; // signatures
        let padding = cursor.position().next_multiple_of(8).saturating_sub(cursor.position());
        cursor.take(padding)?;
        skip_header(cursor)?;
        Ok(children.slice("payload", cursor.rest())?)
    }
}

/// A header: an index of 16 bytes an entry, and the data it points into.
fn skip_header(cursor: &mut Cursor<'_>) -> Result<(), Reason> {
    if cursor.take(3)? != b"\x8e\xad\xe8" {
        return Err(Reason::corrupt("header"));
    }
    cursor.take(5)?; // version, reserved
    let entries = usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX);
    let data = usize::try_from(cursor.u32_be()?).unwrap_or(usize::MAX);
    cursor.take(entries.saturating_mul(16))?;
    cursor.take(data)?;
    Ok(())
}

/// What older versions of RPM read; only its magic still counts.
const LEAD: u64 = 96;

static FORMAT: Format = Format {
    name: "rpm",
    about: "RPM package",
    extensions: &["rpm", "srpm"],
    magic: &[Magic::start(b"\xed\xab\xee\xdb")],
    specification: &["RPM reference manual, Package format"],
    limitations: &["scripts in the header are seen as raw bytes only"],
};
