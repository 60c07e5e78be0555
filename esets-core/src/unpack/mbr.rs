//! Disks with a master boot record: primary partitions, and logical ones in a chain.

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::offer_partition;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Mbr;

impl Unpacker for Mbr {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// File systems end their first sector in the same two bytes, so the table must make sense.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let sectors = subject.bytes().len() as u64 / SECTOR;
        let Ok(entries) = table(subject.bytes(), 0) else { return false };
        let is_sound = |entry: &Entry| {
            entry.kind == 0
                || (entry.status & 0x7f == 0 && entry.start > 0 && entry.start < sectors)
        };
        entries.iter().all(is_sound)
            && entries.iter().any(|entry| entry.kind != 0)
            && !entries.iter().any(|entry| entry.kind == PROTECTIVE)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        for entry in table(subject.bytes(), 0)? {
            match entry.kind {
                0 => {}
                0x05 | 0x0f | 0x85 => logical(subject.bytes(), entry.start, children)?,
                _ => partition(subject.bytes(), entry.start, entry.count, children)?,
            }
        }
        Ok(())
    }
}

/// The partitions in an extended one: each has a table with itself and a link to the next.
fn logical(bytes: &[u8], first: u64, children: &mut Children<'_>) -> Result<(), UnpackError> {
    let mut chain = Chain::default();
    let mut at = first;
    loop {
        if !chain.step(at) {
            return Err(Reason::corrupt("chain of partitions").into());
        }
        let mut next = None;
        for entry in table(bytes, at.saturating_mul(SECTOR))? {
            match entry.kind {
                0 => {}
                0x05 | 0x0f | 0x85 => next = Some(first.saturating_add(entry.start)),
                _ => partition(bytes, at.saturating_add(entry.start), entry.count, children)?,
            }
        }
        match next {
            Some(place) => at = place,
            None => return Ok(()),
        }
    }
}

fn partition(
    bytes: &[u8],
    start: u64,
    count: u64,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let size = count.saturating_mul(SECTOR);
    let member = Member::named(format!("partition@{start}").into_bytes());
    offer_partition(bytes, (start.saturating_mul(SECTOR), size), member, children)
}

/// One line of a table; places in sectors.
struct Entry {
    status: u8,
    kind: u8,
    start: u64,
    count: u64,
}

impl Entry {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let status = cursor.u8()?;
        cursor.take(3)?; // first sector as cylinder, head, sector
        let kind = cursor.u8()?;
        cursor.take(3)?; // last sector
        Ok(Self { status, kind, start: cursor.u32_le()?.into(), count: cursor.u32_le()?.into() })
    }
}

/// The four entries in the sector at `offset`.
fn table(bytes: &[u8], offset: u64) -> Result<Vec<Entry>, Reason> {
    let cursor = &mut Cursor::at(bytes, offset)?;
    cursor.take(446)?;
    let entries: Result<Vec<_>, _> = (0..4).map(|_| Entry::read(cursor)).collect();
    if cursor.take(2)? != b"\x55\xaa" {
        return Err(Reason::corrupt("partition table"));
    }
    Ok(entries?)
}

const SECTOR: u64 = 512;
/// The only entry of a disk whose real table is a GPT.
const PROTECTIVE: u8 = 0xee;

static FORMAT: Format = Format {
    name: "mbr",
    about: "disk with a master boot record",
    extensions: &["img", "dd", "raw"],
    magic: &[],
    specification: &["UEFI Specification 2.10, 5.2"],
    limitations: &["sectors of other than 512 bytes"],
};
