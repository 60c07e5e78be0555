//! EGG, of the Korean archiver ALZip (ESTsoft, "EGG format specification" 1.0).

use std::io::{self, Read};

use lzma_rust2::LzmaReader;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::budget::Lease;
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Checked, Inflate, Stated, Sum};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Egg;

impl Unpacker for Egg {
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
        cursor.take(14)?; // signature, version, number, reserved
        let mut archive = Archive { in_fields: true, ..Archive::default() };
        loop {
            match cursor.u32_le() {
                Ok(FILE) => {
                    archive.finish(children)?;
                    archive.begin(cursor)?;
                }
                Ok(BLOCK) => archive.block(cursor)?,
                Ok(END) if archive.in_fields => archive.in_fields = false,
                Ok(END) => {
                    archive.finish(children)?;
                    return Ok(children.behind(cursor)?);
                }
                Ok(mark) => archive.field(mark, cursor)?,
                Err(truncated) => {
                    archive.finish(children)?;
                    return Err(truncated.into());
                }
            }
        }
    }
}

/// What has been read of an archive and not yet been offered.
#[derive(Default)]
struct Archive<'a> {
    file: Option<File<'a>>,
    is_solid: bool,
    /// Whether fields are being read, behind which an end must stand.
    in_fields: bool,
}

/// A member whose blocks are being collected.
#[derive(Default)]
struct File<'a> {
    name: &'a [u8],
    size: u64,
    encrypted: bool,
    blocks: Vec<Block<'a>>,
    is_cut: bool,
}

impl File<'_> {
    /// Whether it is a member at all, and not only the fields of an archive.
    fn is_one(&self) -> bool {
        !self.name.is_empty() || !self.blocks.is_empty()
    }
}

/// A part of a member, packed by itself.
struct Block<'a> {
    method: u8,
    size: u32,
    crc: u32,
    data: &'a [u8],
}

impl<'a> Archive<'a> {
    fn begin(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Truncated> {
        cursor.take(4)?; // number
        let size = cursor.u64_le()?;
        self.file = Some(File { size, ..File::default() });
        self.in_fields = true;
        Ok(())
    }

    /// Reads a field that is neither a member nor a block.
    fn field(&mut self, mark: u32, cursor: &mut Cursor<'a>) -> Result<(), Reason> {
        let flags = cursor.u8()?;
        let size = if flags & 0x01 != 0 { cursor.u32_le()? } else { cursor.u16_le()?.into() };
        let content = cursor.take(usize::try_from(size).map_err(|_| Truncated)?)?;
        let file = self.file.get_or_insert_default();
        match mark {
            NAME => file.name = name(content, flags),
            ENCRYPTION => file.encrypted = true,
            SOLID => self.is_solid = true,
            SPLIT => file.is_cut = true,
            COMMENT | DUMMY | POSIX | WINDOWS => {}
            _ => return Err(Reason::corrupt("header")),
        }
        Ok(())
    }

    fn block(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Reason> {
        let method = cursor.u8()?;
        cursor.take(1)?; // hint
        let (size, packed, crc) = (cursor.u32_le()?, cursor.u32_le()?, cursor.u32_le()?);
        if cursor.u32_le()? != END {
            return Err(Reason::corrupt("block header"));
        }
        let data = cursor.take_up_to(packed.into());
        let file = self.file.get_or_insert_default();
        file.is_cut |= (data.len() as u64) < u64::from(packed);
        file.blocks.push(Block { method, size, crc, data });
        Ok(())
    }

    /// Offers the member that has been read.
    fn finish(&mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let Some(file) = self.file.take().filter(File::is_one) else { return Ok(()) };
        let member =
            Member { encrypted: file.encrypted, size: Some(file.size), ..Member::named(file.name) };
        if file.encrypted {
            return Ok(children.skip(member, Reason::Encrypted)?);
        }
        if self.is_solid {
            let reason = Reason::unsupported("solid EGG archive");
            return Ok(children.skip(member, reason)?);
        }
        let purse = children.lease(0)?;
        let blocks = file.blocks.iter();
        children.stream(member, &mut Blocks { blocks, current: None, purse: &purse })?;
        if file.is_cut { Err(Reason::Truncated.into()) } else { Ok(()) }
    }
}

/// The name, behind a locale and the number of a directory if there are any.
fn name(content: &[u8], flags: u8) -> &[u8] {
    let mut cursor = Cursor::new(content);
    if flags & 0x08 != 0 {
        cursor.take_up_to(2);
    }
    if flags & 0x10 != 0 {
        cursor.take_up_to(4);
    }
    cursor.rest()
}

/// The blocks of a member, read as one.
struct Blocks<'b, 'a> {
    blocks: std::slice::Iter<'b, Block<'a>>,
    current: Option<(Checked<Box<dyn Read + 'a>>, Lease)>,
    purse: &'b Lease,
}

impl Read for Blocks<'_, '_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some((current, _)) = &mut self.current {
                let count = current.read(output)?;
                if count > 0 || output.is_empty() {
                    return Ok(count);
                }
                self.current = None;
            }
            let Some(block) = self.blocks.next() else { return Ok(0) };
            self.current = Some(block.open(self.purse).map_err(io::Error::other)?);
        }
    }
}

impl<'a> Block<'a> {
    fn open(&self, purse: &Lease) -> Result<(Checked<Box<dyn Read + 'a>>, Lease), Reason> {
        let mut lease = purse.another(0)?;
        let reader: Box<dyn Read + 'a> = match self.method {
            0 => Box::new(self.data),
            1 => Box::new(Inflate::new(self.data)),
            2 => {
                lease = purse.another(BZIP2_MEMORY)?;
                Box::new(bzip2::read::BzDecoder::new(self.data))
            }
            4 => {
                let mut cursor = Cursor::new(self.data);
                cursor.take_up_to(4); // version, size of the settings
                let settings = cursor.u8()?;
                let dictionary = cursor.u32_le()?.clamp(4096, self.size.max(4096));
                lease = purse.another(u64::from(dictionary).saturating_add(LZMA_MODEL))?;
                let size = self.size.into();
                let rest = cursor.rest();
                let reader = LzmaReader::new_with_props(rest, size, settings, dictionary, None);
                Box::new(reader.map_err(|_| Reason::corrupt("LZMA settings"))?)
            }
            3 => return Err(Reason::unsupported("AZO")),
            _ => return Err(Reason::unsupported("EGG method")),
        };
        let stated = Stated { size: Some(self.size.into()), sum: Sum::Crc32(self.crc) };
        Ok((Checked::new(reader, stated), lease))
    }
}

const FILE: u32 = 0x0a85_90e3;
const BLOCK: u32 = 0x02b5_0c13;
const END: u32 = 0x08e2_8222;
const NAME: u32 = 0x0a85_91ac;
const COMMENT: u32 = 0x04c6_3672;
const WINDOWS: u32 = 0x2c86_950b;
const POSIX: u32 = 0x1ee9_22e5;
const ENCRYPTION: u32 = 0x08d1_470f;
const DUMMY: u32 = 0x0746_3307;
const SPLIT: u32 = 0x24f5_a262;
const SOLID: u32 = 0x24e5_a060;

const BZIP2_MEMORY: u64 = 4 << 20;
const LZMA_MODEL: u64 = 64 << 10;

static FORMAT: Format = Format {
    name: "egg",
    about: "ALZip archive, EGG",
    extensions: &["egg"],
    magic: &[Magic::start(b"EGGA\0\x01")],
    specification: &["ESTsoft, EGG format specification 1.0"],
    limitations: &[
        "blocks packed with AZO, solid archives and volumes are not decoded",
        "encrypted members are not decrypted",
    ],
};
