//! One compressed block of UPX, whatever its method.

use std::io::Read;

use flate2::read::DeflateDecoder;
use lzma_rust2::LzmaReader;

use crate::decode::nrv::{self, Nrv};
use crate::verdict::Reason;

/// How a block is compressed, as UPX numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Method(u8);

impl Method {
    /// The method `number`, if there is one.
    pub(super) fn new(number: u8) -> Option<Self> {
        matches!(number, STORED | 2..=10 | LZMA | DEFLATE).then_some(Self(number))
    }

    /// Exactly `size` bytes out of `packed`.
    ///
    /// # Errors
    /// [`Reason`] if `packed` is cut or damaged.
    pub(super) fn decode(self, packed: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
        let out = match self.0 {
            STORED => packed.to_vec(),
            LZMA => lzma(packed, size)?,
            DEFLATE => read(DeflateDecoder::new(packed), size)?,
            number => {
                let (code, word) = code(number);
                nrv::decode(code, packed, word, size)?
            }
        };
        if out.len() == size { Ok(out) } else { Err(Reason::corrupt("UPX block")) }
    }
}

/// Which code, and how many bytes its words have.
fn code(number: u8) -> (Nrv, usize) {
    let code = match number {
        2..=4 => Nrv::B,
        5..=7 => Nrv::D,
        _ => Nrv::E,
    };
    let word = match number {
        2 | 5 | 8 => 4,
        3 | 6 | 9 => 1,
        _ => 2,
    };
    (code, word)
}

/// LZMA behind two bytes of properties.
fn lzma(packed: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
    let [first, second, stream @ ..] = packed else { return Err(Reason::Truncated) };
    let (pb, lp, lc) = (first & 7, second >> 4, second & 15);
    let window = u32::try_from(size).map_err(|_| Reason::corrupt("UPX block"))?.max(4096);
    let (lc, lp, pb) = (lc.into(), lp.into(), pb.into());
    let reader = LzmaReader::new(stream, size as u64, lc, lp, pb, window, None);
    read(reader.map_err(|error| Reason::from_io(&error))?, size)
}

/// At most `size` bytes.
fn read(reader: impl Read, size: usize) -> Result<Vec<u8>, Reason> {
    let mut reader = reader.take(size as u64);
    let mut out = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match reader.read(&mut chunk).map_err(|error| Reason::from_io(&error))? {
            0 => return Ok(out),
            count => out.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
}

const STORED: u8 = 0;
const LZMA: u8 = 14;
const DEFLATE: u8 = 15;
