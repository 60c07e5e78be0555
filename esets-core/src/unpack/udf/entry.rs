//! Entries of UDF files and the extents of their data (ECMA-167, 4/14).

use super::volume::{Address, Volume, tag};
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Run, utf16_be};
use crate::verdict::Reason;

/// What the volume says of a file.
pub(super) struct Entry<'a> {
    kind: u8,
    pub(super) size: u64,
    /// The folder of its further streams.
    pub(super) streams: Option<Address>,
    /// How wide allocation descriptors are; none if the data is where they would be.
    width: Option<Width>,
    /// The partition of the entry, in which short descriptors count.
    partition: u16,
    descriptors: &'a [u8],
    /// Where these are in the image.
    at: u64,
}

#[derive(Clone, Copy)]
enum Width {
    Long,
    Short,
}

impl Entry<'_> {
    pub(super) fn is_file(&self) -> bool {
        matches!(self.kind, 0 | 5 | 249)
    }

    pub(super) fn is_virtual_table(&self) -> bool {
        self.kind == 248 || self.is_old_table()
    }

    /// Whether it is a table as before UDF 2.00, which looks like any file.
    pub(super) fn is_old_table(&self) -> bool {
        self.kind == 0
    }
}

impl<'a> Volume<'a> {
    /// The entry of a file, plain (4/14.9) or extended (4/14.17).
    pub(super) fn entry(&self, address: Address) -> Result<Entry<'a>, Reason> {
        let at = self.place(address)?;
        let is_extended = match tag(self.image, at)? {
            PLAIN => false,
            EXTENDED => true,
            _ => return Err(Reason::corrupt("entry of a file")),
        };
        let field = |offset: u64| Cursor::at(self.image, at.saturating_add(offset));
        let width = match field(34)?.u16_le()? & 7 {
            0 => Some(Width::Short),
            1 => Some(Width::Long),
            3 => None,
            _ => return Err(Reason::corrupt("allocation of a file")),
        };
        let lengths = &mut field(if is_extended { 208 } else { 168 })?;
        let attributes = u64::from(lengths.u32_le()?);
        let length = u64::from(lengths.u32_le()?);
        let start = if is_extended { 216_u64 } else { 176 }.saturating_add(attributes);
        let start = at.saturating_add(start);
        let descriptors = Cursor::at(self.image, start)?.take_up_to(length.min(self.block));
        let streams = &mut field(152)?;
        let has_streams = is_extended && streams.u32_le()? > 0;
        let streams = Some(Address::read(streams)?).filter(|_| has_streams);
        Ok(Entry {
            kind: field(27)?.u8()?,
            size: field(56)?.u64_le()?,
            streams,
            width,
            partition: address.partition,
            descriptors,
            at: start,
        })
    }

    /// Where the data of a file is.
    pub(super) fn data(
        &self,
        entry: &Entry<'a>,
    ) -> Box<dyn Iterator<Item = Result<Run, Reason>> + '_> {
        let Some(width) = entry.width else {
            let run = Run::Stored { at: entry.at, length: entry.descriptors.len() as u64 };
            return Box::new(std::iter::once(Ok(run)));
        };
        let pieces = Descriptors {
            volume: self,
            rest: entry.descriptors,
            width,
            partition: entry.partition,
            met: Chain::default(),
        };
        Box::new(pieces.flat_map(move |piece| self.runs(piece)))
    }

    /// The runs of one extent: in one piece, or block by block where a table maps them.
    fn runs(&self, piece: Result<Piece, Reason>) -> impl Iterator<Item = Result<Run, Reason>> + '_ {
        let (mut hole, mut stored, mut reason) = (None, None, None);
        match piece {
            Err(broken) => reason = Some(Err(broken)),
            Ok(Piece { address: None, length }) => hole = Some(Ok(Run::Hole(length))),
            Ok(Piece { address: Some(address), length }) => stored = Some((address, length)),
        }
        let stored = stored.into_iter().flat_map(|(address, length)| self.stored(address, length));
        hole.into_iter().chain(reason).chain(stored)
    }

    fn stored(
        &self,
        address: Address,
        length: u64,
    ) -> impl Iterator<Item = Result<Run, Reason>> + '_ {
        let step = self.step(address.partition);
        let blocks = step.checked_div(self.block).unwrap_or(1);
        (0..length.div_ceil(step.max(1))).map(move |index| {
            let done = index.saturating_mul(step);
            let block = u64::from(address.block).saturating_add(index.saturating_mul(blocks));
            let block = u32::try_from(block).map_err(|_| Reason::corrupt("number of a block"))?;
            let at = self.place(Address { block, ..address })?;
            Ok(Run::Stored { at, length: step.min(length.saturating_sub(done)) })
        })
    }
}

/// An extent; without an address it was never written.
struct Piece {
    address: Option<Address>,
    length: u64,
}

/// Allocation descriptors (4/14.14.1, 4/14.14.2), also where they go on elsewhere (4/14.5).
struct Descriptors<'v, 'a> {
    volume: &'v Volume<'a>,
    rest: &'v [u8],
    width: Width,
    partition: u16,
    met: Chain,
}

impl Descriptors<'_, '_> {
    fn step(&mut self) -> Result<Option<Piece>, Reason> {
        while !self.rest.is_empty() {
            let cursor = &mut Cursor::new(self.rest);
            let field = cursor.u32_le()?;
            let address = match self.width {
                Width::Short => Address { block: cursor.u32_le()?, partition: self.partition },
                Width::Long => Address::read(cursor)?,
            };
            if let Width::Long = self.width {
                cursor.take(6)?; // for the implementation
            }
            self.rest = cursor.rest();
            let length = u64::from(field & 0x3fff_ffff);
            match field >> 30 {
                _ if length == 0 => return Ok(None),
                0 => return Ok(Some(Piece { address: Some(address), length })),
                3 => self.go_on(address)?,
                _ => return Ok(Some(Piece { address: None, length })),
            }
        }
        Ok(None)
    }

    fn go_on(&mut self, address: Address) -> Result<(), Reason> {
        let at = self.volume.place(address)?;
        if !self.met.step(at) || tag(self.volume.image, at)? != MORE {
            return Err(Reason::corrupt("allocation of a file"));
        }
        let cursor = &mut Cursor::at(self.volume.image, at.saturating_add(20))?;
        let length = u64::from(cursor.u32_le()?).min(self.volume.block);
        self.rest = cursor.take_up_to(length);
        Ok(())
    }
}

impl Iterator for Descriptors<'_, '_> {
    type Item = Result<Piece, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.step().transpose();
        if !matches!(piece, Some(Ok(_))) {
            self.rest = b"";
        }
        piece
    }
}

/// A name in a folder (4/14.4).
pub(super) struct Name {
    pub(super) name: Vec<u8>,
    pub(super) is_folder: bool,
    pub(super) address: Address,
}

/// The names in a folder but that of its parent and deleted ones.
pub(super) fn names(folder: &[u8]) -> impl Iterator<Item = Result<Name, Reason>> {
    let mut at = 0_u64;
    std::iter::from_fn(move || {
        while at < folder.len() as u64 {
            match name(folder, &mut at) {
                Ok(None) => {}
                Ok(Some(name)) => return Some(Ok(name)),
                Err(_) => {
                    at = u64::MAX;
                    return Some(Err(Reason::corrupt("folder")));
                }
            }
        }
        None
    })
}

fn name(folder: &[u8], at: &mut u64) -> Result<Option<Name>, Reason> {
    if tag(folder, *at)? != NAME {
        return Err(Truncated.into());
    }
    let cursor = &mut Cursor::at(folder, at.saturating_add(18))?;
    let flags = cursor.u8()?;
    let name_length = usize::from(cursor.u8()?);
    cursor.take(4)?; // length of the entry
    let address = Address::read(cursor)?;
    cursor.take(6)?;
    let more = usize::from(cursor.u16_le()?);
    cursor.take(more)?; // for the implementation
    let name = characters(cursor.take(name_length)?);
    *at = at.saturating_add((cursor.position() as u64).saturating_sub(*at).next_multiple_of(4));
    let is_folder = flags & FOLDER != 0;
    Ok((flags & (DELETED | PARENT) == 0).then_some(Name { name, is_folder, address }))
}

/// The characters of a name, of one or two bytes each (UDF 2.1.1).
fn characters(field: &[u8]) -> Vec<u8> {
    match field.split_first() {
        Some((16, units)) => utf16_be(units).into_bytes(),
        Some((8, bytes)) => bytes.iter().copied().map(char::from).collect::<String>().into_bytes(),
        _ => field.to_vec(),
    }
}

const DELETED: u8 = 4;
const EXTENDED: u16 = 266;
const FOLDER: u8 = 2;
const MORE: u16 = 258;
const NAME: u16 = 257;
const PARENT: u8 = 8;
const PLAIN: u16 = 261;
