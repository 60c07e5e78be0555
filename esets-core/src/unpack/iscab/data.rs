//! The data of one file of an InstallShield cabinet.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::header::{File, Volume};
use crate::cursor::Cursor;
use crate::decode::{Inflate, head};
use crate::verdict::Reason;

/// Where the data of `file` lies, in one volume or in several.
pub(super) fn pieces<'a>(file: &File<'_>, volumes: &[Volume<'a>]) -> Result<Pieces<'a>, Reason> {
    let stated = if file.flags & COMPRESSED == 0 { file.size } else { file.packed_size };
    let holds = |volume: &&Volume<'_>| match file.volume {
        Some(number) => volume.number == number,
        None => (volume.first.index..=volume.last.index).contains(&file.index),
    };
    let mut volume = volumes.iter().find(holds).ok_or(Reason::Truncated)?;
    let mut pieces = Pieces { list: Vec::new(), left: stated };
    if file.flags & SPLIT == 0 || volume.last.index != file.index {
        pieces.add(volume.bytes, file.offset, stated);
        return Ok(pieces);
    }
    pieces.add(volume.bytes, volume.last.offset, volume.last.packed_size);
    while pieces.left > 0 && volume.last.index == file.index {
        let next = volume.number.saturating_add(1);
        let Some(found) = volumes.iter().find(|volume| volume.number == next) else { break };
        volume = found;
        pieces.add(volume.bytes, volume.first.offset, volume.first.packed_size);
    }
    Ok(pieces)
}

/// The pieces of one file, read one after the other.
pub(super) struct Pieces<'a> {
    /// The last of them first.
    list: Vec<&'a [u8]>,
    /// How many bytes are missing.
    left: u64,
}

impl<'a> Pieces<'a> {
    fn add(&mut self, bytes: &'a [u8], offset: u64, size: u64) {
        let Ok(mut cursor) = Cursor::at(bytes, offset) else { return };
        let piece = cursor.take_up_to(size.min(self.left));
        self.left = self.left.saturating_sub(piece.len() as u64);
        self.list.insert(0, piece);
    }

    /// How many bytes of data there are.
    pub(super) fn size(&self) -> u64 {
        self.list.iter().map(|piece| piece.len() as u64).sum()
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while let Some(piece) = self.list.last_mut() {
            let count = piece.read(output)?;
            if count > 0 || output.is_empty() {
                return Ok(count);
            }
            self.list.pop();
        }
        if self.left > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(0) }
    }
}

/// The content of `file`, from its data.
pub(super) fn content<'a>(file: &File<'_>, pieces: Pieces<'a>) -> Box<dyn Read + 'a> {
    let plain: Box<dyn Read + 'a> = match file.flags & OBFUSCATED {
        0 => Box::new(pieces),
        _ => Box::new(Obfuscated { data: pieces, place: 0 }),
    };
    let plain = if file.flags & COMPRESSED == 0 { plain } else { Box::new(Chunks::new(plain)) };
    Box::new(Sized { reader: plain, stated: file.size, read: 0 })
}

/// Bytes changed by their place.
struct Obfuscated<R> {
    data: R,
    /// The place, in turns of 71.
    place: u8,
}

impl<R: Read> Read for Obfuscated<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.data.read(output)?;
        for byte in output.iter_mut().take(count) {
            *byte = (*byte ^ 0xd5).rotate_right(2).wrapping_sub(self.place);
            self.place = self.place.saturating_add(1) % 71;
        }
        Ok(count)
    }
}

/// Deflated chunks, each behind its size; or, as old programs wrote them, one deflated stream.
struct Chunks<R> {
    data: R,
    chunk: Vec<u8>,
    at: usize,
    state: Decompress,
    is_first: bool,
    is_stream: bool,
}

impl<R: Read> Chunks<R> {
    fn new(data: R) -> Self {
        Self {
            data,
            chunk: Vec::new(),
            at: 0,
            state: Decompress::new(false),
            is_first: true,
            is_stream: false,
        }
    }

    /// Reads the next chunk; `false` at the end.
    fn next_chunk(&mut self) -> io::Result<bool> {
        self.at = 0;
        if self.is_stream {
            self.chunk = head(&mut self.data, usize::from(u16::MAX));
            return Ok(!self.chunk.is_empty());
        }
        self.state.reset(false);
        let mut size = [0; 2];
        match self.data.read(&mut size)? {
            0 => return Ok(false),
            1 => self.data.read_exact(size.get_mut(1..).unwrap_or_default())?,
            _ => {}
        }
        self.chunk = head(&mut self.data, u16::from_le_bytes(size).into());
        let is_whole = self.chunk.len() == usize::from(u16::from_le_bytes(size));
        if std::mem::take(&mut self.is_first) && Inflate::new(&self.chunk).read(&mut [0]).is_err() {
            self.chunk.splice(..0, size);
            self.is_stream = true;
        } else if !is_whole {
            self.data.read_exact(&mut [0])?;
        }
        Ok(true)
    }
}

impl<R: Read> Read for Chunks<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            if self.at >= self.chunk.len() && !self.next_chunk()? {
                return Ok(0);
            }
            let input = self.chunk.get(self.at..).unwrap_or_default();
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(input, output, FlushDecompress::None);
            let read = self.state.total_in().saturating_sub(read);
            let written = self.state.total_out().saturating_sub(written);
            self.at = self.at.saturating_add(usize::try_from(read).unwrap_or(usize::MAX));
            match status {
                Err(_) => return Err(io::Error::other(Reason::corrupt("deflate data"))),
                Ok(Status::StreamEnd) => self.at = self.chunk.len(),
                Ok(_) if read == 0 && written == 0 => self.at = self.chunk.len(),
                Ok(_) => {}
            }
            if written > 0 {
                return Ok(usize::try_from(written).unwrap_or(usize::MAX));
            }
        }
    }
}

/// Content that must have the size stated for it; all of it is read before that is told.
struct Sized<R> {
    reader: R,
    stated: u64,
    read: u64,
}

impl<R: Read> Read for Sized<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(output)?;
        self.read = self.read.saturating_add(count as u64);
        if count > 0 || output.is_empty() || self.read == self.stated {
            return Ok(count);
        }
        match self.read < self.stated {
            true => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Err(io::Error::other(Reason::corrupt("size"))),
        }
    }
}

/// Flags of files.
const SPLIT: u16 = 1;
const OBFUSCATED: u16 = 2;
const COMPRESSED: u16 = 4;
