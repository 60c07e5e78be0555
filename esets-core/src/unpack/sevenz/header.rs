//! The header of a 7z archive: streams, folders and files (7zFormat.txt, "ArchiveDatabase").

use super::number::{bits, count, digests, number, numbers, refuse_external, take};
use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// What a header says.
#[derive(Default)]
pub(super) struct Header<'h> {
    pub(super) streams: Streams,
    pub(super) files: Vec<File<'h>>,
}

/// Packed streams and how to unpack them.
#[derive(Default)]
pub(super) struct Streams {
    /// Where the first packed stream begins, from behind the signature header.
    pub(super) pack_offset: u64,
    pub(super) pack_sizes: Vec<u64>,
    pub(super) folders: Vec<Folder>,
}

/// A graph of coders with one output, which files share.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) coders: Vec<Coder>,
    /// Which input of a coder the output of another feeds: `(input, output)`.
    pub(super) bonds: Vec<(u64, u64)>,
    /// The inputs that packed streams feed.
    pub(super) packed: Vec<u64>,
    pub(super) unpack_sizes: Vec<u64>,
    crc: Option<u32>,
    /// The files in it.
    pub(super) pieces: Vec<Piece>,
}

/// One step of unpacking.
pub(super) struct Coder {
    pub(super) method: u64,
    pub(super) inputs: u64,
    pub(super) properties: Vec<u8>,
}

/// A file's part of a folder.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) size: u64,
    pub(super) crc: Option<u32>,
}

/// A file, or a folder of the file system.
#[derive(Clone, Copy, Default)]
pub(super) struct File<'h> {
    /// UTF-16 in little-endian order.
    pub(super) name: &'h [u8],
    pub(super) is_empty_stream: bool,
    pub(super) is_empty_file: bool,
}

impl<'h> Header<'h> {
    /// Reads a header behind its first byte.
    pub(super) fn read(cursor: &mut Cursor<'h>) -> Result<Self, Reason> {
        let mut header = Self::default();
        loop {
            match cursor.u8()? {
                END => return Ok(header),
                ARCHIVE_PROPERTIES => archive_properties(cursor)?,
                ADDITIONAL_STREAMS => drop(Streams::read(cursor)?),
                MAIN_STREAMS => header.streams = Streams::read(cursor)?,
                FILES => header.files = files(cursor)?,
                _ => return Err(Reason::corrupt("header")),
            }
        }
    }
}

fn archive_properties(cursor: &mut Cursor<'_>) -> Result<(), Reason> {
    while cursor.u8()? != END {
        let size = number(cursor)?;
        take(cursor, size)?;
    }
    Ok(())
}

impl Streams {
    /// Reads a streams info behind its first byte.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Reason> {
        let mut streams = Self::default();
        let mut has_pieces = false;
        loop {
            match cursor.u8()? {
                END => break,
                PACK_INFO => streams.pack_info(cursor)?,
                UNPACK_INFO => streams.unpack_info(cursor)?,
                SUB_STREAMS => {
                    streams.sub_streams(cursor)?;
                    has_pieces = true;
                }
                _ => return Err(Reason::corrupt("streams info")),
            }
        }
        if !has_pieces {
            for folder in &mut streams.folders {
                folder.pieces = vec![Piece { size: folder.size(), crc: folder.crc }];
            }
        }
        Ok(streams)
    }

    fn pack_info(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Reason> {
        self.pack_offset = number(cursor)?;
        let count = count(cursor)?;
        loop {
            match cursor.u8()? {
                END => return Ok(()),
                SIZE => self.pack_sizes = numbers(cursor, count)?,
                CRC => _ = digests(cursor, count)?,
                _ => return Err(Reason::corrupt("pack info")),
            }
        }
    }

    fn unpack_info(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Reason> {
        loop {
            match cursor.u8()? {
                END => return Ok(()),
                FOLDER => {
                    let count = count(cursor)?;
                    refuse_external(cursor)?;
                    self.folders =
                        (0..count).map(|_| Folder::read(cursor)).collect::<Result<_, _>>()?;
                }
                UNPACK_SIZES => {
                    for folder in &mut self.folders {
                        folder.unpack_sizes = numbers(cursor, folder.coders.len())?;
                    }
                }
                CRC => {
                    let crcs = digests(cursor, self.folders.len())?;
                    self.folders.iter_mut().zip(crcs).for_each(|(folder, crc)| folder.crc = crc);
                }
                _ => return Err(Reason::corrupt("unpack info")),
            }
        }
    }

    fn sub_streams(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Reason> {
        let mut counts = vec![1; self.folders.len()];
        let mut has_sizes = false;
        loop {
            match cursor.u8()? {
                END => break,
                SUB_STREAM_COUNTS => {
                    for place in &mut counts {
                        *place = count(cursor)?;
                    }
                }
                SIZE => {
                    self.sizes(&counts, Some(cursor))?;
                    has_sizes = true;
                }
                CRC => {
                    if !has_sizes {
                        self.sizes(&counts, None)?;
                        has_sizes = true;
                    }
                    self.crcs(cursor)?;
                }
                _ => return Err(Reason::corrupt("substreams info")),
            }
        }
        if !has_sizes {
            self.sizes(&counts, None)?;
        }
        Ok(())
    }

    /// The sizes of the files in each folder; that of the last follows from the others.
    fn sizes(
        &mut self,
        counts: &[usize],
        mut cursor: Option<&mut Cursor<'_>>,
    ) -> Result<(), Reason> {
        for (folder, count) in self.folders.iter_mut().zip(counts) {
            let mut left = folder.size();
            let mut sizes = match &mut cursor {
                Some(cursor) => numbers(cursor, count.saturating_sub(1))?,
                None if *count > 1 => return Err(Reason::corrupt("substreams info")),
                None => Vec::new(),
            };
            sizes.iter().for_each(|size| left = left.saturating_sub(*size));
            if *count > 0 {
                sizes.push(left);
            }
            folder.pieces = sizes.iter().map(|size| Piece { size: *size, crc: None }).collect();
            if let ([piece], Some(crc)) = (&mut folder.pieces[..], folder.crc) {
                piece.crc = Some(crc);
            }
        }
        Ok(())
    }

    fn crcs(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Reason> {
        let pieces = self.folders.iter_mut().flat_map(|folder| &mut folder.pieces);
        let mut unknown: Vec<_> = pieces.filter(|piece| piece.crc.is_none()).collect();
        let crcs = digests(cursor, unknown.len())?;
        unknown.iter_mut().zip(crcs).for_each(|(piece, crc)| piece.crc = crc);
        Ok(())
    }
}

impl Folder {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Reason> {
        let count = count(cursor)?;
        if count > MAX_CODERS {
            return Err(Reason::corrupt("folder"));
        }
        let coders: Vec<_> = (0..count).map(|_| Coder::read(cursor)).collect::<Result<_, _>>()?;
        let inputs: u64 = coders.iter().map(|coder| coder.inputs).sum();
        let mut folder = Self { coders, ..Self::default() };
        for _ in 1..count {
            folder.bonds.push((number(cursor)?, number(cursor)?));
        }
        let packed = inputs.saturating_sub(folder.bonds.len() as u64);
        if packed == 1 {
            let bound = |input: &u64| folder.bonds.iter().any(|bond| bond.0 == *input);
            folder.packed.extend((0..inputs).find(|input| !bound(input)));
        } else {
            for _ in 0..packed {
                folder.packed.push(number(cursor)?);
            }
        }
        Ok(folder)
    }

    /// The size of its output.
    pub(super) fn size(&self) -> u64 {
        self.unpack_sizes.get(self.main()).copied().unwrap_or_default()
    }

    /// The coder whose output is that of the folder: the one that feeds no other.
    pub(super) fn main(&self) -> usize {
        let feeds = |coder: &usize| self.bonds.iter().any(|bond| bond.1 == *coder as u64);
        (0..self.coders.len()).find(|coder| !feeds(coder)).unwrap_or_default()
    }
}

impl Coder {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Reason> {
        let flags = cursor.u8()?;
        let id = cursor.take(usize::from(flags & 0x0f))?;
        if id.len() > 8 || flags & 0x80 != 0 {
            return Err(Reason::corrupt("coder"));
        }
        let method = id.iter().fold(0, |method, byte| method << 8 | u64::from(*byte));
        let (inputs, outputs) =
            if flags & 0x10 != 0 { (number(cursor)?, number(cursor)?) } else { (1, 1) };
        if outputs != 1 || inputs > MAX_INPUTS {
            return Err(Reason::unsupported("coder with several outputs"));
        }
        let size = if flags & 0x20 != 0 { number(cursor)? } else { 0 };
        Ok(Self { method, inputs, properties: take(cursor, size)?.to_vec() })
    }
}

fn files<'h>(cursor: &mut Cursor<'h>) -> Result<Vec<File<'h>>, Reason> {
    let mut files = vec![File::default(); count(cursor)?];
    loop {
        let kind = cursor.u8()?;
        if kind == END {
            return Ok(files);
        }
        let size = number(cursor)?;
        let mut property = Cursor::new(take(cursor, size)?);
        match kind {
            EMPTY_STREAM => {
                let empty = bits(&mut property, files.len())?;
                files.iter_mut().zip(empty).for_each(|(file, bit)| file.is_empty_stream = bit);
            }
            EMPTY_FILE => {
                let mut empty: Vec<_> =
                    files.iter_mut().filter(|file| file.is_empty_stream).collect();
                let bits = bits(&mut property, empty.len())?;
                empty.iter_mut().zip(bits).for_each(|(file, bit)| file.is_empty_file = bit);
            }
            NAMES => {
                refuse_external(&mut property)?;
                for file in &mut files {
                    file.name = name(&mut property)?;
                }
            }
            // Times, attributes and what fills gaps.
            _ => {}
        }
    }
}

/// UTF-16 up to a zero unit.
fn name<'h>(cursor: &mut Cursor<'h>) -> Result<&'h [u8], Truncated> {
    let units = cursor.rest().chunks_exact(2);
    let length = units.take_while(|unit| *unit != [0, 0]).count();
    let name = cursor.take(length.saturating_mul(2))?;
    cursor.take(2)?;
    Ok(name)
}

const END: u8 = 0x00;
pub(super) const HEADER: u8 = 0x01;
const ARCHIVE_PROPERTIES: u8 = 0x02;
const ADDITIONAL_STREAMS: u8 = 0x03;
const MAIN_STREAMS: u8 = 0x04;
const FILES: u8 = 0x05;
const PACK_INFO: u8 = 0x06;
const UNPACK_INFO: u8 = 0x07;
const SUB_STREAMS: u8 = 0x08;
const SIZE: u8 = 0x09;
const CRC: u8 = 0x0a;
const FOLDER: u8 = 0x0b;
const UNPACK_SIZES: u8 = 0x0c;
const SUB_STREAM_COUNTS: u8 = 0x0d;
const EMPTY_STREAM: u8 = 0x0e;
const EMPTY_FILE: u8 = 0x0f;
const NAMES: u8 = 0x11;
pub(super) const ENCODED_HEADER: u8 = 0x17;

/// As many as 7-Zip reads.
const MAX_CODERS: usize = 32;
const MAX_INPUTS: u64 = 32;
