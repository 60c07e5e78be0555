//! 7z, as 7-Zip writes it (DOC/7zFormat.txt and DOC/Methods.txt in its LZMA SDK).
//!
//! The container is read here and not by a crate so that every coder can be put together from the
//! decoders that other formats use, every byte of memory is paid for, and damage costs a member.

mod cipher;
mod coder;
mod header;
mod member;
mod number;
mod zstd;

use std::borrow::Cow;
use std::io::{self, Read};

use lzma_rust2::{Lzma2Reader, LzmaReader};

use self::cipher::Keys;
use self::coder::{Graph, Output, Stepwise};
use self::header::{ENCODED_HEADER, Folder, HEADER, Header, Streams};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

pub(super) struct SevenZ;

impl Unpacker for SevenZ {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let archive = Archive { bytes: subject.bytes(), keys: Keys::default() };
        let Some((header, end)) = archive.header()? else {
            archive.salvage(children)?;
            return Err(Reason::Truncated.into());
        };
        let behind = archive.bytes.get(end..).unwrap_or_default();
        if behind.iter().any(|byte| *byte != 0) {
            children.slice(Member::named(format!("@{end}").into_bytes()), behind)?;
        }
        archive.members(header, children)
    }
}

struct Archive<'a> {
    bytes: &'a [u8],
    keys: Keys,
}

/// The packed streams, which folders take one behind the other.
struct Packed<'a, 's> {
    rest: Cursor<'a>,
    sizes: std::slice::Iter<'s, u64>,
}

impl<'a> Packed<'a, '_> {
    /// Those of the next folder, as much of them as there is.
    fn next(&mut self, folder: &Folder) -> Vec<&'a [u8]> {
        let sizes = (&mut self.sizes).take(folder.packed.len());
        sizes.map(|size| self.rest.take_up_to(*size)).collect()
    }
}

impl<'a> Archive<'a> {
    /// The header as it stands in the archive, and where it ends; `None` if it lies behind the end
    /// of the object. Its checksums are not asked: a wrong one must not hide what it names.
    fn header(&self) -> Result<Option<(&'a [u8], usize)>, Reason> {
        let mut start = Cursor::at(self.bytes, 12)?;
        let (offset, size) = (start.u64_le()?, start.u64_le()?);
        let start = SIGNATURE_HEADER.saturating_add(offset);
        let end = start.saturating_add(size);
        let place = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let header = place.and_then(|(start, end)| self.bytes.get(start..end).zip(Some(end)));
        Ok(header)
    }

    /// Decodes the header as often as it is packed, then offers what it names.
    fn members(&self, header: &'a [u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
        let mut header = Cow::Borrowed(header);
        let mut leases = Vec::new();
        for _ in 0..MAX_HEADER_LAYERS {
            let mut cursor = Cursor::new(&header);
            match cursor.u8() {
                Err(_) => return Ok(()), // an archive without members
                Ok(HEADER) => {
                    let size = (header.len() as u64).saturating_mul(HEADER_WEIGHT);
                    leases.push(children.lease(size)?);
                    let header = Header::read(&mut cursor)?;
                    return member::offer(self, &header, children);
                }
                Ok(ENCODED_HEADER) => {
                    leases.push(children.lease(MAX_HEADER as u64)?);
                    let streams = Streams::read(&mut cursor)?;
                    header = self.decoded(&streams, children)?.into();
                }
                Ok(_) => return Err(Reason::corrupt("header").into()),
            }
        }
        Err(Reason::Limit(Limit::Depth).into())
    }

    /// Unpacks an encoded header.
    fn decoded(&self, streams: &Streams, children: &mut Children<'_>) -> Result<Vec<u8>, Reason> {
        let folder = streams.folders.first().ok_or(Reason::corrupt("encoded header"))?;
        let packed = self.packed(streams).next(folder);
        let password = self.password(folder, &packed, children)?;
        let purse = children.lease(0)?;
        let password = password.as_deref().map(|word| (word, &self.keys));
        let mut output = Graph::new(folder, packed, &purse, password).open()?;
        let size = usize::try_from(folder.size()).unwrap_or(usize::MAX);
        let header = decode::head(&mut output, size.min(MAX_HEADER));
        if header.len() < size { Err(Reason::corrupt("encoded header")) } else { Ok(header) }
    }

    fn packed<'s>(&self, streams: &'s Streams) -> Packed<'a, 's> {
        let start = SIGNATURE_HEADER.saturating_add(streams.pack_offset);
        let rest = Cursor::at(self.bytes, start).unwrap_or_default();
        Packed { rest, sizes: streams.pack_sizes.iter() }
    }

    /// The password that opens a folder, if it needs one.
    fn password(
        &self,
        folder: &Folder,
        packed: &[&'a [u8]],
        children: &mut Children<'_>,
    ) -> Result<Option<Vec<u8>>, Reason> {
        if !folder.coders.iter().any(|coder| coder.method == coder::AES) {
            return Ok(None);
        }
        let purse = children.lease(0)?;
        for password in children.passwords() {
            let graph = Graph::new(folder, packed.to_vec(), &purse, Some((password, &self.keys)));
            let output = match graph.open() {
                Err(Reason::Unsupported(what)) => return Err(Reason::Unsupported(what)),
                output => output,
            };
            if output.is_ok_and(|output| fits(folder, output)) {
                return Ok(Some(password.to_vec()));
            }
        }
        Err(Reason::Encrypted)
    }

    /// Decodes the first packed stream of an archive whose header is lost, with the settings that
    /// packers use if not told otherwise.
    fn salvage(&self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        let data: &[u8] = Cursor::at(self.bytes, SIGNATURE_HEADER)?.rest();
        let member = Member::named(format!("@{SIGNATURE_HEADER}").into_bytes());
        let _lease = children.lease(SALVAGE_DICTIONARY.into())?;
        match data.first() {
            Some(0) => {
                let unknown = u64::MAX;
                let reader =
                    LzmaReader::new_with_props(data, unknown, 0x5d, SALVAGE_DICTIONARY, None)?;
                Ok(children.stream(member, &mut { reader })?)
            }
            Some(0x01 | 0xe0..) => {
                // A chunk is decoded once all of it is there.
                let chunk = io::repeat(0).take(LZMA2_CHUNK);
                let inner = Lzma2Reader::new(data.chain(chunk), SALVAGE_DICTIONARY, None);
                let mut reader = Stepwise { inner, step: 1 };
                Ok(children.stream(member, &mut reader)?)
            }
            _ => Ok(()),
        }
    }
}

/// Whether what a password opens looks right: to its end if it is short.
fn fits(folder: &Folder, output: Output<'_>) -> bool {
    let Some(piece) = folder.pieces.first() else { return true };
    let mut piece = member::PieceReader::new(output, *piece);
    let head = decode::head(&mut piece, PROBE);
    piece.flaw().is_none() && (!head.is_empty() || piece.is_over())
}

const SIGNATURE_HEADER: u64 = 32;
/// How often a header may be packed.
const MAX_HEADER_LAYERS: usize = 4;
const MAX_HEADER: usize = 16 << 20;
/// How many bytes the parsed header may take for each byte of it.
const HEADER_WEIGHT: u64 = 48;
/// How much is unpacked to see whether a password is right.
const PROBE: usize = 64 << 10;
/// The longest chunk of LZMA2, with its header.
const LZMA2_CHUNK: u64 = (64 << 10) + 6;
const SALVAGE_DICTIONARY: u32 = 32 << 20;

static FORMAT: Format = Format {
    name: "7z",
    about: "7-Zip archive",
    extensions: &["7z"],
    magic: &[Magic::start(b"7z\xbc\xaf\x27\x1c")],
    specification: &["LZMA SDK, DOC/7zFormat.txt", "LZMA SDK, DOC/Methods.txt"],
    limitations: &[
        "the coders Brotli and Lizard of other 7-Zips are not decoded",
        "keys of more than 2^20 rounds are not made",
    ],
};
