//! The coders of 7z, put together to the graph that a folder describes (7-Zip, Methods.txt).

use std::io::{self, Read};

use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::bcj2::Bcj2Reader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};
use ppmd_rust::Ppmd7Decoder;

use super::cipher::{Cipher, Key, Keys};
use super::header::{Coder, Folder};
use super::zstd::Frames;
use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::verdict::Reason;

type Input<'a> = Box<dyn Read + 'a>;

/// Puts the decoders of one folder together.
pub(super) struct Graph<'a, 'f> {
    folder: &'f Folder,
    /// The packed streams of the folder.
    packed: Vec<&'a [u8]>,
    /// Pays for dictionaries and models.
    purse: &'f Lease,
    password: Option<(&'f [u8], &'f Keys)>,
    /// Which coders have been used; none feeds two.
    used: Vec<bool>,
    leases: Vec<Lease>,
}

/// What a folder unpacks to, with what it takes to do so.
pub(super) struct Output<'a> {
    reader: Input<'a>,
    _leases: Vec<Lease>,
}

impl Read for Output<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        self.reader.read(output)
    }
}

impl<'a, 'f> Graph<'a, 'f> {
    pub(super) fn new(
        folder: &'f Folder,
        packed: Vec<&'a [u8]>,
        purse: &'f Lease,
        password: Option<(&'f [u8], &'f Keys)>,
    ) -> Self {
        let used = vec![false; folder.coders.len()];
        Self { folder, packed, purse, password, used, leases: Vec::new() }
    }

    /// The output of the folder.
    pub(super) fn open(mut self) -> Result<Output<'a>, Reason> {
        let reader = self.output(self.folder.main())?;
        Ok(Output { reader, _leases: self.leases })
    }

    /// The output of one coder.
    fn output(&mut self, index: usize) -> Result<Input<'a>, Reason> {
        let folder = self.folder;
        let coder = folder.coders.get(index).ok_or(Reason::corrupt("folder"))?;
        match self.used.get_mut(index) {
            Some(used) if !*used => *used = true,
            _ => return Err(Reason::corrupt("folder")),
        }
        let before = folder.coders.get(..index).unwrap_or_default();
        let first: u64 = before.iter().map(|coder| coder.inputs).sum();
        let inputs = (first..first.saturating_add(coder.inputs)).map(|input| self.input(input));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let size = folder.unpack_sizes.get(index).copied().unwrap_or_default();
        self.decoder(coder, inputs, size)
    }

    /// What feeds an input: a packed stream or another coder.
    fn input(&mut self, input: u64) -> Result<Input<'a>, Reason> {
        if let Some(place) = self.folder.packed.iter().position(|packed| *packed == input) {
            let stream = self.packed.get(place).copied().ok_or(Reason::Truncated)?;
            return Ok(Box::new(Cursor::new(stream)));
        }
        let bond = self.folder.bonds.iter().find(|bond| bond.0 == input);
        let (_, output) = bond.ok_or(Reason::corrupt("folder"))?;
        self.output(usize::try_from(*output).unwrap_or(usize::MAX))
    }

    fn decoder(
        &mut self,
        coder: &Coder,
        mut inputs: Vec<Input<'a>>,
        size: u64,
    ) -> Result<Input<'a>, Reason> {
        if coder.method == BCJ2 {
            let reader = Bcj2Reader::try_new(inputs, size).map_err(|_| Reason::corrupt("BCJ2"))?;
            return Ok(Box::new(reader));
        }
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return Err(Reason::corrupt("folder"));
        };
        let properties = &coder.properties[..];
        let lzma_size = u32::try_from(size).unwrap_or(u32::MAX).max(MIN_DICTIONARY);
        Ok(match coder.method {
            AES => Box::new(self.cipher(properties, input)?),
            BZIP2 => Box::new(self.paid(BZIP2_MEMORY, bzip2::read::BzDecoder::new(input))?),
            COPY => input,
            DEFLATE => Box::new(flate2::read::DeflateDecoder::new(input)),
            DEFLATE64 => Box::new(deflate64::Deflate64Decoder::new(input)),
            DELTA => {
                let distance = properties.first().copied().map_or(0, usize::from);
                Box::new(DeltaReader::new(input, distance.saturating_add(1)))
            }
            LZ4 => Box::new(lz4_flex::frame::FrameDecoder::new(input)),
            LZMA => self.lzma(properties, input, size, lzma_size)?,
            LZMA2 => self.lzma2(properties, input, lzma_size)?,
            PPMD => self.ppmd(properties, input)?,
            SWAP2 => Box::new(Swap::new(input, 2)),
            SWAP4 => Box::new(Swap::new(input, 4)),
            ZSTD => self.zstd(input)?,
            method => branches(method, input)?,
        })
    }

    /// Pays for the memory of a decoder.
    fn paid<T>(&mut self, memory: u64, decoder: T) -> Result<T, Reason> {
        self.leases.push(self.purse.another(memory)?);
        Ok(decoder)
    }

    fn lzma(
        &mut self,
        properties: &[u8],
        input: Input<'a>,
        size: u64,
        most: u32,
    ) -> Result<Input<'a>, Reason> {
        let mut cursor = Cursor::new(properties);
        let settings = cursor.u8()?;
        // No match reaches back further than the output is long.
        let dictionary = cursor.u32_le()?.clamp(MIN_DICTIONARY, most);
        self.leases.push(self.purse.another(u64::from(dictionary).saturating_add(LZMA_MODEL))?);
        let reader = LzmaReader::new_with_props(input, size, settings, dictionary, None);
        let mut reader = reader.map_err(|error| failure(&error, "LZMA settings"))?;
        reader.set_defer_errors(true);
        Ok(Box::new(reader))
    }

    fn lzma2(
        &mut self,
        properties: &[u8],
        input: Input<'a>,
        most: u32,
    ) -> Result<Input<'a>, Reason> {
        let bits = u32::from(properties.first().copied().ok_or(Reason::Truncated)?);
        let dictionary = match bits {
            0..40 => (2 | bits & 1) << (bits / 2).saturating_add(11),
            40 => u32::MAX,
            _ => return Err(Reason::corrupt("LZMA2 settings")),
        };
        let dictionary = dictionary.clamp(MIN_DICTIONARY, most);
        self.leases.push(self.purse.another(u64::from(dictionary).saturating_add(LZMA_MODEL))?);
        Ok(Box::new(Stepwise { inner: Lzma2Reader::new(input, dictionary, None), step: STEP }))
    }

    fn ppmd(&mut self, properties: &[u8], input: Input<'a>) -> Result<Input<'a>, Reason> {
        let mut cursor = Cursor::new(properties);
        let order = cursor.u8()?;
        let memory = cursor.u32_le()?;
        self.leases.push(self.purse.another(memory.into())?);
        let reader = Ppmd7Decoder::new(input, order.into(), memory);
        Ok(Box::new(reader.map_err(|_| Reason::corrupt("PPMd settings"))?))
    }

    fn zstd(&mut self, input: Input<'a>) -> Result<Input<'a>, Reason> {
        self.leases.push(self.purse.another(ZSTD_WINDOW)?);
        Ok(Box::new(Frames::new(input, ZSTD_WINDOW)))
    }

    fn cipher(&self, properties: &[u8], input: Input<'a>) -> Result<Cipher<Input<'a>>, Reason> {
        let (password, keys) = self.password.ok_or(Reason::Encrypted)?;
        Key::read(properties)?.cipher(password, keys, input)
    }
}

/// Filters that make the addresses in branch instructions absolute or relative.
fn branches(method: u64, input: Input<'_>) -> Result<Input<'_>, Reason> {
    let reader = match method {
        ARM => BcjReader::new_arm(input, 0),
        ARM64 => BcjReader::new_arm64(input, 0),
        ARM_THUMB => BcjReader::new_arm_thumb(input, 0),
        IA64 => BcjReader::new_ia64(input, 0),
        OLD_ARM => BcjReader::new_arm(input, 0),
        OLD_ARM_THUMB => BcjReader::new_arm_thumb(input, 0),
        OLD_IA64 => BcjReader::new_ia64(input, 0),
        OLD_PPC | PPC => BcjReader::new_ppc(input, 0),
        OLD_SPARC | SPARC => BcjReader::new_sparc(input, 0),
        OLD_X86 | X86 => BcjReader::new_x86(input, 0),
        RISCV => BcjReader::new_riscv(input, 0),
        method => {
            return Err(Reason::Unsupported(format!("7z method {method:x}").into()));
        }
    };
    Ok(Box::new(reader))
}

fn failure(error: &io::Error, place: &'static str) -> Reason {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Reason::Truncated,
        _ => Reason::corrupt(place),
    }
}

/// Reads little at a time, for a decoder that keeps what came before an error to itself.
pub(super) struct Stepwise<R> {
    pub(super) inner: R,
    pub(super) step: usize,
}

impl<R: Read> Read for Stepwise<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let step = self.step.min(output.len());
        self.inner.read(output.get_mut(..step).unwrap_or_default())
    }
}

/// Swaps the bytes of each unit of two or four.
struct Swap<'a> {
    input: Input<'a>,
    unit: usize,
    /// The unit at hand and what of it has been read.
    ready: Vec<u8>,
}

impl<'a> Swap<'a> {
    fn new(input: Input<'a>, unit: usize) -> Self {
        Self { input, unit, ready: Vec::new() }
    }
}

impl Read for Swap<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            let size = output.len().clamp(1, SWAPPED).next_multiple_of(self.unit);
            let mut chunk = (&mut self.input).take(size as u64);
            io::copy(&mut chunk, &mut self.ready)?;
            // A unit that is not whole stays as it is.
            self.ready.chunks_exact_mut(self.unit).for_each(<[u8]>::reverse);
        }
        let count = self.ready.len().min(output.len());
        output.iter_mut().zip(self.ready.drain(..count)).for_each(|(to, from)| *to = from);
        Ok(count)
    }
}

pub(super) const AES: u64 = 0x06f1_0701;
const ARM: u64 = 0x07;
const ARM64: u64 = 0x0a;
const ARM_THUMB: u64 = 0x08;
const BCJ2: u64 = 0x0303_011b;
const BZIP2: u64 = 0x04_0202;
const COPY: u64 = 0x00;
const DEFLATE: u64 = 0x04_0108;
const DEFLATE64: u64 = 0x04_0109;
const DELTA: u64 = 0x03;
const IA64: u64 = 0x06;
const LZ4: u64 = 0x04f7_1104;
const LZMA: u64 = 0x03_0101;
const LZMA2: u64 = 0x21;
const OLD_ARM: u64 = 0x0303_0501;
const OLD_ARM_THUMB: u64 = 0x0303_0701;
const OLD_IA64: u64 = 0x0303_0401;
const OLD_PPC: u64 = 0x0303_0205;
const OLD_SPARC: u64 = 0x0303_0805;
const OLD_X86: u64 = 0x0303_0103;
const PPC: u64 = 0x05;
const PPMD: u64 = 0x03_0401;
const RISCV: u64 = 0x0b;
const SPARC: u64 = 0x09;
const SWAP2: u64 = 0x02_0302;
const SWAP4: u64 = 0x02_0304;
const X86: u64 = 0x04;
const ZSTD: u64 = 0x04f7_1101;

/// How much is lost with damage.
const STEP: usize = 4096;
const MIN_DICTIONARY: u32 = 4096;
/// The probabilities of LZMA with the most context bits.
const LZMA_MODEL: u64 = 64 << 10;
const BZIP2_MEMORY: u64 = 4 << 20;
/// The largest window of zstd that is decoded.
const ZSTD_WINDOW: u64 = 64 << 20;
/// How much is swapped at a time.
const SWAPPED: usize = 32 << 10;
