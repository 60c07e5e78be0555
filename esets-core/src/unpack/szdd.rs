//! SZDD, what Microsoft's COMPRESS.EXE writes (`setup.ex_`).

use std::io::Read as _;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::Lzss;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Szdd;

impl Unpacker for Szdd {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let cursor = &mut Cursor::at(subject.bytes(), 8)?;
        let is_basic = subject.bytes().starts_with(BASIC);
        let mut last = 0;
        if !is_basic {
            cursor.take(1)?; // the mode, always 'A'
            last = cursor.u8()?;
        }
        let size = u64::from(cursor.u32_le()?);
        let start = if is_basic { 4096 - 18 } else { 4096 - 16 };
        let mut reader = Lzss::new(cursor.rest(), start).take(size);
        let name = full_name(subject.name(), last);
        let member = Member { size: Some(size), ..Member::named(name) };
        children.stream(member, &mut reader)?;
        if reader.limit() > 0 {
            return Err(Reason::Truncated.into());
        }
        Ok(())
    }
}

/// The name with its last character in the place of the `_` that stands for it.
fn full_name(name: &[u8], last: u8) -> Vec<u8> {
    match name.split_last() {
        Some((b'_', stem)) if last != 0 => [stem, &[last]].concat(),
        _ => name.to_vec(),
    }
}

/// The header of QBasic's installer.
const BASIC: &[u8] = b"SZ \x88\xf0\x27\x33\xd1";

static FORMAT: Format = Format {
    name: "szdd",
    about: "Microsoft COMPRESS.EXE data, SZDD",
    extensions: &["ex_", "dl_"],
    magic: &[Magic::start(b"SZDD\x88\xf0\x27\x33"), Magic::start(BASIC)],
    specification: &["libmspack, SZDD file format"],
    limitations: &[],
};
