//! Files encoded within a text: uuencode and `begin-base64` (POSIX uuencode(1)), xxencode, yEnc.

use esets_mime::{inline, looks_like_message};

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Uuencode;

impl Unpacker for Uuencode {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// The texts of a message are left to the unpacker of messages.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        inline::blocks(bytes).next().is_some() && !looks_like_message(bytes)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        for block in inline::blocks(subject.bytes()) {
            children.stream(Member::named(block.name), &mut block.decoded())?;
        }
        Ok(())
    }
}

static FORMAT: Format = Format {
    name: "uuencode",
    about: "files encoded within a text: uuencode, xxencode, begin-base64, yEnc",
    extensions: &["uu", "uue", "xx", "xxe", "ync", "yenc"],
    magic: &[],
    specification: &["POSIX.1-2024 uuencode", "yEnc 1.3, \"yEnc - Efficient encoding\""],
    limitations: &["the pieces of a yEnc file in several texts are not joined"],
};
