//! UPX: programs for Windows and Unix, put together again from their compressed parts.

mod block;
mod elf;
mod filter;
mod pe;

use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::subject::Subject;
use crate::unpack::{Format, UnpackError, Unpacker};
use crate::verdict::Reason;

use block::Method;

/// Programs that UPX has packed.
pub(super) struct Upx;

impl Unpacker for Upx {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        is_intact(subject) || is_elf(subject) && elf::Layout::open(subject.bytes()).is_some()
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        match elf::Layout::open(subject.bytes()).filter(|_| is_elf(subject)) {
            Some(layout) => layout.unpack(children),
            None => pe::unpack(subject, children),
        }
    }
}

/// Whether the object is a PE file whose pack header tells the truth.
pub(super) fn is_intact(subject: &Subject<'_>) -> bool {
    let is_pe = subject.executable().is_some_and(|executable| executable.kind.is_pe());
    is_pe && PackHeader::find(subject.bytes()).is_some()
}

fn is_elf(subject: &Subject<'_>) -> bool {
    subject.executable().is_some_and(|executable| executable.kind.is_elf())
}

/// What UPX notes of the packed data, in front of it.
struct PackHeader {
    method: Method,
    unpacked: usize,
    filter: u8,
    mark: u8,
    /// Where the packed data lies in the file.
    start: usize,
    packed: usize,
}

impl PackHeader {
    /// The first header whose check sum of the packed data holds.
    fn find(file: &[u8]) -> Option<Self> {
        let found = memchr::memmem::find_iter(file, MAGIC).take(MAX_HEADERS);
        found.filter_map(|at| Self::read(file, at).ok().flatten()).next()
    }

    fn read(file: &[u8], at: usize) -> Result<Option<Self>, Truncated> {
        let mut cursor = Cursor::at(file, at as u64)?;
        cursor.take(4)?; // magic
        cursor.take(2)?; // version, format
        let method = Method::new(cursor.u8()?);
        cursor.take(5)?; // level, check sum of the unpacked data
        let sum = cursor.u32_le()?;
        let unpacked = cursor.u32_le()?;
        let packed = cursor.u32_le()?;
        cursor.take(4)?; // size of the file
        let (filter, mark) = (cursor.u8()?, cursor.u8()?);
        cursor.take(2)?; // what a filter needs more, check sum of the header
        let start = cursor.position();
        let packed = usize::try_from(packed).map_err(|_| Truncated)?;
        let unpacked = usize::try_from(unpacked).map_err(|_| Truncated)?;
        let holds = adler32(cursor.take(packed)?) == sum;
        let header = method.map(|method| Self { method, unpacked, filter, mark, start, packed });
        Ok(header.filter(|_| holds && packed > 0))
    }

    fn decode(&self, file: &[u8]) -> Result<Vec<u8>, Reason> {
        let end = self.start.saturating_add(self.packed);
        self.method.decode(file.get(self.start..end).ok_or(Reason::Truncated)?, self.unpacked)
    }
}

/// Adler-32 (RFC 1950).
fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    // So many bytes fit before the sums must be reduced.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            low = low.wrapping_add(u32::from(*byte));
            high = high.wrapping_add(low);
        }
        low %= 65_521;
        high %= 65_521;
    }
    high << 16 | low
}

static FORMAT: Format = Format {
    name: "upx",
    about: "Programs packed by UPX",
    extensions: &["exe", "elf"],
    magic: &[],
    specification: &["UPX 4.2 source, src/packhead.cpp, src/pefile.cpp, src/p_lx_elf.cpp"],
    limitations: &[
        "PE files without their pack header are run instead, see `packed`",
        "resources that the packer left alone and hints of imports are not put back in PE files",
        "filters of other processors than x86; shared libraries, DOS programs and Mach-O",
    ],
};

const MAGIC: &[u8] = b"UPX!";
/// The most pack headers that are looked at.
const MAX_HEADERS: usize = 16;
