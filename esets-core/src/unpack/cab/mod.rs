//! Microsoft cabinets (Microsoft Cabinet Format, MS-CAB).

mod folder;

use std::io::{self, Read};

use self::folder::{Entry, Folder};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Cab;

impl Unpacker for Cab {
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
        let cabinet = Cabinet::read(subject.bytes())?;
        let (mut files, broken) = cabinet.files();
        // In a cabinet they lie in this order, and unpacking goes in no other.
        files.sort_by_key(|file| (file.folder, file.offset));
        for files in files.chunk_by(|one, other| one.folder == other.folder) {
            cabinet.offer(files, children)?;
        }
        let behind = cabinet.behind();
        if behind.iter().any(|byte| *byte != 0) {
            let name = format!("@{}", cabinet.size).into_bytes();
            children.slice(Member::named(name), behind)?;
        }
        broken.map_or(Ok(()), |reason| Err(reason.into()))
    }
}

/// What the header says, and where the rest is.
struct Cabinet<'a> {
    bytes: &'a [u8],
    size: u32,
    files_at: u32,
    file_count: u16,
    folders: Vec<Entry>,
    /// Bytes reserved in the header of each block.
    reserved: usize,
}

/// One file of a cabinet.
struct File<'a> {
    name: &'a [u8],
    size: u32,
    /// From the start of its folder.
    offset: u32,
    folder: u16,
}

impl<'a> Cabinet<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(bytes, 8)?;
        let size = cursor.u32_le()?;
        cursor.take(4)?; // reserved
        let files_at = cursor.u32_le()?;
        cursor.take(6)?; // reserved, version
        let folder_count = cursor.u16_le()?;
        let file_count = cursor.u16_le()?;
        let flags = cursor.u16_le()?;
        cursor.take(4)?; // set and place in it
        let (mut in_folder, mut in_block) = (0, 0);
        if flags & RESERVED != 0 {
            let in_header = cursor.u16_le()?;
            in_folder = usize::from(cursor.u8()?);
            in_block = usize::from(cursor.u8()?);
            cursor.take(in_header.into())?;
        }
        for flag in [PREVIOUS, NEXT] {
            if flags & flag != 0 {
                text(cursor)?; // cabinet
                text(cursor)?; // disk
            }
        }
        let mut folders = Vec::new();
        for _ in 0..folder_count {
            let (offset, blocks, method) = (cursor.u32_le()?, cursor.u16_le()?, cursor.u16_le()?);
            folders.push(Entry { offset, blocks, method });
            cursor.take(in_folder)?;
        }
        Ok(Self { bytes, size, files_at, file_count, folders, reserved: in_block })
    }

    /// The files, and why there are not as many as the header says.
    fn files(&self) -> (Vec<File<'a>>, Option<Reason>) {
        let mut files = Vec::new();
        let Ok(mut cursor) = Cursor::at(self.bytes, self.files_at.into()) else {
            return (files, Some(Reason::Truncated));
        };
        for _ in 0..self.file_count {
            match File::read(&mut cursor) {
                Ok(file) => files.push(file),
                Err(truncated) => return (files, Some(truncated.into())),
            }
        }
        (files, None)
    }

    /// What lies behind the cabinet, if its size makes sense.
    fn behind(&self) -> &'a [u8] {
        let size = usize::try_from(self.size).ok().filter(|size| *size >= HEADER);
        size.and_then(|size| self.bytes.get(size..)).unwrap_or_default()
    }

    /// Offers the files of one folder.
    fn offer(&self, files: &[File<'a>], children: &mut Children<'_>) -> Result<(), UnpackError> {
        let Some(first) = files.first() else { return Ok(()) };
        let Some(entry) = self.entry(first.folder) else {
            let is_elsewhere = first.folder >= FROM_PREVIOUS;
            let reason =
                if is_elsewhere { Reason::Truncated } else { Reason::corrupt("folder number") };
            return skip(files, &reason, children);
        };
        let purse = children.lease(0)?;
        let open = || Folder::open(entry, self.bytes, self.reserved, &purse);
        let mut folder = match open() {
            Ok(folder) => folder,
            Err(reason) => return skip(files, &reason, children),
        };
        let (mut at, mut restarts) = (0_u64, 0);
        for file in files {
            let offset = u64::from(file.offset);
            if offset < at {
                // Files that overlap: the data is unpacked again.
                restarts = u16::saturating_add(restarts, 1);
                if restarts > children.readings() {
                    children.skip(file.member(), Reason::corrupt("overlapping files"))?;
                    continue;
                }
                drop(folder);
                (folder, at) = (open()?, 0);
            }
            children.pass(&mut (&mut folder).take(offset.saturating_sub(at)))?;
            let mut content = Content { folder: &mut folder, left: file.size.into() };
            children.stream(file.member(), &mut content)?;
            let unread = content.left;
            children.pass(&mut (&mut folder).take(unread))?;
            at = offset.saturating_add(file.size.into());
        }
        Ok(())
    }

    /// The folder that a file says it is in: files that go on elsewhere are in the last or first.
    fn entry(&self, folder: u16) -> Option<&Entry> {
        match folder {
            TO_NEXT => self.folders.last(),
            FROM_PREVIOUS.. => None,
            folder => self.folders.get(usize::from(folder)),
        }
    }
}

fn skip(
    files: &[File<'_>],
    reason: &Reason,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    for file in files {
        children.skip(file.member(), reason.clone())?;
    }
    Ok(())
}

impl<'a> File<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Truncated> {
        let size = cursor.u32_le()?;
        let offset = cursor.u32_le()?;
        let folder = cursor.u16_le()?;
        cursor.take(6)?; // date, time, attributes
        Ok(Self { name: text(cursor)?, size, offset, folder })
    }

    fn member(&self) -> Member<'a> {
        Member { size: Some(self.size.into()), ..Member::named(self.name) }
    }
}

/// One file's part of a folder.
struct Content<'f, 'a> {
    folder: &'f mut Folder<'a>,
    left: u64,
}

impl Read for Content<'_, '_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = Read::take(&mut *self.folder, self.left).read(output)?;
        self.left = self.left.saturating_sub(count as u64);
        if count > 0 || output.is_empty() {
            return Ok(count);
        }
        match self.folder.take_flaw() {
            Some(flaw) => Err(io::Error::other(flaw)),
            None if self.left > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            None => Ok(0),
        }
    }
}

/// Text up to a zero byte.
fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Truncated> {
    let length = memchr::memchr(0, cursor.rest()).ok_or(Truncated)?;
    let text = cursor.take(length)?;
    cursor.take(1)?;
    Ok(text)
}

const PREVIOUS: u16 = 0x01;
const NEXT: u16 = 0x02;
const RESERVED: u16 = 0x04;

/// Folder numbers of files that began in the cabinet before, and of one that goes on in the next.
const FROM_PREVIOUS: u16 = 0xfffd;
const TO_NEXT: u16 = 0xfffe;

const HEADER: usize = 36;

static FORMAT: Format = Format {
    name: "cab",
    about: "Microsoft cabinet",
    extensions: &["cab"],
    magic: &[Magic::start(b"MSCF\0\0\0\0")],
    specification: &["[MS-CAB] Cabinet File Format", "[MS-MCI] Microsoft ZIP Compression"],
    limitations: &[
        "a file that began in another cabinet is not unpacked, one that ends there only in part",
    ],
};
