//! Records of the master file table: fix-ups, attributes, runs.

use crate::cursor::{Cursor, Truncated};
use crate::decode::{Run, utf16_le};
use crate::verdict::Reason;

/// A record, mended.
pub(super) struct Record {
    bytes: Vec<u8>,
}

/// What a record says of its file.
pub(super) struct Attribute<'r> {
    pub(super) kind: u32,
    pub(super) flags: u16,
    pub(super) name: Vec<u8>,
    pub(super) body: Body<'r>,
}

/// Where the value of an attribute is.
pub(super) enum Body<'r> {
    Inside(&'r [u8]),
    Outside(Stretch<'r>),
}

/// Part of a value in clusters.
#[derive(Clone, Copy)]
pub(super) struct Stretch<'r> {
    /// The cluster of the value that it begins with.
    pub(super) first: u64,
    pairs: &'r [u8],
    /// How many clusters are packed together, as an exponent.
    pub(super) unit_shift: u16,
    /// Bytes in the whole value; only the first stretch says it.
    pub(super) size: u64,
    /// How many of them were written.
    pub(super) written: u64,
}

impl Record {
    /// Puts back what the ends of the sectors had before they were marked; `None` if there is no
    /// record in the bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Reason> {
        let corrupt = Reason::corrupt("record of the master file table");
        if bytes.get(..4).is_none_or(|magic| magic == [0; 4]) {
            return Ok(None);
        }
        let cursor = &mut Cursor::new(bytes);
        if cursor.take(4)? != b"FILE" {
            return Err(corrupt);
        }
        let at = u64::from(cursor.u16_le()?);
        let count = usize::from(cursor.u16_le()?);
        let marks = &mut Cursor::at(bytes, at)?;
        let mark = marks.take(2)?;
        let mut bytes = bytes.to_vec();
        for sector in bytes.chunks_exact_mut(SECTOR).take(count.saturating_sub(1)) {
            let saved = marks.take(2)?;
            let end = sector.last_chunk_mut::<2>().ok_or(Truncated)?;
            if end != mark {
                return Err(corrupt);
            }
            end.copy_from_slice(saved);
        }
        Ok(Some(Self { bytes }))
    }

    fn half(&self, offset: u64) -> u16 {
        Cursor::at(&self.bytes, offset).and_then(|mut cursor| cursor.u16_le()).unwrap_or(0)
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.half(22) & 1 != 0
    }

    pub(super) fn is_folder(&self) -> bool {
        self.half(22) & 2 != 0
    }

    /// The number of the record that this one continues, if it does not stand for itself.
    pub(super) fn base(&self) -> Option<u64> {
        let base = Cursor::at(&self.bytes, 32).and_then(|mut cursor| cursor.u64_le());
        base.ok().filter(|base| *base != 0).map(|base| base & REFERENCE)
    }

    /// The parent and the name, the long one if there is more than one.
    pub(super) fn name(&self) -> Option<(u64, Vec<u8>)> {
        self.attributes().flatten().find_map(|attribute| match attribute.body {
            Body::Inside(value) if attribute.kind == FILE_NAME => file_name(value),
            _ => None,
        })
    }

    /// All attributes; a reason ends them.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'_>, Reason>> {
        let used = Cursor::at(&self.bytes, 24).and_then(|mut cursor| cursor.u32_le());
        let used = usize::try_from(used.unwrap_or(0)).unwrap_or(usize::MAX).min(self.bytes.len());
        let bytes = self.bytes.get(..used).unwrap_or_default();
        let mut rest = bytes.get(usize::from(self.half(20))..).unwrap_or_default();
        std::iter::from_fn(move || {
            if rest.is_empty() || rest.starts_with(&[0xff; 4]) {
                return None;
            }
            let attribute = attribute(&mut rest);
            if attribute.is_err() {
                rest = b"";
            }
            Some(attribute.map_err(|Truncated| Reason::corrupt("attribute of a file")))
        })
    }
}

fn attribute<'r>(rest: &mut &'r [u8]) -> Result<Attribute<'r>, Truncated> {
    let cursor = &mut Cursor::new(rest);
    let kind = cursor.u32_le()?;
    let length = usize::try_from(cursor.u32_le()?).map_err(|_| Truncated)?;
    let (bytes, behind) =
        rest.split_at_checked(length).filter(|_| length >= 16).ok_or(Truncated)?;
    *rest = behind;
    let is_inside = cursor.u8()? == 0;
    let name_length = usize::from(cursor.u8()?).saturating_mul(2);
    let name_at = u64::from(cursor.u16_le()?);
    let flags = cursor.u16_le()?;
    let name = match name_length {
        0 => Vec::new(),
        _ => utf16_le(Cursor::at(bytes, name_at)?.take(name_length)?).into_bytes(),
    };
    let cursor = &mut Cursor::at(bytes, 16)?;
    let body = if is_inside { inside(bytes, cursor)? } else { outside(bytes, cursor)? };
    Ok(Attribute { kind, flags, name, body })
}

fn inside<'r>(bytes: &'r [u8], cursor: &mut Cursor<'r>) -> Result<Body<'r>, Truncated> {
    let length = usize::try_from(cursor.u32_le()?).map_err(|_| Truncated)?;
    let at = u64::from(cursor.u16_le()?);
    Ok(Body::Inside(Cursor::at(bytes, at)?.take(length)?))
}

fn outside<'r>(bytes: &'r [u8], cursor: &mut Cursor<'r>) -> Result<Body<'r>, Truncated> {
    let first = cursor.u64_le()?;
    cursor.take(8)?; // last cluster
    let pairs_at = u64::from(cursor.u16_le()?);
    let unit_shift = cursor.u16_le()?;
    cursor.take(4)?;
    let (mut size, mut written) = (0, 0);
    if first == 0 {
        cursor.take(8)?; // size on disk
        size = cursor.u64_le()?;
        written = cursor.u64_le()?;
    }
    let pairs = Cursor::at(bytes, pairs_at)?.rest();
    Ok(Body::Outside(Stretch { first, pairs, unit_shift, size, written }))
}

/// The parent and the name in a `$FILE_NAME`; `None` if it is the short one of two.
pub(super) fn file_name(value: &[u8]) -> Option<(u64, Vec<u8>)> {
    let cursor = &mut Cursor::new(value);
    let parent = cursor.u64_le().ok()? & REFERENCE;
    cursor.take(56).ok()?; // times, sizes, flags
    let length = usize::from(cursor.u8().ok()?).saturating_mul(2);
    let space = cursor.u8().ok()?;
    let name = utf16_le(cursor.take(length).ok()?).into_bytes();
    (space != SHORT_NAME).then_some((parent, name))
}

/// The runs of all stretches, which must follow one another.
pub(super) fn runs<'s>(
    stretches: &'s [Stretch<'s>],
    cluster: u64,
) -> impl Iterator<Item = Result<Run, Reason>> + use<'s> {
    let mut next = 0;
    stretches.iter().enumerate().flat_map(move |(index, stretch)| {
        let follows = index == 0 || stretch.first == next;
        let gap = (!follows).then_some(Err(Reason::corrupt("runs of a file")));
        let pairs = Pairs { rest: if follows { stretch.pairs } else { b"" }, start: 0, cluster };
        next = stretch.first.saturating_add(pairs.clone().flatten().fold(0, |sum, run| {
            u64::saturating_add(sum, run.length().checked_div(cluster).unwrap_or(0))
        }));
        gap.into_iter().chain(pairs)
    })
}

/// Lengths and distances of runs, packed.
#[derive(Clone)]
struct Pairs<'r> {
    rest: &'r [u8],
    /// The cluster of the last run.
    start: i64,
    cluster: u64,
}

impl Pairs<'_> {
    fn step(&mut self) -> Result<Option<Run>, Truncated> {
        let cursor = &mut Cursor::new(self.rest);
        let Ok(widths @ 1..) = cursor.u8() else { return Ok(None) };
        let count = number(cursor.take(usize::from(widths & 0x0f))?)?;
        let distance = cursor.take(usize::from(widths >> 4))?;
        let count = u64::try_from(count).ok().filter(|count| *count > 0).ok_or(Truncated)?;
        let length = count.checked_mul(self.cluster).ok_or(Truncated)?;
        self.rest = cursor.rest();
        if distance.is_empty() {
            return Ok(Some(Run::Hole(length)));
        }
        self.start = self.start.checked_add(number(distance)?).ok_or(Truncated)?;
        let start = u64::try_from(self.start).map_err(|_| Truncated)?;
        let at = start.checked_mul(self.cluster).ok_or(Truncated)?;
        Ok(Some(Run::Stored { at, length }))
    }
}

impl Iterator for Pairs<'_> {
    type Item = Result<Run, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        let run = self.step();
        if run.is_err() {
            self.rest = b"";
        }
        run.map_err(|Truncated| Reason::corrupt("runs of a file")).transpose()
    }
}

/// A signed number of up to eight bytes.
fn number(bytes: &[u8]) -> Result<i64, Truncated> {
    let fill = if bytes.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
    let mut wide = [fill; 8];
    wide.get_mut(..bytes.len()).ok_or(Truncated)?.copy_from_slice(bytes);
    Ok(i64::from_le_bytes(wide))
}

pub(super) const DATA: u32 = 0x80;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const REPARSE: u32 = 0xc0;

/// A reference is a number of 48 bits, and how often its record was used anew.
const REFERENCE: u64 = 0xffff_ffff_ffff;
const SECTOR: usize = 512;
const SHORT_NAME: u8 = 2;
