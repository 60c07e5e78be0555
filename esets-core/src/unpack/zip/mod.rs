//! zip, PKWARE's APPNOTE 6.3.10, as programs write it and as attackers do.

mod check;
mod door;
mod index;
mod member;
mod method;
mod record;

use self::index::Index;
use self::member::Archive;
use self::record::{END, LOCAL};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Zip;

impl Unpacker for Zip {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// An archive is read from its end, so anything may stand before it.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        FORMAT.matches(subject.bytes()) || ends_like_archive(subject.bytes())
    }

    fn carved_by(&self) -> &'static [Magic] {
        const { &[Magic::start(LOCAL)] }
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let _memory = children.lease(Index::cost(bytes))?;
        let index = Index::read(bytes);
        let mut archive = Archive {
            bytes,
            passwords: children.passwords().map(<[u8]>::to_vec).collect(),
            attempts: ATTEMPTS,
            purse: children.lease(0)?,
        };
        for entry in index.entries.values() {
            archive.offer(entry, children)?;
        }
        for central in &index.lost {
            let is_behind = central.offset >= bytes.len() as u64;
            let reason =
                if is_behind { Reason::Truncated } else { Reason::corrupt("local header") };
            children.skip(Member::named(central.fields.name), reason)?;
        }
        if index.is_cut || !index.has_end {
            return Err(Reason::Truncated.into());
        }
        Ok(())
    }
}

/// Whether the end of a central directory is at the end, and nothing but its comment behind it. A
/// tar archive that ends with a zip archive fills up with zeros, and is left to tar.
fn ends_like_archive(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(LONGEST_END)..).unwrap_or_default();
    let found = memchr::memmem::rfind(tail, END);
    let behind = found.and_then(|at| tail.get(at..)).and_then(|end| end.get(22..));
    behind.is_some_and(|comment| comment.is_empty() || comment.iter().any(|byte| *byte != 0))
}

/// An end of a central directory with the longest comment, in bytes.
const LONGEST_END: usize = 22 + 0xffff;

/// How many times a password is tried in one archive.
const ATTEMPTS: u32 = 1000;

static FORMAT: Format = Format {
    name: "zip",
    about: "zip archive",
    extensions: &["zip", "jar", "apk", "xpi", "zipx", "war", "ear", "cbz", "epub", "whl"],
    magic: &[
        Magic::start(LOCAL),
        Magic::start(END),
        Magic::start(b"PK\x07\x08PK\x03\x04"),
        Magic::start(b"PK00PK\x03\x04"),
    ],
    specification: &["PKWARE APPNOTE.TXT 6.3.10", "WinZip AE-1 and AE-2"],
    limitations: &[
        "encryption by certificates, strong encryption and encrypted central directories",
        "methods 7 (tokenize), 10, 18 and 19 (IBM), 94 (MP3), 96 (JPEG) and 97 (WavPack)",
        "of members packed by methods 1 to 6 no more than 64 MiB are read",
    ],
};
