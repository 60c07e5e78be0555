//! Virtual PC disk images (VHD), as in Microsoft's Virtual Hard Disk Image Format Specification.

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Extent, Extents, inner_name, stored};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Vhd;

impl Unpacker for Vhd {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        footer(subject.bytes()).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let footer = Footer::read(footer(bytes).ok_or(Truncated)?)?;
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        match footer.kind {
            FIXED => {
                let size = bytes.len().saturating_sub(FOOTER);
                Ok(children.slice(member, bytes.get(..size).unwrap_or_default())?)
            }
            DYNAMIC => {
                let table = Table::read(bytes, footer.header_at)?;
                let mut disk = Extents::new(table.blocks(bytes, footer.size));
                Ok(children.stream(member, &mut disk)?)
            }
            DIFFERENCING => Err(Reason::unsupported("an image that lacks its parent").into()),
            _ => Err(Reason::corrupt("type of disk").into()),
        }
    }
}

/// The footer, at the end or, as a copy, at the start.
fn footer(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.len().checked_sub(FOOTER).and_then(|start| bytes.get(start..));
    let places = [end, bytes.get(..FOOTER)];
    places.into_iter().flatten().find(|footer| footer.starts_with(MAGIC))
}

struct Footer {
    header_at: u64,
    size: u64,
    kind: u32,
}

impl Footer {
    fn read(bytes: &[u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(bytes, 16)?;
        let header_at = cursor.u64_be()?;
        cursor.take(24)?; // time, creator, original size
        let size = cursor.u64_be()?;
        cursor.take(4)?; // geometry
        Ok(Self { header_at, size, kind: cursor.u32_be()? })
    }
}

/// Where the blocks of a dynamic disk are.
struct Table<'a> {
    entries: &'a [u8],
    block: u64,
}

impl<'a> Table<'a> {
    fn read(bytes: &'a [u8], at: u64) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(bytes, at)?;
        if cursor.take(8)? != b"cxsparse" {
            return Err(Reason::corrupt("dynamic header"));
        }
        cursor.take(8)?;
        let table_at = cursor.u64_be()?;
        cursor.take(4)?; // version
        let count = u64::from(cursor.u32_be()?);
        let block = u64::from(cursor.u32_be()?);
        if !block.is_power_of_two() || block < SECTOR {
            return Err(Reason::corrupt("block size"));
        }
        let entries = Cursor::at(bytes, table_at)?.take(to_size(count.saturating_mul(4)))?;
        Ok(Self { entries, block })
    }

    /// Each block lies behind a bitmap of its sectors; those it does not name are zeros there.
    fn blocks(
        &self,
        bytes: &'a [u8],
        size: u64,
    ) -> impl Iterator<Item = Result<Extent<'a>, Reason>> + use<'a> {
        let block = self.block;
        let bitmap = (block / SECTOR / 8).next_multiple_of(SECTOR);
        let (words, _) = self.entries.as_chunks::<4>();
        let starts = words.iter().map(|word| u64::from(u32::from_be_bytes(*word)));
        let mut left = size;
        starts.map_while(move |sector| {
            let length = block.min(left);
            left = left.saturating_sub(length);
            let at = sector.saturating_mul(SECTOR).saturating_add(bitmap);
            match length {
                0 => None,
                _ if sector == u64::from(u32::MAX) => Some(Ok(Extent::Zeros(length))),
                _ => Some(stored(bytes, at, length)),
            }
        })
    }
}

const MAGIC: &[u8] = b"conectix";
const FOOTER: usize = 512;
const SECTOR: u64 = 512;
const FIXED: u32 = 2;
const DYNAMIC: u32 = 3;
const DIFFERENCING: u32 = 4;

fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

static FORMAT: Format = Format {
    name: "vhd",
    about: "Virtual PC disk image",
    extensions: &["vhd", "vpc"],
    magic: &[],
    specification: &["Microsoft, Virtual Hard Disk Image Format Specification 1.0"],
    limitations: &["differencing disks, which hold changes to another image"],
};
