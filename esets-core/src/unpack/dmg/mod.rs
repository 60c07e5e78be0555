//! Apple disk images (UDIF): chunks of a disk, each packed by itself, before a trailer.

use std::borrow::Cow;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Block, Blocks, Codec, inner_name};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

mod table;

use table::{Chunk, tables};

pub(super) struct Dmg;

impl Unpacker for Dmg {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let bytes = subject.bytes();
        trailer(bytes).is_some() || is_encrypted(bytes)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let Some(trailer) = trailer(bytes) else { return Err(Reason::Encrypted.into()) };
        if trailer.segments > 1 {
            children.not_scanned(Reason::unsupported("images in several files"));
        }
        let listed = trailer.xml.1.max(trailer.resources.1).min(bytes.len() as u64);
        let _table = children.lease(listed.saturating_mul(4))?;
        let mut chunks = Vec::new();
        tables(bytes, &trailer, &mut chunks)?;
        chunks.sort_by_key(|chunk| chunk.start);
        let packed = chunks.iter().filter(|chunk| chunk.codec.is_some());
        let largest = packed.map(|chunk| chunk.length).max().unwrap_or_default();
        let _memory = children.lease(Codec::MEMORY.saturating_add(largest.min(MOST_CHUNK)))?;
        let mut disk = Disk { bytes, at: 0, flaw: None };
        let size = trailer.size;
        let member =
            Member { size: Some(size), ..Member::named(inner_name(&FORMAT, subject.name())) };
        let blocks = chunks.iter().flat_map(|chunk| disk.blocks(chunk)).flatten().map(Ok);
        children.stream(member, &mut Blocks::new(blocks))?;
        match disk.flaw {
            None => Ok(()),
            Some(flaw) => Err(flaw.into()),
        }
    }
}

/// The trailer; where an image was made for the net it stands at the start. One whose tables lie
/// elsewhere belongs to another object, of which this is the end.
fn trailer(bytes: &[u8]) -> Option<Trailer> {
    let end = bytes.len().checked_sub(TRAILER).and_then(|start| bytes.get(start..));
    let places = [end, bytes.get(..TRAILER)].into_iter().flatten();
    let mut trailers = places.filter_map(|place| Trailer::read(place).ok().flatten());
    trailers.find(|trailer| {
        let (offset, size) = if trailer.xml.1 > 0 { trailer.xml } else { trailer.resources };
        offset.saturating_add(size) <= bytes.len() as u64
    })
}

/// Whether the image is one that asks for a password, of the second or the first kind.
fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(ENCRYPTED) || bytes.ends_with(b"cdsaencr")
}

/// What a trailer says; places are offsets and lengths.
struct Trailer {
    data: u64,
    resources: (u64, u64),
    segments: u32,
    xml: (u64, u64),
    size: u64,
}

impl Trailer {
    fn read(trailer: &[u8]) -> Result<Option<Self>, Truncated> {
        let cursor = &mut Cursor::new(trailer);
        let magic = cursor.take(4)?;
        cursor.take(4)?; // version
        if magic != b"koly" || cursor.take(4)? != b"\x00\x00\x02\x00" {
            return Ok(None);
        }
        cursor.take(12)?; // flags, place of a copy
        let data = cursor.u64_be()?;
        cursor.take(8)?; // length of the data
        let resources = (cursor.u64_be()?, cursor.u64_be()?);
        cursor.take(4)?; // number of this segment
        let segments = cursor.u32_be()?;
        cursor.take(152)?; // identity, checksum
        let xml = (cursor.u64_be()?, cursor.u64_be()?);
        cursor.take(260)?; // reserved, checksum, kind
        let size = cursor.u64_be()?.saturating_mul(SECTOR);
        Ok(Some(Self { data, resources, segments, xml, size }))
    }
}

/// The disk as far as it has been put together.
struct Disk<'a> {
    bytes: &'a [u8],
    at: u64,
    /// What was wrong with the first chunk that could not be opened.
    flaw: Option<Reason>,
}

impl<'a> Disk<'a> {
    /// What a chunk adds: zeros up to it, then its content, or zeros if it is damaged so that what
    /// is behind it keeps its place.
    fn blocks(&mut self, chunk: &Chunk) -> [Option<Block<'a>>; 2] {
        let Some(gap) = chunk.start.checked_sub(self.at) else {
            self.flaw.get_or_insert(Reason::corrupt("chunks that overlap"));
            return [None, None];
        };
        self.at = chunk.start.saturating_add(chunk.length);
        let block = self.open(chunk).unwrap_or_else(|reason| {
            self.flaw.get_or_insert(reason);
            Block::Zeros(chunk.length)
        });
        let missing = match &block {
            Block::Bytes(bytes) => chunk.length.saturating_sub(bytes.len() as u64),
            Block::Zeros(_) => 0,
        };
        // The zeros behind a short chunk are before the next one.
        self.at = self.at.saturating_sub(missing);
        [Some(Block::Zeros(gap)), Some(block)]
    }

    fn open(&self, chunk: &Chunk) -> Result<Block<'a>, Reason> {
        if chunk.is_zeros {
            return Ok(Block::Zeros(chunk.length));
        }
        let body = Cursor::at(self.bytes, chunk.offset)?.take(to_size(chunk.packed))?;
        let limit = to_size(chunk.length.min(MOST_CHUNK));
        match chunk.codec {
            _ if chunk.is_unknown => Err(Reason::unsupported("compression of chunks")),
            Some(codec) => codec.unpack(body, limit).map(|body| Block::Bytes(Cow::Owned(body))),
            None => {
                let body = body.get(..to_size(chunk.length)).unwrap_or(body);
                Ok(Block::Bytes(Cow::Borrowed(body)))
            }
        }
    }
}

fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

const TRAILER: usize = 512;
const SECTOR: u64 = 512;
const ENCRYPTED: &[u8] = b"encrcdsa";
/// The longest chunk that is unpacked: 64 MiB, many times what writers make.
const MOST_CHUNK: u64 = 64 << 20;

static FORMAT: Format = Format {
    name: "dmg",
    about: "Apple disk image (UDIF)",
    extensions: &["dmg"],
    magic: &[Magic::start(ENCRYPTED)],
    specification: &["hdiutil(1)", "J. Hunt, Demystifying the DMG File Format"],
    limitations: &["encrypted images", "images in several files", "checksums are not checked"],
};
