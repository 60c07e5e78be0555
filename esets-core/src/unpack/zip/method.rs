//! How the data of a member is compressed (APPNOTE 4.4.5, 5).

use std::io::{self, Read};

use super::door::{Door, open_door};
use crate::budget::Lease;
use crate::decode::Inflate;
use crate::unpack::bzip2::Bunzip;
use crate::unpack::xz::Unxz;
use crate::unpack::zstd::{self, Frame};
use crate::verdict::Reason;

/// How the data of a member is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding<'a> {
    pub(super) method: u16,
    pub(super) flags: u16,
    /// The size once unpacked, if it is known.
    pub(super) size: Option<u64>,
    pub(super) body: &'a [u8],
}

impl Coding<'_> {
    /// Calls `use_reader` with a reader of what is packed; its memory is paid from `purse`.
    pub(super) fn open<T>(
        &self,
        purse: &Lease,
        use_reader: &mut dyn FnMut(&mut dyn Read) -> T,
    ) -> Result<T, Reason> {
        let mut body = self.body;
        match self.method {
            STORED => Ok(use_reader(&mut body)),
            DEFLATE => Ok(use_reader(&mut Passing::new(Inflate::new(body)))),
            BZIP2 => {
                let stream = Bunzip::open(body, purse)?.ok_or(Reason::corrupt("bzip2 data"))?;
                Ok(use_reader(&mut Passing::new(stream)))
            }
            XZ => {
                let stream = Unxz::open(body, purse)?.ok_or(Reason::corrupt("xz data"))?;
                Ok(use_reader(&mut Passing::new(stream)))
            }
            ZSTD | ZSTD_BEFORE => {
                let memory = purse.another(zstd::cost(body)?)?;
                let stream = Frame::open(body)?.ok_or(Reason::corrupt("zstd data"))?;
                Ok(use_reader(&mut Passing::paid(stream, memory)))
            }
            SHRINK..=IMPLODE | DEFLATE64 | LZMA | PPMD => {
                let memory = purse.another(self.cost())?;
                let door = Door { method: self.method, flags: self.flags, size: self.known_size() };
                open_door(&door, body, memory, use_reader)
            }
            method => Err(Reason::Unsupported(format!("compression method {method}").into())),
        }
    }

    /// What the decoder needs, in bytes.
    fn cost(&self) -> u64 {
        match (self.method, self.body) {
            // It asks for so many mebibytes (5.10.4).
            (PPMD, [low, high, ..]) => {
                let parameters = u16::from_le_bytes([*low, *high]);
                (u64::from(parameters >> 4 & 0xff).saturating_add(1)) << 20
            }
            // Version, size of the properties, properties: then the size of the dictionary (5.8.8).
            (LZMA, [_, _, _, _, _, size @ ..]) => {
                let size = size.first_chunk().map_or(0, |size| u32::from_le_bytes(*size));
                u64::from(size).saturating_add(64 << 10)
            }
            (DEFLATE64, _) => 256 << 10,
            // The decoders of the old methods keep all of their input and output.
            _ => self.known_size().unwrap_or(0).saturating_add(self.body.len() as u64),
        }
    }

    /// The old methods have no end but the size.
    fn known_size(&self) -> Option<u64> {
        match self.method {
            DEFLATE64 => None,
            LZMA if self.flags & END_MARKED != 0 => None,
            SHRINK..=IMPLODE => Some(self.size.unwrap_or(MOST).min(MOST)),
            _ => self.size,
        }
    }
}

/// A reader that is dropped when it has come to its end: its memory is free before what was read
/// is looked into.
pub(super) struct Passing<R> {
    reader: Option<R>,
    memory: Option<Lease>,
}

impl<R> Passing<R> {
    /// A reader that pays for itself.
    pub(super) fn new(reader: R) -> Self {
        Self { reader: Some(reader), memory: None }
    }

    /// A reader that `memory` pays for.
    pub(super) fn paid(reader: R, memory: Lease) -> Self {
        Self { reader: Some(reader), memory: Some(memory) }
    }
}

impl<R: Read> Read for Passing<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let Some(reader) = self.reader.as_mut().filter(|_| !output.is_empty()) else {
            return Ok(0);
        };
        let result = reader.read(output);
        if !matches!(result, Ok(1..)) {
            self.reader = None;
            self.memory = None;
        }
        result
    }
}

pub(super) const STORED: u16 = 0;
const SHRINK: u16 = 1;
const IMPLODE: u16 = 6;
pub(super) const DEFLATE: u16 = 8;
const DEFLATE64: u16 = 9;
const BZIP2: u16 = 12;
const LZMA: u16 = 14;
/// Its number before it was registered.
const ZSTD_BEFORE: u16 = 20;
const ZSTD: u16 = 93;
const XZ: u16 = 95;
const PPMD: u16 = 98;

/// Flag of LZMA: an end mark follows the data (4.4.4).
const END_MARKED: u16 = 1 << 1;

/// How much of a member is read that is packed by an old method: 64 MiB.
const MOST: u64 = 64 << 20;
