//! OneNote sections: \[MS-ONESTORE\].

use memchr::memmem;

use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, Magic, UnpackError, Unpacker};

/// Every attached file and picture.
pub(super) struct OneNote;

static FORMAT: Format = Format {
    name: "onenote",
    about: "OneNote section",
    extensions: &["one", "onetoc2"],
    magic: &[
        Magic::start(b"\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1\x53\x78\xD0\x29\x96\xD3"),
        Magic::start(b"\xA1\x2F\xFF\x43\xD9\xEF\x76\x4C\x9E\xE2\x10\xEA\x57\x22\x76\x5F"),
    ],
    specification: &["[MS-ONESTORE] 2.6.13 FileDataStoreObject"],
    limitations: &[
        "attached files are offered by their place, without their names",
        "files in the alternative packaging of OneDrive are found by their magic only",
    ],
};

impl Unpacker for OneNote {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let mut inner_end = 0;
        // The lists that lead to these objects may be damaged or leave some out.
        for at in memmem::find_iter(bytes, HEADER) {
            // Those of a section inside this one are met when that is opened.
            if at < inner_end {
                continue;
            }
            let mut fields = Cursor::at(bytes, at as u64)?;
            fields.take(HEADER.len())?;
            let size = fields.u64_le()?;
            fields.take(12)?; // unused, reserved
            let content = fields.take_up_to(size);
            if FORMAT.matches(content) {
                inner_end = fields.position();
            }
            let name = format!("file@{at}");
            children.slice(Member { size: Some(size), ..Member::from(name.as_str()) }, content)?;
            if (content.len() as u64) < size {
                children.not_scanned(Reason::Truncated);
            }
        }
        Ok(())
    }
}

/// {BDE316E7-2665-4511-A4C4-8D4D0B7A9EAC}
const HEADER: &[u8] = b"\xE7\x16\xE3\xBD\x65\x26\x11\x45\xA4\xC4\x8D\x4D\x0B\x7A\x9E\xAC";
