//! VirtualBox disk images (VDI), as in VirtualBox's VDICore.h.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Extent, Extents, inner_name, stored};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Vdi;

impl Unpacker for Vdi {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let header = Header::read(&mut Cursor::at(bytes, 68)?)?;
        if header.block == 0 {
            return Err(Reason::corrupt("block size").into());
        }
        let length = u64::from(header.count).saturating_mul(4);
        let map = Cursor::at(bytes, header.map_at.into())?.take(to_size(length))?;
        let mut disk = Extents::new(header.blocks(bytes, map));
        Ok(children.stream(Member::named(inner_name(&FORMAT, subject.name())), &mut disk)?)
    }
}

/// The fields of version 1.1 that lead to the data.
struct Header {
    map_at: u32,
    data_at: u32,
    size: u64,
    block: u64,
    /// What stands before the data of each block.
    extra: u64,
    count: u32,
}

impl Header {
    /// Reads what lies behind the magic.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        cursor.take(4 + 4 + 4 + 4 + 256)?; // version, size, type, flags, comment
        let map_at = cursor.u32_le()?;
        let data_at = cursor.u32_le()?;
        cursor.take(20)?; // geometry, unused
        let size = cursor.u64_le()?;
        let block = cursor.u32_le()?.into();
        let extra = cursor.u32_le()?.into();
        Ok(Self { map_at, data_at, size, block, extra, count: cursor.u32_le()? })
    }

    fn blocks<'a>(
        self,
        bytes: &'a [u8],
        map: &'a [u8],
    ) -> impl Iterator<Item = Result<Extent<'a>, Reason>> {
        let places = map.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
        let mut left = self.size;
        places.map_while(move |place| {
            let length = self.block.min(left);
            left = left.saturating_sub(length);
            let step = self.block.saturating_add(self.extra);
            let at = u64::from(place).saturating_mul(step);
            let at = at.saturating_add(self.data_at.into()).saturating_add(self.extra);
            match length {
                0 => None,
                _ if place >= UNUSED => Some(Ok(Extent::Zeros(length))),
                _ => Some(stored(bytes, at, length)),
            }
        })
    }
}

/// From here on a place means "zeros" or "never written".
const UNUSED: u32 = u32::MAX - 1;

fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

static FORMAT: Format = Format {
    name: "vdi",
    about: "VirtualBox disk image",
    extensions: &["vdi"],
    magic: &[Magic::at(64, b"\x7f\x10\xda\xbe")],
    specification: &["VirtualBox, VDICore.h"],
    limitations: &["differencing images, which hold changes to another image"],
};
