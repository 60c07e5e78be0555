//! Objects inside the image of an executable: droppers and self-extracting archives.
//!
//! An executable is searched even though its format is known, so a magic alone is not enough
//! here: what follows it must make sense too.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::children::Children;
use crate::cursor::Cursor;
use crate::executable::Executable;
use crate::object::Member;
use crate::subject::Subject;
use crate::unpack::{UnpackError, pe};
use crate::verdict::{Limit, Reason};

/// Offers what begins inside `file`, behind its first byte and outside the `offered` ranges.
pub(super) fn offer(
    subject: &Subject<'_>,
    offered: &[(u64, u64)],
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let is_offered =
        |offset: u64| offered.iter().any(|(start, end)| (*start..*end).contains(&offset));
    let file = subject.bytes();
    // The reader of ZIP finds all members by itself, wherever they are.
    let mut has_zip = subject.formats().iter().any(|format| format.name == "zip");
    let mut count = 0;
    for found in candidates(file) {
        let is_again = has_zip && found.kind == Kind::Zip;
        if found.offset == 0 || is_again || is_offered(found.offset as u64) {
            continue;
        }
        has_zip |= found.kind == Kind::Zip;
        if count == children.readings() {
            return Err(Reason::Limit(Limit::Readings).into());
        }
        count = count.saturating_add(1);
        let rest = file.get(found.offset..).unwrap_or_default();
        if let Some(bytes) = found.cut(rest) {
            let name = format!("@{}", found.offset);
            children.slice(Member::named(name.into_bytes()), bytes)?;
        }
    }
    Ok(())
}

/// What seems to begin at an offset.
struct Found {
    kind: Kind,
    offset: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cabinet,
    Pe,
    Rar,
    SevenZip,
    Zip,
}

impl Found {
    /// A program ends where its own headers say, and is none if it is not all there; an archive
    /// knows best itself.
    fn cut<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        if self.kind != Kind::Pe {
            return Some(rest);
        }
        let executable = Executable::parse(rest)?;
        let end = executable.overlay.and_then(|end| usize::try_from(end).ok());
        let is_whole = !pe::is_cut(&executable, rest.len() as u64);
        is_whole.then(|| end.and_then(|end| rest.get(..end)).unwrap_or(rest))
    }
}

/// Every offset at which something plausible begins.
fn candidates(file: &[u8]) -> impl Iterator<Item = Found> {
    let found = SEARCH.iter().flat_map(move |search| search.find_iter(file));
    found.filter_map(move |found| {
        let (kind, check) = match MAGICS.get(found.pattern().as_usize())?.1 {
            Kind::Cabinet => (Kind::Cabinet, is_cabinet as fn(&[u8]) -> bool),
            Kind::Pe => return dos_header(file, found.start()),
            Kind::Rar => (Kind::Rar, is_rar as fn(&[u8]) -> bool),
            Kind::SevenZip => (Kind::SevenZip, is_seven_zip as fn(&[u8]) -> bool),
            Kind::Zip => (Kind::Zip, is_zip as fn(&[u8]) -> bool),
        };
        let offset = found.start();
        check(file.get(offset..)?).then_some(Found { kind, offset })
    })
}

/// The `MZ` header that points to the PE header at `header`.
fn dos_header(file: &[u8], header: usize) -> Option<Found> {
    let first = header.saturating_sub(MAX_STUB);
    let before = file.get(first..header)?;
    memchr::memmem::rfind_iter(before, b"MZ").find_map(|at| {
        let offset = first.checked_add(at)?;
        let pointer = Cursor::at(file, offset.checked_add(0x3c)? as u64).ok()?.u32_le().ok()?;
        let distance = header.checked_sub(offset)?;
        (u32::try_from(distance) == Ok(pointer)).then_some(Found { kind: Kind::Pe, offset })
    })
}

/// A local file header (APPNOTE 4.3.7) with a version, flags, a method, a name and a size that
/// can be.
fn is_zip(bytes: &[u8]) -> bool {
    let check = || {
        let mut cursor = Cursor::at(bytes, 4).ok()?;
        let version = cursor.u16_le().ok()? & 0xff;
        let flags = cursor.u16_le().ok()?;
        let method = cursor.u16_le().ok()?;
        cursor.take(8).ok()?; // time, sum
        let packed = cursor.u32_le().ok()?;
        cursor.take(4).ok()?; // size
        let length = usize::from(cursor.u16_le().ok()?);
        let extra = usize::from(cursor.u16_le().ok()?);
        let name = cursor.take(length).ok()?;
        cursor.take(extra).ok()?;
        let is_text = !name.is_empty() && name.iter().all(|byte| *byte >= 0x20);
        let fits = flags & 8 != 0 || u64::from(packed) <= cursor.rest().len() as u64;
        let is_known = matches!(method, 0..=9 | 12 | 14 | 93 | 95 | 98 | 99);
        Some((10..=63).contains(&version) && flags & 0xd780 == 0 && is_known && is_text && fits)
    };
    check().unwrap_or(false)
}

/// A signature header (7zFormat.txt) whose CRC holds.
fn is_seven_zip(bytes: &[u8]) -> bool {
    let check = || {
        let mut cursor = Cursor::at(bytes, 8).ok()?;
        let stated = cursor.u32_le().ok()?;
        let mut crc = flate2::Crc::new();
        crc.update(cursor.take(20).ok()?);
        Some(crc.sum() == stated)
    };
    check().unwrap_or(false)
}

fn is_rar(bytes: &[u8]) -> bool {
    bytes.starts_with(b"Rar!\x1a\x07\x00") || bytes.starts_with(b"Rar!\x1a\x07\x01\x00")
}

/// A cabinet header (MS-CAB 2.1) with its reserved fields zero and a version that exists.
fn is_cabinet(bytes: &[u8]) -> bool {
    let check = || {
        let mut cursor = Cursor::at(bytes, 4).ok()?;
        let reserved = (cursor.u32_le().ok()?, cursor.u32_le().ok()?, cursor.u32_le().ok()?);
        let files = cursor.u32_le().ok()?;
        cursor.take(4).ok()?;
        let version = cursor.u16_le().ok()?;
        let (first, size, third) = reserved;
        Some(first == 0 && third == 0 && files < size && version == 0x103)
    };
    check().unwrap_or(false)
}

const MAGICS: [(&[u8], Kind); 5] = [
    (b"MSCF\0\0\0\0", Kind::Cabinet),
    (b"PE\0\0", Kind::Pe),
    (b"Rar!\x1a\x07", Kind::Rar),
    (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (b"PK\x03\x04", Kind::Zip),
];
static SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(MAGICS.map(|(magic, _)| magic)).ok());
/// How far in front of a PE header its `MZ` header is looked for, in bytes.
const MAX_STUB: usize = 4096;
