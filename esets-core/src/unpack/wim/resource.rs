//! Resources of a WIM image: bytes as they are, or packed in chunks behind a table of them.

use std::io::{self, Read};

use sha1::{Digest, Sha1};

use crate::budget::Lease;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{LZMS_MEMORY, lzms, lzx, xpress};
use crate::verdict::Reason;

/// Where a resource is, as headers and the table of blobs say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::unpack) struct Place {
    pub(in crate::unpack) packed: u64,
    pub(in crate::unpack) flags: u8,
    pub(in crate::unpack) offset: u64,
    pub(in crate::unpack) size: u64,
}

impl Place {
    pub(in crate::unpack) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let word = cursor.u64_le()?;
        let flags = word.to_be_bytes()[0];
        Ok(Self {
            packed: word & ((1 << 56) - 1),
            flags,
            offset: cursor.u64_le()?,
            size: cursor.u64_le()?,
        })
    }

    /// All of some packed bytes.
    pub(in crate::unpack) fn whole(bytes: &[u8], size: u64) -> Self {
        Self { packed: bytes.len() as u64, flags: COMPRESSED, offset: 0, size }
    }

    /// The bytes in the file.
    pub(in crate::unpack) fn bytes<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], Truncated> {
        let cursor = &mut Cursor::at(file, self.offset)?;
        cursor.take(to_size(self.packed))
    }
}

/// How chunks are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::unpack) enum Method {
    Lzms,
    Lzx,
    Stored,
    Xpress,
}

/// How chunks are packed, and how long they are.
#[derive(Clone, Copy, Debug)]
pub(in crate::unpack) struct Packing {
    pub(in crate::unpack) method: Method,
    pub(in crate::unpack) chunk: u64,
    /// Whether each chunk has its size in front of it instead of in a table.
    pub(in crate::unpack) is_pipable: bool,
}

/// Reads a resource, or a part of it.
pub(in crate::unpack) struct Resource<'a> {
    data: &'a [u8],
    packing: Packing,
    size: u64,
    /// Where the chunks begin and end in the data; empty if that is not packed.
    chunks: Vec<(u64, u64)>,
    /// The chunk that was unpacked last.
    current: Option<usize>,
    content: Vec<u8>,
    /// What is to be read next, and how much.
    at: u64,
    left: u64,
    _lease: Option<Lease>,
}

impl<'a> Resource<'a> {
    /// A resource by itself.
    pub(in crate::unpack) fn open(
        file: &'a [u8],
        place: &Place,
        packing: Packing,
        purse: &Lease,
    ) -> Result<Self, Reason> {
        let data = place.bytes(file)?;
        if place.flags & COMPRESSED == 0 {
            let stored = Packing { method: Method::Stored, ..packing };
            return Ok(Self::new(data, stored, data.len() as u64));
        }
        let mut resource = Self::new(data, packing, place.size);
        let count = resource.prepare(purse)?;
        let cursor = &mut Cursor::new(data);
        if packing.is_pipable {
            for _ in 0..count {
                let size = cursor.u32_le()?;
                let start = cursor.position() as u64;
                cursor.take(to_size(size.into()))?;
                resource.chunks.push((start, cursor.position() as u64));
            }
            return Ok(resource);
        }
        let is_wide = place.size > u32::MAX.into();
        let mut start = 0;
        for _ in 1..count {
            let next = if is_wide { cursor.u64_le()? } else { cursor.u32_le()?.into() };
            resource.chunks.push((start, next));
            start = next;
        }
        resource.data = cursor.rest();
        resource.chunks.push((start, resource.data.len() as u64));
        Ok(resource)
    }

    /// A resource that many blobs share, which says itself how it is packed.
    pub(in crate::unpack) fn solid(
        file: &'a [u8],
        place: &Place,
        purse: &Lease,
    ) -> Result<Self, Reason> {
        let data = place.bytes(file)?;
        let cursor = &mut Cursor::new(data);
        let size = solid_size(file, place)?;
        cursor.take(8)?;
        let chunk = cursor.u32_le()?.into();
        let method = match cursor.u32_le()? {
            0 => Method::Stored,
            1 => Method::Xpress,
            2 => Method::Lzx,
            3 => Method::Lzms,
            _ => return Err(Reason::unsupported("compression of an image")),
        };
        let mut resource = Self::new(data, Packing { method, chunk, is_pipable: false }, size);
        let count = resource.prepare(purse)?;
        let mut start = 0_u64;
        for _ in 0..count {
            let next = start.saturating_add(cursor.u32_le()?.into());
            resource.chunks.push((start, next));
            start = next;
        }
        resource.data = cursor.rest();
        Ok(resource)
    }

    fn new(data: &'a [u8], packing: Packing, size: u64) -> Self {
        Self {
            data,
            packing,
            size,
            chunks: Vec::new(),
            current: None,
            content: Vec::new(),
            at: 0,
            left: size,
            _lease: None,
        }
    }

    /// Makes room for the table and a chunk; the number of chunks.
    fn prepare(&mut self, purse: &Lease) -> Result<usize, Reason> {
        let chunk = self.packing.chunk;
        if !chunk.is_power_of_two() || chunk > MOST_CHUNK {
            return Err(Reason::corrupt("size of chunks"));
        }
        let count = self.size.div_ceil(chunk).max(1);
        // Each has four bytes in the table, except that the last one may have none.
        if count.saturating_sub(1) > (self.data.len() / 4) as u64 {
            return Err(Reason::Truncated);
        }
        let table = count.saturating_mul(16);
        // A vector that grows may take twice its length.
        let content = self.size.min(chunk).saturating_mul(2);
        let memory = table.saturating_add(content).saturating_add(LZMS_MEMORY);
        self._lease = Some(purse.another(memory)?);
        self.chunks.reserve_exact(to_size(count));
        Ok(to_size(count))
    }

    /// The part of it that is `size` bytes long from `at` on.
    pub(in crate::unpack) fn part(&mut self, at: u64, size: u64) -> &mut Self {
        (self.at, self.left) = (at, size);
        self
    }

    /// What is there from where it is being read to the end of the chunk.
    fn ready(&mut self) -> Result<&[u8], Reason> {
        if self.chunks.is_empty() {
            return Ok(self.data.get(to_size(self.at)..).unwrap_or_default());
        }
        let Packing { method, chunk, .. } = self.packing;
        let number = to_size(self.at.checked_div(chunk).unwrap_or_default());
        let start = (number as u64).saturating_mul(chunk);
        if self.current != Some(number) {
            self.current = None;
            let size = to_size(self.size.saturating_sub(start).min(chunk));
            let (from, to) = *self.chunks.get(number).ok_or(Reason::Truncated)?;
            let packed = self.data.get(to_size(from)..to_size(to)).ok_or(Reason::Truncated)?;
            self.content.clear();
            self.content = unpack(packed, method, chunk, size)?;
            self.current = Some(number);
        }
        let at = to_size(self.at.saturating_sub(start));
        Ok(self.content.get(at..).unwrap_or_default())
    }
}

/// The size of a solid resource unpacked.
pub(in crate::unpack) fn solid_size(file: &[u8], place: &Place) -> Result<u64, Truncated> {
    Cursor::new(place.bytes(file)?).u64_le()
}

fn unpack(packed: &[u8], method: Method, chunk: u64, size: usize) -> Result<Vec<u8>, Reason> {
    if packed.len() == size {
        return Ok(packed.to_vec());
    }
    if packed.len() > size {
        return Err(Reason::corrupt("size of a chunk"));
    }
    match method {
        Method::Lzms => lzms(packed, size),
        Method::Lzx => lzx(packed, chunk.checked_ilog2().unwrap_or_default(), size),
        Method::Stored => Err(Reason::Truncated),
        Method::Xpress if chunk > 64 << 10 => Err(Reason::corrupt("size of chunks")),
        Method::Xpress => xpress(packed, size),
    }
}

impl Read for Resource<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let left = self.left;
        if left == 0 || output.is_empty() {
            return Ok(0);
        }
        let ready = self.ready().map_err(io::Error::other)?;
        let count = Read::take(ready, left).read(output)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = self.at.saturating_add(count as u64);
        self.left = left.saturating_sub(count as u64);
        Ok(count)
    }
}

/// Ends in an error if what was read has not the SHA-1 that is stated.
pub(in crate::unpack) struct Hashed<R> {
    reader: R,
    stated: Option<[u8; 20]>,
    hash: Sha1,
}

impl<R: Read> Hashed<R> {
    pub(in crate::unpack) fn new(reader: R, stated: Option<[u8; 20]>) -> Self {
        Self { reader, stated, hash: Sha1::new() }
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(output)?;
        self.hash.update(output.get(..count).unwrap_or_default());
        let is_end = count == 0 && !output.is_empty();
        let stated = self.stated.as_ref().filter(|_| is_end);
        if stated.is_some_and(|stated| self.hash.clone().finalize()[..] != *stated) {
            return Err(io::Error::other(Reason::corrupt("checksum")));
        }
        Ok(count)
    }
}

pub(in crate::unpack) fn to_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const COMPRESSED: u8 = 4;
/// What wimlib allows is 1 GiB; programs write 64 MiB at most.
const MOST_CHUNK: u64 = 1 << 30;
