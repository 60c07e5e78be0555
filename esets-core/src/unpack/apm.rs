//! Disks with an Apple partition map, Inside Macintosh: Devices, "SCSI Manager".

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::offer_partition;
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Apm;

impl Unpacker for Apm {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        block_size(subject.bytes()).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let Some(block) = block_size(bytes) else { return Ok(()) };
        let mut count = 1;
        let mut index = 0_u64;
        while index < count {
            index = index.saturating_add(1);
            let entry = &mut Cursor::at(bytes, index.saturating_mul(block))?;
            if entry.take(2)? != b"PM" {
                break;
            }
            entry.take(2)?;
            count = u64::from(entry.u32_be()?).min(MAX_ENTRIES);
            let start = u64::from(entry.u32_be()?).saturating_mul(block);
            let size = u64::from(entry.u32_be()?).saturating_mul(block);
            let name = text(entry.take(32)?);
            if text(entry.take(32)?) == b"Apple_partition_map" {
                continue; // The map lies in a partition of its own.
            }
            offer_partition(bytes, (start, size), Member::named(name), children)?;
        }
        Ok(())
    }
}

/// A field of text, filled up with zero bytes.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// How large a block is: the first entry of the map stands in the second block. Hybrid discs name
/// 2048 bytes in the first block and have a map for 512.
fn block_size(bytes: &[u8]) -> Option<u64> {
    let has_entry = |size: &u64| {
        let start = usize::try_from(*size).ok();
        start.and_then(|start| bytes.get(start..)).is_some_and(|rest| rest.starts_with(b"PM\0\0"))
    };
    [512, 2048].into_iter().find(has_entry)
}

const MAX_ENTRIES: u64 = 256;

static FORMAT: Format = Format {
    name: "apm",
    about: "disk with an Apple partition map",
    extensions: &["img", "dd", "iso"],
    magic: &[],
    specification: &["Inside Macintosh: Devices, SCSI Manager"],
    limitations: &[],
};
