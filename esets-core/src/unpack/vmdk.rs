//! VMware disk images, as in VMware's Virtual Disk Format 5.0: sparse extents.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Extent, Extents, inner_name, stored};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Vmdk;

impl Unpacker for Vmdk {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let mut image = Image::read(bytes, 0)?;
        if image.directory_at == u64::MAX {
            // A stream ends in a footer, a copy of the header, and an end marker of one sector.
            let footer = (bytes.len() as u64).saturating_sub(2 * SECTOR);
            image = Image::read(bytes, footer)?;
        }
        let mut disk = Extents::new(image.grains());
        Ok(children.stream(Member::named(inner_name(&FORMAT, subject.name())), &mut disk)?)
    }
}

struct Image<'a> {
    bytes: &'a [u8],
    is_packed: bool,
    /// All in sectors.
    capacity: u64,
    grain: u64,
    directory_at: u64,
    /// Entries of one table of grains.
    entries: u64,
}

impl<'a> Image<'a> {
    fn read(bytes: &'a [u8], at: u64) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(bytes, at)?;
        if cursor.take(4)? != MAGIC {
            return Err(Reason::corrupt("header"));
        }
        cursor.take(4)?; // version
        let flags = cursor.u32_le()?;
        let capacity = cursor.u64_le()?;
        let grain = cursor.u64_le()?;
        cursor.take(16)?; // descriptor
        let entries = u64::from(cursor.u32_le()?);
        cursor.take(8)?; // redundant directory
        let directory_at = cursor.u64_le()?;
        if grain == 0 || entries == 0 {
            return Err(Reason::corrupt("grain size"));
        }
        let is_packed = flags & PACKED != 0;
        Ok(Self { bytes, is_packed, capacity, grain, directory_at, entries })
    }

    fn grains(self) -> impl Iterator<Item = Result<Extent<'a>, Reason>> {
        let count = self.capacity.div_ceil(self.grain);
        (0..count).map(move |index| {
            let before = index.saturating_mul(self.grain);
            let sectors = self.grain.min(self.capacity.saturating_sub(before));
            let length = sectors.saturating_mul(SECTOR);
            match self.place(index)? {
                0 | 1 => Ok(Extent::Zeros(length)),
                place if self.is_packed => self.packed(place, length),
                place => stored(self.bytes, place.saturating_mul(SECTOR), length),
            }
        })
    }

    /// The sector of a grain: the directory leads to a table, the table to the grain.
    fn place(&self, index: u64) -> Result<u64, Truncated> {
        let entry = |sector: u64, index: u64| {
            let at = sector.saturating_mul(SECTOR).saturating_add(index.saturating_mul(4));
            Cursor::at(self.bytes, at)?.u32_le().map(u64::from)
        };
        let table = index.checked_div(self.entries).unwrap_or_default();
        match entry(self.directory_at, table)? {
            0 => Ok(0),
            sector => entry(sector, index.checked_rem(self.entries).unwrap_or_default()),
        }
    }

    /// A grain of a stream: its place, its packed size, and zlib data.
    fn packed(&self, place: u64, length: u64) -> Result<Extent<'a>, Reason> {
        let cursor = &mut Cursor::at(self.bytes, place.saturating_mul(SECTOR))?;
        cursor.take(8)?;
        let size = cursor.u32_le()?;
        let data = cursor.take_up_to(size.into());
        Ok(Extent::Deflate(data.get(2..).unwrap_or_default(), length))
    }
}

const MAGIC: &[u8] = b"KDMV";
const PACKED: u32 = 1 << 16;
const SECTOR: u64 = 512;

static FORMAT: Format = Format {
    name: "vmdk",
    about: "VMware disk image",
    extensions: &["vmdk"],
    magic: &[Magic::start(MAGIC)],
    specification: &["VMware, Virtual Disk Format 5.0"],
    limitations: &[
        "descriptors that name other files",
        "COWD extents of ESX",
        "deltas: only what they hold themselves",
    ],
};
