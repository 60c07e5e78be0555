//! Scripts of Windows: what their strings hold, as far as it can be told without running them.

use super::html::offer_literals;
use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::subject::Subject;

pub(super) struct Script;

impl Unpacker for Script {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        let head = bytes.get(..HEAD).unwrap_or(bytes);
        FORMAT.extensions.contains(&&*extension(subject)) && memchr::memchr(0, head).is_none()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let _memory = children.lease((bytes.len() as u64).saturating_mul(4))?;
        // The shell and PowerShell drop these before letters that need no escape.
        let escape = match &*extension(subject) {
            "bat" | "cmd" => b'^',
            "ps1" | "psm1" => b'`',
            _ => return offer_literals(bytes, children),
        };
        if memchr::memchr_iter(escape, bytes).nth(MOST_HONEST).is_some() {
            let plain: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != escape).collect();
            children.stream("unescaped", &mut &*plain)?;
        }
        offer_literals(bytes, children)
    }
}

/// The end of a name, in small letters, without the dot.
pub(super) fn extension(subject: &Subject<'_>) -> String {
    let extension = subject.name().rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    String::from_utf8_lossy(extension).to_ascii_lowercase()
}

/// How much must be text, in bytes.
const HEAD: usize = 4096;

/// How many escapes a script may have without hiding anything.
const MOST_HONEST: usize = 3;

static FORMAT: Format = Format {
    name: "script",
    about: "script of Windows, by its name",
    extensions: &["bat", "cmd", "js", "ps1", "psm1", "sct", "vbs", "wsf"],
    magic: &[],
    specification: &[
        "ECMA-262",
        "[MS-VBAL] VBA Language Specification",
        "PowerShell Language Specification 3.0",
    ],
    limitations: &["scripts are not run", "encoded scripts (.jse, .vbe) are not decoded"],
};
