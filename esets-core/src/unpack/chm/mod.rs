//! Compiled HTML help of Microsoft (CHM), after the format's description by Matthew Russotto.

mod content;
mod directory;

use std::io::Read;

use self::content::{Frames, Section};
use self::directory::{Directory, Entry};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::whole;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Chm;

impl Unpacker for Chm {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let (listed, stored) = parts(bytes)?;
        let _entries = children.lease((listed.len() as u64).saturating_mul(ENTRY))?;
        let directory = Directory::read(listed)?;
        for entry in directory.entries.iter().filter(|entry| entry.section == 0 && entry.size > 0) {
            let content = entry.of(stored);
            if !entry.name.starts_with(b"::") {
                children.stream(entry.member(), &mut whole(content, content.len(), entry.size))?;
            }
        }
        packed(&directory, stored, children)?;
        let size = Cursor::at(bytes, SIZE_AT).and_then(|mut cursor| cursor.u64_le());
        if let Ok(cursor) = size.and_then(|size| Cursor::at(bytes, size))
            && cursor.position() > 0
        {
            children.behind(&cursor)?;
        }
        directory.flaw.map_or(Ok(()), |flaw| Err(flaw.into()))
    }
}

/// The directory, and the section that is stored.
fn parts(bytes: &[u8]) -> Result<(&[u8], &[u8]), Reason> {
    let cursor = &mut Cursor::at(bytes, 4)?;
    let version = cursor.u32_le()?;
    let cursor = &mut Cursor::at(bytes, SECTIONS_AT)?;
    cursor.take(16)?; // the section with the size of the file
    let (at, size) = (cursor.u64_le()?, cursor.u64_le()?);
    let behind = at.saturating_add(size);
    let stored_at = if version < 3 { behind } else { cursor.u64_le()? };
    let listed = Cursor::at(bytes, at)?.take_up_to(size);
    let stored = Cursor::at(bytes, stored_at).map(|cursor| cursor.rest());
    Ok((listed, stored.unwrap_or_default()))
}

/// Offers the files of the compressed section, in the order in which they lie there.
fn packed(
    directory: &Directory<'_>,
    stored: &[u8],
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let entries = directory.entries.iter().filter(|entry| entry.section != 0 && entry.size > 0);
    let mut entries: Vec<&Entry<'_>> = entries.collect();
    entries.sort_by_key(|entry| (entry.section, entry.offset));
    if entries.is_empty() {
        return Ok(());
    }
    let section = match Section::open(directory, stored) {
        Ok(section) => section,
        Err(reason) => return skip(&entries, &reason, children),
    };
    let _window = children.lease(section.memory())?;
    let mut frames = section.at(0);
    for entry in entries {
        if entry.section != 1 {
            children.skip(entry.member(), Reason::unsupported("section"))?;
            continue;
        }
        offer(entry, &section, &mut frames, children)?;
    }
    Ok(())
}

/// Offers one file; the frames stand where the one before ended.
fn offer<'s, 'a>(
    entry: &Entry<'_>,
    section: &'s Section<'a>,
    frames: &mut Frames<'s, 'a>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let start = section.at(entry.offset);
    let at = frames.position();
    if entry.offset < at || start.position() > at {
        *frames = start;
    }
    let before = entry.offset.saturating_sub(frames.position());
    children.pass(&mut (&mut *frames).take(before))?;
    let is_there = frames.position() == entry.offset;
    let content = &mut (&mut *frames).take(entry.size);
    if is_there {
        children.stream(entry.member(), content)?;
        children.pass(content)?;
        return Ok(());
    }
    let reason = frames.read(&mut [0]).err().map(|error| Reason::from_io(&error));
    children.skip(entry.member(), reason.unwrap_or(Reason::Truncated))?;
    Ok(())
}

fn skip(
    entries: &[&Entry<'_>],
    reason: &Reason,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    for entry in entries {
        children.skip(entry.member(), reason.clone())?;
    }
    Ok(())
}

impl<'a> Entry<'a> {
    fn member(&self) -> Member<'a> {
        Member { size: Some(self.size), ..Member::named(self.name) }
    }
}

/// The offset of the table of the header's sections.
const SECTIONS_AT: u64 = 0x38;
/// The offset at which files usually say how long they are.
const SIZE_AT: u64 = 0x68;
/// The memory that our lists take for each byte of the directory: entries have four at least.
const ENTRY: u64 = 16;

static FORMAT: Format = Format {
    name: "chm",
    about: "Compiled HTML help",
    extensions: &["chm"],
    magic: &[Magic::start(b"ITSF\x02\0\0\0"), Magic::start(b"ITSF\x03\0\0\0")],
    specification: &["M. Russotto, Microsoft's HTML Help (.chm) format", "[MS-PATCH] LZX"],
    limitations: &["sections compressed by anything but LZX are not opened"],
};
