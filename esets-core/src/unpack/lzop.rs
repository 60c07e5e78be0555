//! lzop, as written by lzop 1.04.

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Blockwise, NextBlock, inner_name, lzo1x};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Lzop;

impl Unpacker for Lzop {
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
        let _lease = children.lease(u64::from(MAX_BLOCK))?;
        let mut cursor = Cursor::new(subject.bytes());
        while FORMAT.matches(cursor.rest()) {
            let header = Header::read(&mut cursor)?;
            let member = Member::named(match header.name {
                b"" => inner_name(&FORMAT, subject.name()),
                name => name.into(),
            });
            let mut blocks = Blockwise::new(Blocks { cursor: cursor.clone(), header });
            children.stream(member, &mut blocks)?;
            cursor = blocks.source().cursor.clone();
        }
        Ok(())
    }
}

/// What stands before the blocks.
struct Header<'a> {
    name: &'a [u8],
    /// How many checksums a block has, of what it holds and of how it is packed.
    checksums: usize,
    packed_checksums: usize,
}

impl<'a> Header<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reason> {
        cursor.take(9)?; // magic
        let version = cursor.u16_be()?;
        cursor.take(2)?; // version of the library
        if version >= 0x0940 {
            cursor.take(2)?; // version needed
        }
        let method = cursor.u8()?;
        if !(1..=3).contains(&method) {
            return Err(Reason::unsupported("a method other than LZO1X"));
        }
        if version >= 0x0940 {
            cursor.take(1)?; // level
        }
        let flags = cursor.u32_be()?;
        if flags & FILTER != 0 {
            return Err(Reason::unsupported("filters"));
        }
        cursor.take(if version >= 0x0940 { 12 } else { 8 })?; // mode, time
        let length = cursor.u8()?;
        let name = cursor.take(length.into())?;
        cursor.take(4)?; // checksum of the header
        if flags & EXTRA != 0 {
            let length = cursor.u32_be()?;
            cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
            cursor.take(4)?;
        }
        let count = |mask: u32| usize::try_from((flags & mask).count_ones()).unwrap_or_default();
        Ok(Self { name, checksums: count(PLAIN_SUMS), packed_checksums: count(PACKED_SUMS) })
    }
}

/// The blocks of one file.
struct Blocks<'a> {
    cursor: Cursor<'a>,
    header: Header<'a>,
}

impl NextBlock for Blocks<'_> {
    fn next_block(&mut self, block: &mut Vec<u8>) -> Result<bool, Reason> {
        let cursor = &mut self.cursor;
        let size = cursor.u32_be()?;
        if size == 0 {
            return Ok(false);
        }
        let packed_size = cursor.u32_be()?;
        if size > MAX_BLOCK || packed_size > size {
            return Err(Reason::corrupt("block size"));
        }
        cursor.take(self.header.checksums.saturating_mul(4))?;
        if packed_size < size {
            cursor.take(self.header.packed_checksums.saturating_mul(4))?;
        }
        let packed = cursor.take(usize::try_from(packed_size).unwrap_or(usize::MAX))?;
        *block = if packed_size == size {
            packed.to_vec()
        } else {
            lzo1x(packed, usize::try_from(size).unwrap_or_default())?
        };
        Ok(true)
    }
}

/// Adler-32 and CRC-32 of the unpacked data, and of the packed.
const PLAIN_SUMS: u32 = 0x0000_0101;
const PACKED_SUMS: u32 = 0x0000_0202;
const EXTRA: u32 = 0x0000_0040;
const FILTER: u32 = 0x0000_0800;
const MAX_BLOCK: u32 = 64 << 20;

static FORMAT: Format = Format {
    name: "lzop",
    about: "lzop compressed data",
    extensions: &["lzo", "tzo"],
    magic: &[Magic::start(b"\x89LZO\x00\x0d\x0a\x1a\x0a")],
    specification: &["lzop 1.04, its source", "Linux, Documentation/staging/lzo.rst"],
    limitations: &["filters", "checksums are not checked"],
};
