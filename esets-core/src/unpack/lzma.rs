//! LZMA alone, the `.lzma` files of LZMA Utils and the LZMA SDK.

use lzma_rust2::{LzmaReader, lzma_get_memory_usage_by_props as memory_usage};

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::inner_name;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Lzma;

impl Unpacker for Lzma {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        Header::read(&mut Cursor::new(subject.bytes())).is_ok_and(|header| header.is_likely())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let header = Header::read(&mut Cursor::new(subject.bytes()))?;
        let memory = memory_usage(header.dictionary, header.properties);
        let memory = memory.map_err(|_| Reason::corrupt("header"))?;
        let _lease = children.lease(u64::from(memory) << 10)?;
        let reader = LzmaReader::new_mem_limit(Cursor::new(subject.bytes()), u32::MAX, None);
        let mut reader = reader?;
        // What comes before an error is scanned too.
        reader.set_defer_errors(true);
        let member =
            Member { size: header.size, ..Member::named(inner_name(&FORMAT, subject.name())) };
        Ok(children.stream(member, &mut reader)?)
    }
}

/// The 13 bytes before the compressed data, and the first byte of that.
struct Header {
    properties: u8,
    dictionary: u32,
    size: Option<u64>,
    first: u8,
}

impl Header {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            properties: cursor.u8()?,
            dictionary: cursor.u32_le()?,
            size: Some(cursor.u64_le()?).filter(|size| *size != u64::MAX),
            first: cursor.u8()?,
        })
    }

    /// There is no magic: what encoders write must do, as file(1) and the LZMA Utils judge it.
    fn is_likely(&self) -> bool {
        let is_round = |size: u32| size.is_power_of_two();
        let thirds = self.dictionary / 3;
        let is_usual = is_round(self.dictionary)
            || (is_round(thirds) && self.dictionary.is_multiple_of(3))
            || self.dictionary == u32::MAX;
        self.properties <= 224
            && self.dictionary >= 1 << 12
            && is_usual
            && self.size.is_none_or(|size| size < 1 << 38)
            && self.first == 0
    }
}

static FORMAT: Format = Format {
    name: "lzma",
    about: "LZMA compressed data without a container",
    extensions: &["lzma", "tlz"],
    magic: &[],
    specification: &["LZMA SDK, lzma-specification.txt"],
    limitations: &["streams whose dictionary size no encoder writes are not recognised"],
};
