//! A text that is nothing but base64 or hexadecimal digits (RFC 4648).

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::decode::inner_name;
use crate::decode::literals::decoded;
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Base64;

impl Unpacker for Base64 {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte);
        // Prose has spaces, lists have short lines: so all but the last line are of one length.
        let mut lines = bytes.trim_ascii().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let first = lines.next().unwrap_or_default().len();
        bytes.len() >= SHORTEST
            && first >= LINE
            && bytes.iter().all(is_letter)
            && lines.all(|line| line.len() <= first)
            && decoded(bytes.get(..SAMPLE).unwrap_or(bytes)).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let _memory = children.lease(subject.bytes().len() as u64)?;
        // What begins like digits and goes on as something else was none.
        let Some(content) = decoded(subject.bytes()) else { return Ok(()) };
        let name = inner_name(&FORMAT, subject.name());
        Ok(children.stream(Member::named(name), &mut &*content)?)
    }
}

const SHORTEST: usize = 64;

/// How long the first line must be, and how much is decoded to see whether it can be.
const LINE: usize = 60;
const SAMPLE: usize = 1 << 10;

static FORMAT: Format = Format {
    name: "base64",
    about: "text that is only base64 or hexadecimal digits",
    extensions: &["b64", "base64", "hex"],
    magic: &[],
    specification: &["RFC 4648"],
    limitations: &[],
};
