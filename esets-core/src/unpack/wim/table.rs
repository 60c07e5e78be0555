//! The table of blobs: what is stored where, known by its SHA-1.

use super::resource::{Place, solid_size};
use super::tree::Hash;
use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::verdict::Reason;

/// One blob.
pub(super) struct Blob {
    /// The resource that it is in.
    pub(super) resource: Place,
    /// Whether it shares that with others, and where it is in there if so.
    pub(super) is_solid: bool,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) part: u16,
    pub(super) hash: Hash,
}

impl Blob {
    /// Whether it describes an image.
    pub(super) fn is_metadata(&self) -> bool {
        self.resource.flags & METADATA != 0 && !self.is_solid
    }

    /// The order in which resources lie in the file, and blobs in them.
    pub(super) fn order(&self) -> (u64, u64, u64) {
        (self.resource.offset, self.resource.packed, self.offset)
    }
}

/// Reads the table, in so far as it is sound.
pub(super) fn blobs(
    table: &[u8],
    file: &[u8],
    purse: &mut Lease,
) -> Result<(Vec<Blob>, Option<Reason>), Reason> {
    let entries = table.as_chunks::<ENTRY>().0;
    let size = entries.len().saturating_mul(size_of::<Blob>());
    *purse = purse.another(size as u64)?;
    let mut blobs = Vec::new();
    blobs.reserve_exact(entries.len());
    let mut run = Run::default();
    let mut flaw = None;
    for entry in entries {
        match run.blob(entry, file) {
            Ok(blob) => blobs.extend(blob),
            Err(reason) => flaw = Some(reason),
        }
    }
    Ok((blobs, flaw))
}

/// Solid resources that stand one behind the other in the table: offsets of blobs count through.
#[derive(Default)]
struct Run {
    /// Where each begins.
    resources: Vec<(u64, Place)>,
    size: u64,
    /// Whether blobs have followed, so that a further resource begins another run.
    is_over: bool,
}

impl Run {
    fn blob(&mut self, entry: &[u8], file: &[u8]) -> Result<Option<Blob>, Reason> {
        let cursor = &mut Cursor::new(entry);
        let place = Place::read(cursor)?;
        let part = cursor.u16_le()?;
        cursor.take(4)?; // references
        let hash = cursor.array()?;
        if place.flags & FREE != 0 {
            return Ok(None);
        }
        if place.flags & SOLID == 0 {
            *self = Self::default();
            let size = place.size;
            return Ok(Some(Blob {
                resource: place,
                is_solid: false,
                offset: 0,
                size,
                part,
                hash,
            }));
        }
        if place.size == RESOURCE {
            self.add(place, file)?;
            return Ok(None);
        }
        self.is_over = true;
        let behind = self.resources.partition_point(|(start, _)| *start <= place.offset);
        let found = behind.checked_sub(1).and_then(|at| self.resources.get(at));
        let (start, resource) = *found.ok_or(Reason::corrupt("table of blobs"))?;
        Ok(Some(Blob {
            resource,
            is_solid: true,
            offset: place.offset.saturating_sub(start),
            size: place.packed,
            part,
            hash,
        }))
    }

    fn add(&mut self, place: Place, file: &[u8]) -> Result<(), Reason> {
        if self.is_over {
            *self = Self::default();
        }
        let size = solid_size(file, &place)?;
        self.resources.push((self.size, place));
        self.size = self.size.saturating_add(size);
        Ok(())
    }
}

const ENTRY: usize = 50;
const FREE: u8 = 1;
const METADATA: u8 = 2;
const SOLID: u8 = 16;
/// The size that marks a solid resource among the blobs in it.
const RESOURCE: u64 = 1 << 32;
