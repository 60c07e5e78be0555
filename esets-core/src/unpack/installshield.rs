//! What InstallShield appends to its `setup.exe`: files one after the other, plain or encoded.
//! There is no specification; the encoded form was first described by ISx.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Format, Magic, UnpackError, Unpacker, iscab};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Inflate, utf16_le, whole};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct InstallShield;

impl Unpacker for InstallShield {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        let is_behind = subject.name() == b"overlay" || subject.ancestors().next().is_none();
        Encoded::open(bytes).is_some() || is_behind && Plain::is_list(bytes)
    }

    fn carved_by(&self) -> &'static [Magic] {
        &ENCODED
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        match Encoded::open(subject.bytes()) {
            Some(encoded) => encoded.offer(children),
            None => plain(subject.bytes(), children),
        }
    }
}

/// Files behind headers, encoded with their names.
struct Encoded<'a> {
    cursor: Cursor<'a>,
    files: u16,
    /// Whether headers are of the later form, with names in UTF-16.
    is_later: bool,
    /// Whether the later form has times.
    has_times: bool,
}

/// A file in it.
struct EncodedFile<'a> {
    name: Cow<'a, [u8]>,
    flags: u32,
    size: u32,
    is_deflated: bool,
}

impl<'a> Encoded<'a> {
    /// Reads the header if it makes sense together with that of the first file.
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let is_later = ENCODED.get(1)?.matches(bytes);
        if !is_later && !ENCODED.first()?.matches(bytes) {
            return None;
        }
        let mut cursor = Cursor::at(bytes, 14).ok()?;
        let (files, kind) = (cursor.u16_le().ok()?, cursor.u32_le().ok()?);
        cursor.take(26).ok()?;
        let encoded = Self { cursor, files, is_later, has_times: kind >= 4 };
        let first = encoded.clone_cursor().file().ok()?;
        (files > 0 && !first.name.is_empty()).then_some(encoded)
    }

    fn clone_cursor(&self) -> Self {
        Self { cursor: self.cursor.clone(), ..*self }
    }

    fn file(&mut self) -> Result<EncodedFile<'a>, Truncated> {
        if self.is_later { self.later_file() } else { self.early_file() }
    }

    fn early_file(&mut self) -> Result<EncodedFile<'a>, Truncated> {
        let cursor = &mut self.cursor;
        let name = cursor.take(260)?.split(|byte| *byte == 0).next().unwrap_or_default();
        let flags = cursor.u32_le()?;
        cursor.take(4)?;
        let size = cursor.u32_le()?;
        cursor.take(8)?;
        let is_deflated = cursor.u16_le()? != 0;
        cursor.take(30)?;
        Ok(EncodedFile { name: name.into(), flags, size, is_deflated })
    }

    fn later_file(&mut self) -> Result<EncodedFile<'a>, Truncated> {
        let cursor = &mut self.cursor;
        let (length, flags) = (cursor.u32_le()?, cursor.u32_le()?);
        cursor.take(2)?;
        let size = cursor.u32_le()?;
        cursor.take(8)?;
        let is_deflated = cursor.u16_le()? != 0;
        if self.has_times {
            cursor.take(24)?;
        }
        let name = utf16_le(cursor.take(usize::try_from(length).map_err(|_| Truncated)?)?);
        let name = name.trim_end_matches('\0').as_bytes().to_vec();
        Ok(EncodedFile { name: name.into(), flags, size, is_deflated })
    }

    fn offer(mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        for _ in 0..self.files {
            let file = self.file()?;
            let data = self.cursor.take_up_to(file.size.into());
            let _decoded = children.lease(data.len() as u64)?;
            let plain = file.decoded(data);
            let member =
                Member { packed_size: Some(file.size.into()), ..Member::named(file.name.as_ref()) };
            match plain.get(..2) {
                Some([0x78, _]) if file.is_deflated => {
                    let stream = Inflate::new(plain.get(2..).unwrap_or_default());
                    children.stream(member, &mut whole(stream, data.len(), file.size.into()))?;
                }
                _ => {
                    let content = &mut whole(&*plain, data.len(), file.size.into());
                    children.stream(member, content)?;
                }
            }
        }
        Ok(children.behind(&self.cursor)?)
    }
}

impl EncodedFile<'_> {
    fn decoded(&self, data: &[u8]) -> Vec<u8> {
        if self.flags & (WITH_KEY | IN_BLOCKS) == 0 || self.name.is_empty() {
            return data.to_vec();
        }
        let block = if self.flags & IN_BLOCKS == 0 { data.len().max(1) } else { BLOCK };
        let key =
            || self.name.iter().zip(MASK.iter().cycle()).map(|(name, mask)| name ^ mask).cycle();
        let blocks = data.chunks(block);
        blocks
            .flat_map(|block| block.iter().zip(key()).map(|(b, key)| !(b.rotate_left(4) ^ key)))
            .collect()
    }
}

/// A file of the plain form: its name, path, version and size in text, each behind the other.
struct Plain<'a> {
    name: &'a [u8],
    size: u64,
    data: &'a [u8],
}

impl<'a> Plain<'a> {
    /// Whether the first file makes sense.
    fn is_list(bytes: &'a [u8]) -> bool {
        let head = bytes.get(..MOST_TEXTS).unwrap_or(bytes);
        let mut texts = head.split(|byte| *byte == 0);
        let (Some(name), Some(path), Some(version)) = (texts.next(), texts.next(), texts.next())
        else {
            return false;
        };
        let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        !name.is_empty()
            && path.ends_with(name)
            && path.len() > name.len()
            && version.contains(&b'.')
            && version.iter().all(is_version)
            && Self::read(&mut Cursor::new(bytes)).is_ok()
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reason> {
        let name = text(cursor)?;
        text(cursor)?; // path
        text(cursor)?; // version
        let size = str::from_utf8(text(cursor)?).ok().and_then(|size| size.parse().ok());
        let size = size.ok_or(Reason::corrupt("size"))?;
        Ok(Self { name, size, data: cursor.take_up_to(size) })
    }
}

/// Offers all files, then those in their cabinets.
fn plain(bytes: &[u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
    let cursor = &mut Cursor::new(bytes);
    let mut files = Vec::new();
    let mut flaw = None;
    while !cursor.is_empty() && files.len() < MOST_FILES {
        match Plain::read(cursor) {
            Ok(file) => files.push(file),
            Err(reason) => {
                flaw = Some(reason);
                break;
            }
        }
    }
    for file in &files {
        let member = Member { size: Some(file.size), ..Member::named(file.name) };
        children.slice(member, file.data)?;
        if (file.data.len() as u64) < file.size {
            flaw = Some(Reason::Truncated);
        }
    }
    flaw = cabinets(&files, children)?.or(flaw);
    children.behind(cursor)?;
    flaw.map_or(Ok(()), |flaw| Err(flaw.into()))
}

/// Offers what the cabinets among the files hold, each from its directory and its volumes. What
/// belongs to no directory, or is the second volume of one number, stays unread.
fn cabinets(
    files: &[Plain<'_>],
    children: &mut Children<'_>,
) -> Result<Option<Reason>, UnpackError> {
    let mut flaw = None;
    let mut is_read = vec![false; files.len()];
    for header in files.iter().filter(|file| iscab::is_header(file.name)) {
        let mut volumes = BTreeMap::new();
        for (file, is_read) in files.iter().zip(&mut is_read) {
            let Some((number, data)) = volume(header, file) else { continue };
            if let Entry::Vacant(place) = volumes.entry(number) {
                place.insert(data);
                *is_read = true;
            }
        }
        let volumes: Vec<_> = volumes.into_iter().collect();
        match iscab::offer(header.data, &volumes, children) {
            Err(UnpackError::Reason(reason)) => flaw = Some(reason),
            outcome => outcome?,
        }
    }
    for (file, _) in files.iter().zip(is_read).filter(|(_, is_read)| !is_read) {
        if iscab::is_apart(file.name, file.data) && !iscab::is_header(file.name) {
            children.skip(Member::named(file.name), iscab::APART)?;
        }
    }
    Ok(flaw)
}

/// Whether the cabinets in this container are opened with it, because their parts are known there.
pub(super) fn opens_cabinets(container: &Subject<'_>) -> bool {
    container.formats().iter().any(|format| format.name == FORMAT.name)
        && Encoded::open(container.bytes()).is_none()
}

/// The number and data of `file` if it is a volume of the cabinet that `header` lists.
fn volume<'a>(header: &Plain<'_>, file: &Plain<'a>) -> Option<(u32, &'a [u8])> {
    let stem = header.name.strip_suffix(b"1.hdr").or_else(|| header.name.strip_suffix(b"1.HDR"))?;
    let rest = file.name.get(stem.len()..).filter(|_| {
        file.name.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem))
    })?;
    let number = rest.strip_suffix(b".cab").or_else(|| rest.strip_suffix(b".CAB"))?;
    Some((str::from_utf8(number).ok()?.parse().ok()?, file.data))
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Truncated> {
    let rest = cursor.rest();
    let length = memchr::memchr(0, rest.get(..MOST_TEXTS).unwrap_or(rest)).ok_or(Truncated)?;
    let text = cursor.take(length)?;
    cursor.take(1)?;
    Ok(text)
}

/// Flags: encoded in one go, or in blocks that each begin with the first byte of the key.
const WITH_KEY: u32 = 2;
const IN_BLOCKS: u32 = 4;
const BLOCK: usize = 1024;
/// What names are mixed with to make keys.
const MASK: [u8; 4] = [0x13, 0x35, 0x86, 0x07];
/// How long texts may be.
const MOST_TEXTS: usize = 1024;
/// How many files are looked for: no installer has that many beside its cabinets.
const MOST_FILES: usize = 4096;

static ENCODED: [Magic; 2] = [Magic::start(b"InstallShield\0"), Magic::start(b"ISSetupStream\0")];

static FORMAT: Format = Format {
    name: "installshield",
    about: "InstallShield installer",
    extensions: &[],
    magic: &[],
    specification: &["ISx, https://github.com/lifenjoiner/ISx"],
    limitations: &[
        "the plain form with texts in UTF-16 is not read",
        "cabinets in the encoded form are opened part by part",
    ],
};
