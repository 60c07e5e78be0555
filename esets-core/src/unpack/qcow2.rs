//! QEMU disk images, as in QEMU's docs/interop/qcow2.txt.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Extent, Extents, inner_name, stored};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Qcow2;

impl Unpacker for Qcow2 {
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
        let mut disk = Extents::new(image.clusters());
        Ok(children.stream(Member::named(inner_name(&FORMAT, subject.name())), &mut disk)?)
    }
}

struct Image<'a> {
    bytes: &'a [u8],
    bits: u32,
    size: u64,
    /// The table of the tables that say where clusters are.
    tables: &'a [u8],
    has_parent: bool,
    is_deflate: bool,
}

impl<'a> Image<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Reason> {
        let cursor = &mut Cursor::at(bytes, 4)?;
        let version = cursor.u32_be()?;
        let has_parent = cursor.u64_be()? != 0;
        cursor.take(4)?; // length of the parent's name
        let bits = cursor.u32_be()?;
        let size = cursor.u64_be()?;
        let encryption = cursor.u32_be()?;
        let count = u64::from(cursor.u32_be()?);
        let tables_at = cursor.u64_be()?;
        if encryption != 0 {
            return Err(Reason::Encrypted);
        }
        if !(9..=21).contains(&bits) || !(2..=3).contains(&version) {
            return Err(Reason::corrupt("header"));
        }
        let tables = Cursor::at(bytes, tables_at)?.take_up_to(count.saturating_mul(8));
        let kind = bytes.get(104).copied().filter(|_| version > 2 && features(bytes) & 8 != 0);
        Ok(Self { bytes, bits, size, tables, has_parent, is_deflate: kind.unwrap_or(0) == 0 })
    }

    fn clusters(self) -> impl Iterator<Item = Result<Extent<'a>, Reason>> {
        let cluster = 1_u64 << self.bits;
        let count = self.size.div_ceil(cluster);
        (0..count).map(move |index| {
            let length = cluster.min(self.size.saturating_sub(index.saturating_mul(cluster)));
            let entry = self.entry(index)?;
            if entry & COMPRESSED != 0 {
                return self.compressed(entry, length);
            }
            match entry & OFFSET {
                0 => Ok(Extent::Zeros(length)),
                _ if entry & 1 != 0 => Ok(Extent::Zeros(length)),
                offset => stored(self.bytes, offset, length),
            }
        })
    }

    /// Where the cluster of that number is.
    fn entry(&self, index: u64) -> Result<u64, Truncated> {
        let bits = self.bits.saturating_sub(3);
        let table = Cursor::at(self.tables, (index >> bits).saturating_mul(8))?.u64_be()? & OFFSET;
        if table == 0 {
            return Ok(0);
        }
        let place = (index & !(u64::MAX << bits)).saturating_mul(8);
        Cursor::at(self.bytes, table.saturating_add(place))?.u64_be()
    }

    /// Offset and length in sectors share one field.
    fn compressed(&self, entry: u64, length: u64) -> Result<Extent<'a>, Reason> {
        if !self.is_deflate {
            return Err(Reason::unsupported("clusters packed with zstd"));
        }
        let shift = 70_u32.saturating_sub(self.bits);
        let offset = entry & !(u64::MAX << shift);
        let sectors = ((entry & !COMPRESSED & !COPIED) >> shift).saturating_add(1);
        let span = sectors.saturating_mul(512).saturating_sub(offset & 511);
        let packed = Cursor::at(self.bytes, offset)?.take_up_to(span);
        Ok(Extent::Deflate(packed, length))
    }
}

/// The features that a reader must know.
fn features(bytes: &[u8]) -> u64 {
    Cursor::at(bytes, 72).and_then(|mut cursor| cursor.u64_be()).unwrap_or(0)
}

const COMPRESSED: u64 = 1 << 62;
const COPIED: u64 = 1 << 63;
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;

static FORMAT: Format = Format {
    name: "qcow2",
    about: "QEMU disk image",
    extensions: &["qcow2", "qcow"],
    magic: &[Magic::start(b"QFI\xfb\x00\x00\x00\x02"), Magic::start(b"QFI\xfb\x00\x00\x00\x03")],
    specification: &["QEMU, docs/interop/qcow2.txt"],
    limitations: &[
        "images with a backing file: only what they hold themselves",
        "clusters packed with zstd",
        "encrypted images",
        "version 1",
        "extended entries (subclusters) are read as whole clusters",
    ],
};
