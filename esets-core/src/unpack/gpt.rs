//! Disks with a GUID partition table, UEFI Specification 2.10, 5.3.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::offer_partition;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Gpt;

impl Unpacker for Gpt {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let sizes = SECTORS.iter().copied();
        let sector =
            sizes.filter_map(|size| Some((size, bytes.get(usize::try_from(size).ok()?..)?)));
        let sector =
            sector.filter(|(_, rest)| rest.starts_with(MAGIC)).map(|(size, _)| size).next();
        let sector = sector.ok_or(Reason::corrupt("header"))?;
        let header = &mut Cursor::at(bytes, sector.saturating_add(72))?;
        let table = header.u64_le()?;
        let count = header.u32_le()?.min(MAX_ENTRIES);
        let size = usize::try_from(header.u32_le()?).unwrap_or(usize::MAX);
        let entries = &mut Cursor::at(bytes, table.saturating_mul(sector))?;
        for _ in 0..count {
            let entry = entries.take(size)?;
            if entry.get(..16).is_some_and(|kind| kind.iter().any(|byte| *byte != 0)) {
                partition(bytes, sector, &mut Cursor::at(entry, 32)?, children)?;
            }
        }
        Ok(())
    }
}

fn partition(
    bytes: &[u8],
    sector: u64,
    entry: &mut Cursor<'_>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let first = entry.u64_le()?;
    let last = entry.u64_le()?;
    let count = last.saturating_sub(first).saturating_add(1);
    let place = (first.saturating_mul(sector), count.saturating_mul(sector));
    let member = Member::named(format!("partition@{first}").into_bytes());
    offer_partition(bytes, place, member, children)
}

const MAGIC: &[u8] = b"EFI PART";
const SECTORS: &[u64] = &[512, 4096];
const MAX_ENTRIES: u32 = 1024;

static FORMAT: Format = Format {
    name: "gpt",
    about: "disk with a GUID partition table",
    extensions: &["img", "dd", "raw"],
    magic: &[Magic::at(512, MAGIC), Magic::at(4096, MAGIC)],
    specification: &["UEFI Specification 2.10, 5.3"],
    limitations: &["a disk whose first table is lost; its copy at the end is not looked for"],
};
