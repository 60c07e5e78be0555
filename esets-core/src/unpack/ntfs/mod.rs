//! NTFS: the files of the master file table, with all their streams. There is no specification;
//! [MS-FSCC] and the documentation of the Linux driver describe it.

mod overlay;
mod packed;
mod record;
mod table;

use std::collections::BTreeMap;

use self::overlay::Overlay;
use self::packed::Packed;
use self::record::{Attribute, Body, Record, Stretch, runs};
use self::table::{Names, Table};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::budget::Stop;
use crate::children::Children;
use crate::decode::{Run, offer_runs, written};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Ntfs;

impl Unpacker for Ntfs {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// Reads the table from the first record to the last: so a file is met whether or not the
    /// index of a folder names it.
    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut table = Table::open(subject.bytes())?;
        let lease = children.lease(table.most_names_cost())?;
        let mut names = Names::default();
        for number in 0.. {
            if !table.has(number) {
                break;
            }
            match table.record(number) {
                Ok(Some(record)) => table.note(number, &record, &mut names),
                Ok(None) => {}
                Err(reason) => children.not_scanned(reason),
            }
        }
        let mut overlay = Overlay::of(subject.bytes());
        for number in 0..table.count() {
            if let Ok(Some(record)) = table.record(number) {
                file(&table, number, record, &names, &mut overlay, children)?;
            }
        }
        drop(lease);
        Ok(table.outcome()?)
    }
}

/// Offers the streams of the file whose first record it is.
fn file(
    table: &Table<'_>,
    number: u64,
    record: Record,
    names: &Names,
    overlay: &mut Overlay,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    if record.base().is_some() || !record.is_in_use() {
        return Ok(());
    }
    let more = names.extensions(number).filter_map(|more| table.record(more).ok().flatten());
    let records: Vec<Record> = [record].into_iter().chain(more).collect();
    let mut streams: BTreeMap<Vec<u8>, Stream<'_>> = BTreeMap::new();
    let mut path = names.path(number);
    let mut packed_as = None;
    for attribute in records.iter().flat_map(Record::attributes) {
        let attribute = match attribute {
            Ok(attribute) => attribute,
            Err(reason) => {
                children.not_scanned(reason);
                continue;
            }
        };
        match (attribute.kind, &attribute.body) {
            (record::DATA, _) => {
                streams.entry(attribute.name.clone()).or_default().add(attribute);
            }
            (record::FILE_NAME, Body::Inside(value)) if path.is_none() => {
                path = record::file_name(value).map(|(parent, name)| names.join(parent, &name));
            }
            (record::REPARSE, Body::Inside(value)) if value.starts_with(OVERLAY) => {
                packed_as = Some(*value);
            }
            _ => {}
        }
    }
    let path = path.unwrap_or_else(|| format!("file@{number}").into_bytes());
    if let Some(value) = packed_as {
        let size = streams.get(&b""[..]).map_or(0, Stream::size);
        let packed = streams.get(PACKED_STREAM);
        overlay.offer(value, size, packed, table, Member::named(&*path), children)?;
        // The file itself is but a hole, and its packed form means nothing.
        streams.retain(|name, stream| {
            name.as_slice() != PACKED_STREAM && (!name.is_empty() || stream.has_content(table))
        });
    }
    for (name, stream) in streams {
        let is_own = number < RESERVED && (name.is_empty() || name.starts_with(b"$"));
        let member = Member::named(if name.is_empty() {
            path.clone()
        } else {
            [&path, &b":"[..], &name].concat()
        });
        if !is_own {
            stream.offer(table, member, children)?;
        }
    }
    Ok(())
}

/// The parts of one stream, each from an attribute.
#[derive(Default)]
struct Stream<'r> {
    inside: Option<&'r [u8]>,
    stretches: Vec<Stretch<'r>>,
    flags: u16,
}

impl<'r> Stream<'r> {
    /// How long it is, as its first part says.
    fn size(&self) -> u64 {
        let first = self.stretches.iter().find(|stretch| stretch.first == 0);
        let inside = self.inside.map_or(0, |inside| inside.len() as u64);
        first.map_or(inside, |first| first.size)
    }

    /// Whether anything of it is stored.
    fn has_content(&self, table: &Table<'_>) -> bool {
        let is_stored = |run: Result<Run, Reason>| !matches!(run, Ok(Run::Hole(_)));
        self.inside.is_some_and(|inside| !inside.is_empty())
            || runs(&self.stretches, table.cluster).any(is_stored)
    }

    fn add(&mut self, attribute: Attribute<'r>) {
        match attribute.body {
            Body::Inside(value) => self.inside = Some(value),
            Body::Outside(stretch) => self.stretches.push(stretch),
        }
        self.flags |= attribute.flags;
    }

    fn offer(
        mut self,
        table: &Table<'_>,
        member: Member<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), Stop> {
        if self.flags & ENCRYPTED != 0 {
            return children.skip(Member { encrypted: true, ..member }, Reason::Encrypted);
        }
        if let Some(inside) = self.inside {
            children.slice(member.clone(), inside)?;
        }
        self.stretches.sort_by_key(|stretch| stretch.first);
        let Some(first) = self.stretches.first().copied() else { return Ok(()) };
        if first.first != 0 {
            return children.skip(member, Reason::corrupt("runs of a file"));
        }
        let (image, cluster) = (table.image, table.cluster);
        let runs = runs(&self.stretches, cluster);
        let member = Member { size: Some(first.size), ..member };
        if self.flags & PACKED != 0 && first.unit_shift > 0 {
            let unit = cluster.checked_shl(first.unit_shift.into()).unwrap_or(u64::MAX);
            let mut reader = Packed::new(image, runs, first.size, unit);
            return children.stream(member, &mut reader);
        }
        offer_runs(image, written(runs, first.written), first.size, member, children)
    }
}

const ENCRYPTED: u16 = 0x4000;
const PACKED: u16 = 0x00ff;
/// What a file begins its reparse point with that is packed beside itself (WOF).
const OVERLAY: &[u8] = b"\x17\x00\x00\x80";
/// The stream that it is packed in.
const PACKED_STREAM: &[u8] = b"WofCompressedData";
/// The records before this one are the file system's own.
const RESERVED: u64 = 16;

static FORMAT: Format = Format {
    name: "ntfs",
    about: "NTFS file system",
    extensions: &["img", "ntfs"],
    magic: &[Magic::at(3, b"NTFS    ")],
    specification: &["MS-FSCC", "MS-XCA 2.5", "Linux, Documentation/filesystems/ntfs3"],
    limitations: &["deleted files", "files that the Windows overlay filter finds in a WIM image"],
};
