//! Files that the Windows overlay filter (WOF) has packed: a stream beside an empty file holds them
//! as a resource of a WIM image, and a reparse point says how it is packed (MS-FSCC 2.1.2).

use super::Stream;
use super::record::runs;
use super::table::Table;
use crate::budget::{Lease, Stop};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::Run;
use crate::object::Member;
use crate::unpack::wim::resource::{Method, Packing, Place, Resource};
use crate::verdict::Reason;

/// Unpacks such files of one volume.
pub(super) struct Overlay {
    /// How many packed bytes are still to be read: together they are no more than the volume, so
    /// that files that share their clusters do not cost its square.
    left: u64,
}

impl Overlay {
    pub(super) fn of(image: &[u8]) -> Self {
        Self { left: image.len() as u64 }
    }

    /// Offers a file of `size` bytes that is packed in `stream` as the value of its reparse point
    /// says.
    pub(super) fn offer(
        &mut self,
        value: &[u8],
        size: u64,
        stream: Option<&Stream<'_>>,
        table: &Table<'_>,
        member: Member<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), Stop> {
        let purse = match children.lease(0) {
            Ok(purse) => purse,
            Err(reason) => return children.skip(member, reason),
        };
        let packed = packing(value).and_then(|packing| {
            let stream = stream.ok_or(Reason::corrupt("packed stream"))?;
            Ok((packing, self.content(stream, table, &purse)?))
        });
        let (packing, (bytes, _lease)) = match packed {
            Ok(packed) => packed,
            Err(reason) => return children.skip(member, reason),
        };
        let place = Place::whole(&bytes, size);
        match Resource::open(&bytes, &place, packing, &purse) {
            Ok(mut resource) => {
                let member = Member { size: Some(size), ..member };
                children.stream(member, &mut resource)
            }
            Err(reason) => children.skip(member, reason),
        }
    }

    /// The bytes of the packed stream.
    fn content(
        &mut self,
        stream: &Stream<'_>,
        table: &Table<'_>,
        purse: &Lease,
    ) -> Result<(Vec<u8>, Lease), Reason> {
        let size = stream.size();
        self.left = self.left.checked_sub(size).ok_or(Reason::corrupt("files that overlap"))?;
        let lease = purse.another(size)?;
        if let Some(inside) = stream.inside {
            return Ok((inside.to_vec(), lease));
        }
        let mut stretches = stream.stretches.clone();
        stretches.sort_by_key(|stretch| stretch.first);
        let mut bytes = Vec::new();
        for run in runs(&stretches, table.cluster) {
            let missing = size.saturating_sub(bytes.len() as u64);
            if missing == 0 {
                break;
            }
            let Run::Stored { at, length } = run?.up_to(missing) else {
                return Err(Reason::corrupt("packed stream"));
            };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let cursor = &mut Cursor::at(table.image, at)?;
            bytes.extend_from_slice(cursor.take(length)?);
        }
        Ok((bytes, lease))
    }
}

/// What a reparse point says.
fn packing(value: &[u8]) -> Result<Packing, Reason> {
    let cursor = &mut Cursor::new(value);
    cursor.take(12)?; // tag, length, version
    if cursor.u32_le()? != BY_FILE {
        return Err(Reason::unsupported("file that is in a WIM image elsewhere"));
    }
    cursor.take(4)?; // version
    let (method, chunk) = match cursor.u32_le()? {
        0 => (Method::Xpress, 4 << 10),
        1 => (Method::Lzx, 32 << 10),
        2 => (Method::Xpress, 8 << 10),
        3 => (Method::Xpress, 16 << 10),
        _ => return Err(Reason::unsupported("file packed by the Windows overlay")),
    };
    Ok(Packing { method, chunk, is_pipable: false })
}

/// The provider of files that are packed each by itself.
const BY_FILE: u32 = 2;
