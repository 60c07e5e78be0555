//! NuFX archives of the Apple II, as ShrinkIt makes them (Apple II File Type Note $E0/$8002).

mod lzw;

use std::io::Read;

use self::lzw::Blocks;
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Checked, Codes, Inflate, Lzw, Stated, Sum};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Shk;

impl Unpacker for Shk {
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
        let cursor = &mut Cursor::new(subject.bytes());
        cursor.take(8)?; // signature, checksum
        let records = cursor.u32_le()?;
        cursor.take(36)?; // dates, version, length
        let _tables = children.lease(TABLES)?;
        for _ in 0..records {
            let record = Record::read(cursor)?;
            for thread in &record.threads {
                let data = cursor.take_up_to(thread.packed.into());
                offer(&record, thread, data, children)?;
                if data.len() < thread.packed as usize {
                    return Err(Truncated.into());
                }
            }
        }
        Ok(children.behind(cursor)?)
    }
}

/// A file, or what else a record describes.
struct Record<'a> {
    name: &'a [u8],
    version: u16,
    /// How long an image of a disk is.
    disk: u64,
    threads: Vec<Thread>,
}

/// One of the things that belong to a record.
struct Thread {
    class: u16,
    format: u16,
    kind: u16,
    crc: u16,
    size: u32,
    packed: u32,
}

impl<'a> Record<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reason> {
        let header = &mut Cursor::new(cursor.rest());
        if header.take(4)? != RECORD {
            return Err(Reason::corrupt("record"));
        }
        header.take(2)?; // checksum
        let length = header.u16_le()?;
        let version = header.u16_le()?;
        let count = header.u32_le()?;
        header.take(12)?; // file system, access, type
        let blocks = header.u32_le()?;
        let block = header.u16_le()?;
        let attributes = cursor.take(usize::from(length).saturating_sub(2))?;
        if attributes.len() < header.position() {
            return Err(Reason::corrupt("record"));
        }
        let name_length = cursor.u16_le()?;
        let mut name = cursor.take(name_length.into())?;
        let mut threads = Vec::new();
        for _ in 0..count {
            threads.push(Thread::read(cursor)?);
        }
        // Names are threads of their own in all but old archives.
        let mut ahead = cursor.clone();
        for thread in &threads {
            let data = ahead.take_up_to(thread.packed.into());
            if thread.class == NAME && thread.kind == 0 {
                name = data.get(..thread.size as usize).unwrap_or(data);
            }
        }
        let disk = u64::from(blocks).saturating_mul(block.into());
        Ok(Self { name, version, disk, threads })
    }
}

impl Thread {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            class: cursor.u16_le()?,
            format: cursor.u16_le()?,
            kind: cursor.u16_le()?,
            crc: cursor.u16_le()?,
            size: cursor.u32_le()?,
            packed: cursor.u32_le()?,
        })
    }

    /// How long the data are: an image of a disk may say it by its blocks only.
    fn length(&self, record: &Record<'_>) -> u64 {
        if self.kind == DISK { record.disk.max(self.size.into()) } else { self.size.into() }
    }
}

fn offer(
    record: &Record<'_>,
    thread: &Thread,
    data: &[u8],
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let suffix: &[u8] = match (thread.class, thread.kind) {
        (DATA, 2) => b":resource fork",
        (DATA, _) => b"",
        (MESSAGE, _) if thread.size > 0 => b":comment",
        _ => return Ok(()),
    };
    let size = thread.length(record);
    let member = Member {
        packed_size: Some(thread.packed.into()),
        size: Some(size),
        ..Member::named([record.name, suffix].concat())
    };
    let sum = if record.version >= 3 && thread.class == DATA {
        Sum::Ccitt(thread.crc)
    } else {
        Sum::None
    };
    // Blocks are filled up, and so may be what is stored.
    let stated = Stated { size: Some(size), sum };
    match unpacked(thread.format, data)? {
        Some(reader) => children.stream(member, &mut Checked::new(reader.take(size), stated))?,
        None => children.skip(member, Reason::unsupported("format of a thread"))?,
    }
    Ok(())
}

/// The content of a thread, if its format is known.
fn unpacked<'a>(format: u16, data: &'a [u8]) -> Result<Option<Box<dyn Read + 'a>>, Truncated> {
    Ok(Some(match format {
        0 => Box::new(data),
        2 => Box::new(Blocks::first(data)?),
        3 => Box::new(Blocks::second(data)?),
        4 | 5 => {
            let settings = data.get(2).copied().ok_or(Truncated)?;
            let codes = Codes::of_compress((settings & 31).min(16).into(), settings & 0x80 != 0);
            Box::new(Lzw::reader(data.get(3..).unwrap_or_default(), codes))
        }
        6 => Box::new(Inflate::new(data.get(2..).unwrap_or_default())),
        7 => Box::new(bzip2::read::BzDecoder::new(data)),
        _ => return Ok(None),
    }))
}

const RECORD: &[u8] = b"N\xf5F\xd8";
const MESSAGE: u16 = 0;
const DATA: u16 = 2;
const NAME: u16 = 3;
const DISK: u16 = 1;
/// Tables of strings, blocks, and a decoder of bzip2.
const TABLES: u64 = 4 << 20;

static FORMAT: Format = Format {
    name: "shk",
    about: "NuFX archive, ShrinkIt",
    extensions: &["shk", "sdk", "bxy", "bse", "sea"],
    magic: &[Magic::start(b"N\xf5F\xe9l\xe5")],
    specification: &["Apple II File Type Note $E0/$8002, NuFX", "NufxLib 3.1"],
    limitations: &["Huffman squeezing (format 1) is not decoded"],
};
