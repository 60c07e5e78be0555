//! Objects and macros inside PowerPoint 97 to 2003 presentations: \[MS-PPT\].

use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use memchr::memmem;

use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::compound::MAGIC;
use crate::object::Member;
use crate::subject::Subject;

use super::{Format, UnpackError, Unpacker};

/// The compound file of every embedded object, control or macro project.
pub(super) struct Ppt;

static FORMAT: Format = Format {
    name: "ppt",
    about: "PowerPoint 97-2003 presentation stream",
    extensions: &[],
    magic: &[],
    specification: &["[MS-PPT] 2.10.34 ExOleObjStg and after"],
    limitations: &["text and pictures are not taken apart"],
};

impl Unpacker for Ppt {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        subject.name().to_ascii_lowercase().ends_with(b"powerpoint document")
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        // The tree of records may be broken and the list of offsets may point anywhere, so the
        // records are looked for by their type.
        for at in memmem::find_iter(bytes, TYPE).filter_map(|at| at.checked_sub(2)) {
            let Some(object) = Storage::read(bytes, at) else { continue };
            let name = format!("object@{at}");
            let member = Member { size: object.size, ..Member::from(name.as_str()) };
            match object.size {
                Some(size) => {
                    let inner = ZlibDecoder::new(object.content);
                    children.stream(member, &mut Unfinished { inner, left: size })?;
                }
                None => children.slice(member, object.content)?,
            }
        }
        Ok(())
    }
}

/// A record that holds a compound file.
struct Storage<'a> {
    content: &'a [u8],
    /// The size once inflated, if it is deflated.
    size: Option<u64>,
}

impl<'a> Storage<'a> {
    fn read(bytes: &'a [u8], at: usize) -> Option<Self> {
        let mut fields = Cursor::at(bytes, at as u64).ok()?;
        let instance = fields.u16_le().ok()?;
        fields.u16_le().ok()?; // type
        let length = fields.u32_le().ok()?;
        let mut content = Cursor::new(fields.take_up_to(length.into()));
        match instance {
            STORED => {
                let content = content.rest();
                content.starts_with(MAGIC).then_some(Self { content, size: None })
            }
            DEFLATED => {
                let size = Some(content.u32_le().ok()?.into());
                let content = content.rest();
                let is_zlib = content.first().is_some_and(|first| first & 0x0F == 8);
                is_zlib.then_some(Self { content, size })
            }
            _ => None,
        }
    }
}

/// A stream that PowerPoint flushes but does not finish: past the stated size, an error is the end.
struct Unfinished<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Unfinished<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        if self.left == 0 {
            return Ok(read.unwrap_or(0));
        }
        let count = read?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// RT_ExternalOleObjectStg.
const TYPE: &[u8] = b"\x11\x10";
/// Version and instance of a record whose content is stored.
const STORED: u16 = 0x0000;
/// Version and instance of a record whose content is a zlib stream (RFC 1950).
const DEFLATED: u16 = 0x0010;
