//! mbox, messages one behind the other (RFC 4155).

use esets_mime::mbox;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Mbox;

impl Unpacker for Mbox {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// One message behind a `From ` line is left to the unpacker of messages.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        mbox::looks_like(bytes) && mbox::split(bytes).nth(1).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        for (index, message) in mbox::split(subject.bytes()).enumerate() {
            let name = format!("message{index:03}.eml").into_bytes();
            children.slice(Member::named(name), message)?;
        }
        Ok(())
    }
}

static FORMAT: Format = Format {
    name: "mbox",
    about: "mbox of mail messages",
    extensions: &["mbox", "mbx"],
    magic: &[],
    specification: &["RFC 4155"],
    limitations: &[
        "a message ends at any line that begins with \"From \" and has a field behind it",
    ],
};
