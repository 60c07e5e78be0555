//! Programs of makeself: a shell script, and behind its last line archives that it unpacks.

use memchr::memmem;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Makeself;

impl Unpacker for Makeself {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        let head = bytes.get(..HEAD).unwrap_or(bytes);
        bytes.starts_with(b"#!") && memmem::find(head, b"Makeself").is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let script = bytes.get(..SCRIPT).unwrap_or(bytes);
        let lines = setting(script, b"skip").and_then(number).or_else(|| counted(script));
        let lines = lines.ok_or(Reason::corrupt("number of lines"))?;
        let sizes = setting(script, b"filesizes").ok_or(Reason::corrupt("sizes of archives"))?;
        let is_encrypted = setting(script, b"decrypt_cmd").is_some_and(|shell| !shell.is_empty());
        let last = lines.checked_sub(1).and_then(|last| usize::try_from(last).ok());
        let end = last.and_then(|last| memchr::memchr_iter(b'\n', bytes).nth(last));
        let start = end.ok_or(Reason::Truncated)?.saturating_add(1);
        let cursor = &mut Cursor::at(bytes, start as u64)?;
        for size in sizes.split(|byte| *byte == b' ').filter_map(number) {
            let archive = cursor.take_up_to(size);
            let member = Member { size: Some(size), ..Member::named(&b"archive"[..]) };
            children.slice(member.clone(), archive)?;
            if is_encrypted {
                children.skip(member, Reason::Encrypted)?;
            }
            if (archive.len() as u64) < size {
                return Err(Reason::Truncated.into());
            }
        }
        Ok(children.behind(cursor)?)
    }
}

/// What a line of the script assigns to a variable, without quotes.
fn setting<'a>(script: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = [b"\n", name, b"="].concat();
    let at = memmem::find(script, &start)?.saturating_add(start.len());
    let line = script.get(at..)?.split(|byte| *byte == b'\n').next()?.trim_ascii();
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\""));
    Some(bare.unwrap_or(line))
}

/// The number of lines as scripts of versions before 2.4.2 have it: `head -n 532 "$0"`.
fn counted(script: &[u8]) -> Option<u64> {
    let at = memmem::find(script, b"`head -n ")?.saturating_add(9);
    let rest = script.get(at..)?;
    number(rest.split(|byte| *byte == b' ').next()?)
}

fn number(text: &[u8]) -> Option<u64> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// How far behind the start the script names its maker, and how long scripts are at most: a
/// licence may be in them.
const HEAD: usize = 256;
const SCRIPT: usize = 1 << 20;

static FORMAT: Format = Format {
    name: "makeself",
    about: "self-extracting script of makeself",
    extensions: &["run"],
    magic: &[],
    specification: &["makeself 2.4.5, makeself-header.sh"],
    limitations: &["encrypted archives are not decrypted"],
};
