//! Hyper-V disk images, as in [MS-VHDX].

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Extent, Extents, inner_name, stored};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Vhdx;

impl Unpacker for Vhdx {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let image = Image::read(subject.bytes())?;
        if image.has_parent {
            children.not_scanned(Reason::unsupported("an image that lacks its parent"));
        }
        let mut disk = Extents::new(image.blocks());
        Ok(children.stream(Member::named(inner_name(&FORMAT, subject.name())), &mut disk)?)
    }
}

struct Image<'a> {
    bytes: &'a [u8],
    /// The block allocation table.
    table: &'a [u8],
    size: u64,
    block: u64,
    /// How many entries of the table stand before one that is for a bitmap.
    ratio: u64,
    has_parent: bool,
}

impl<'a> Image<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Reason> {
        let table = region(bytes, TABLE)?;
        let metadata = region(bytes, METADATA)?;
        let cursor = &mut item(metadata, PARAMETERS)?;
        let block = u64::from(cursor.u32_le()?);
        let has_parent = cursor.u32_le()? & 2 != 0;
        let size = item(metadata, SIZE)?.u64_le()?;
        let sector = u64::from(item(metadata, SECTOR)?.u32_le()?);
        let ratio = (sector << 23).checked_div(block).filter(|ratio| *ratio > 0);
        let ratio = ratio.ok_or(Reason::corrupt("block size"))?;
        Ok(Self { bytes, table, size, block, ratio, has_parent })
    }

    fn blocks(self) -> impl Iterator<Item = Result<Extent<'a>, Reason>> {
        (0..self.size.div_ceil(self.block)).map(move |index| {
            let length = self.block.min(self.size.saturating_sub(index.saturating_mul(self.block)));
            let bitmaps = index.checked_div(self.ratio).unwrap_or_default();
            let place = index.saturating_add(bitmaps).saturating_mul(8);
            let entry = Cursor::at(self.table, place)?.u64_le()?;
            match entry & 7 {
                6 | 7 => stored(self.bytes, entry >> 20 << 20, length),
                _ => Ok(Extent::Zeros(length)),
            }
        })
    }
}

/// A region by its identifier (2.2.3), from the region table at 192 KiB or its copy at 256 KiB.
fn region<'a>(bytes: &'a [u8], id: &[u8]) -> Result<&'a [u8], Reason> {
    for at in [192 << 10, 256 << 10] {
        let Ok(mut cursor) = Cursor::at(bytes, at) else { continue };
        let cursor = &mut cursor;
        if cursor.take(4) != Ok(b"regi") {
            continue;
        }
        cursor.take(4)?; // checksum
        let count = cursor.u32_le()?.min(MAX_ENTRIES);
        cursor.take(4)?;
        for _ in 0..count {
            let found = cursor.take(16)?;
            let offset = cursor.u64_le()?;
            let length = u64::from(cursor.u32_le()?);
            cursor.take(4)?; // required
            if found == id {
                return Ok(Cursor::at(bytes, offset)?.take_up_to(length));
            }
        }
    }
    Err(Reason::corrupt("region table"))
}

/// An item of the metadata by its identifier (2.6.1).
fn item<'a>(metadata: &'a [u8], id: &[u8]) -> Result<Cursor<'a>, Reason> {
    let cursor = &mut Cursor::at(metadata, 10)?;
    let count = cursor.u16_le()?;
    cursor.take(20)?;
    for _ in 0..count {
        let found = cursor.take(16)?;
        let offset = cursor.u32_le()?;
        cursor.take(12)?; // length, flags
        if found == id {
            return Ok(Cursor::at(metadata, offset.into())?);
        }
    }
    Err(Reason::corrupt("metadata"))
}

const MAX_ENTRIES: u32 = 2047;

const TABLE: &[u8] = b"\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
const METADATA: &[u8] = b"\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
const PARAMETERS: &[u8] = b"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
const SIZE: &[u8] = b"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8";
const SECTOR: &[u8] = b"\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f";

static FORMAT: Format = Format {
    name: "vhdx",
    about: "Hyper-V disk image",
    extensions: &["vhdx"],
    magic: &[Magic::start(b"vhdxfile")],
    specification: &["[MS-VHDX]"],
    limitations: &[
        "differencing disks: only what they hold themselves",
        "a log that was not yet applied",
    ],
};
