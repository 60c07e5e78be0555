//! lzip, as in the manual of lzip, "File format".

use lzma_rust2::LzipReader;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::inner_name;
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Lzip;

impl Unpacker for Lzip {
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
        let mut cursor = Cursor::at(subject.bytes(), SIZE_AT)?;
        let _lease = children.lease(dictionary(cursor.u8()?))?;
        let mut reader = LzipReader::new(Cursor::new(subject.bytes()));
        let member = Member::named(inner_name(&FORMAT, subject.name()));
        Ok(children.stream(member, &mut reader)?)
    }
}

/// The size of the dictionary: a power of two, less up to seven sixteenths of it.
fn dictionary(code: u8) -> u64 {
    let base = 1_u64 << (code & 31);
    let fraction = base / 16;
    base.saturating_sub(fraction.saturating_mul(u64::from(code >> 5)))
}

const SIZE_AT: u64 = 5;

static FORMAT: Format = Format {
    name: "lzip",
    about: "lzip compressed data",
    extensions: &["lz", "tlz"],
    magic: &[Magic::start(b"LZIP\x01")],
    specification: &["lzip manual, File format"],
    limitations: &["version 0, which lzip itself no longer reads"],
};
