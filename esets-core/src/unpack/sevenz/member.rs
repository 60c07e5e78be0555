//! The files of a 7z archive: pieces of folders, one behind the other.

use std::io::{self, Read};

use flate2::Crc;

use super::Archive;
use super::coder::{Graph, Output};
use super::header::{File, Header, Piece};
use crate::children::Children;
use crate::decode::utf16_le;
use crate::object::Member;
use crate::unpack::UnpackError;
use crate::verdict::Reason;

/// Offers every file that the header names.
pub(super) fn offer(
    archive: &Archive<'_>,
    header: &Header<'_>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let is_file = |file: &&File<'_>| file.is_empty_stream && file.is_empty_file;
    for file in header.files.iter().filter(is_file) {
        children.slice(Member::named(name(file)), b"")?;
    }
    let mut files = header.files.iter().filter(|file| !file.is_empty_stream);
    let mut packed = archive.packed(&header.streams);
    for folder in &header.streams.folders {
        let pieces = folder.pieces.iter();
        let pieces: Vec<_> =
            pieces.map(|piece| (files.next().map_or(Vec::new(), name), *piece)).collect();
        let packed = packed.next(folder);
        let purse = children.lease(0)?;
        let opened = archive.password(folder, &packed, children).and_then(|password| {
            let password = password.as_deref().map(|word| (word, &archive.keys));
            Graph::new(folder, packed, &purse, password).open()
        });
        match opened {
            Ok(output) => unpack(output, &pieces, children)?,
            Err(reason) => skip(&pieces, &reason, children)?,
        }
    }
    Ok(())
}

/// Offers the files of one folder; behind damage there is nothing.
fn unpack(
    output: Output<'_>,
    pieces: &[(Vec<u8>, Piece)],
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let mut output = Some(output);
    for (index, (name, piece)) in pieces.iter().enumerate() {
        let Some(reader) = output.take() else { break };
        let mut reader = PieceReader::new(reader, *piece);
        let member =
            Member { size: Some(piece.size), crc32: piece.crc, ..Member::named(&name[..]) };
        children.stream(member, &mut reader)?;
        let rest = pieces.get(index.saturating_add(1)..).unwrap_or_default();
        if reader.flaw().is_none() && !reader.is_over() && !rest.is_empty() {
            children.pass(&mut reader)?;
        }
        if let Some(flaw) = reader.flaw().filter(|_| !reader.is_over()) {
            return skip(rest, flaw, children);
        }
        output = Some(reader.output);
    }
    Ok(())
}

fn skip(
    pieces: &[(Vec<u8>, Piece)],
    reason: &Reason,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    for (name, piece) in pieces {
        let encrypted = *reason == Reason::Encrypted;
        let member = Member { size: Some(piece.size), encrypted, ..Member::named(&name[..]) };
        children.skip(member, reason.clone())?;
    }
    Ok(())
}

fn name(file: &File<'_>) -> Vec<u8> {
    utf16_le(file.name).into_bytes()
}

/// Reads one piece of a folder and checks it.
pub(super) struct PieceReader<'a> {
    output: Output<'a>,
    piece: Piece,
    left: u64,
    crc: Crc,
    flaw: Option<Reason>,
    has_told: bool,
}

impl<'a> PieceReader<'a> {
    pub(super) fn new(output: Output<'a>, piece: Piece) -> Self {
        Self { output, piece, left: piece.size, crc: Crc::new(), flaw: None, has_told: false }
    }

    /// What was wrong with it, as far as it has been read.
    pub(super) fn flaw(&self) -> Option<&Reason> {
        self.flaw.as_ref()
    }

    /// Whether all of it has been read.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Says what is wrong, once.
    fn tell(&mut self) -> io::Result<usize> {
        match &self.flaw {
            Some(flaw) if !self.has_told => {
                self.has_told = true;
                Err(io::Error::other(flaw.clone()))
            }
            _ => Ok(0),
        }
    }
}

impl Read for PieceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() || self.flaw.is_some() {
            return self.tell();
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..room).unwrap_or_default();
        let count = match self.output.read(buffer) {
            Ok(0) => {
                self.flaw = Some(Reason::Truncated);
                return self.tell();
            }
            Ok(count) => count,
            Err(error) => {
                self.flaw = Some(Reason::from_io(&error));
                return self.tell();
            }
        };
        self.crc.update(buffer.get(..count).unwrap_or_default());
        self.left = self.left.saturating_sub(count as u64);
        if self.left == 0 && self.piece.crc.is_some_and(|crc| crc != self.crc.sum()) {
            self.flaw = Some(Reason::corrupt("checksum"));
        }
        Ok(count)
    }
}
