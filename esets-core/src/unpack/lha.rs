//! LHA and LZH archives, header levels 0 to 3, members decoded by delharc (header.doc.txt of LHa
//! for UNIX).

use delharc::LhaHeader;
use delharc::decode::DecoderAny;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Checked, Lzh, Stated, Sum};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Lha;

impl Unpacker for Lha {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        begins(subject.bytes())
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let _lease = children.lease(TABLES)?;
        let mut cursor = Cursor::new(subject.bytes());
        let mut losses = 0;
        while !cursor.is_empty() {
            let start = cursor.clone();
            match LhaHeader::read(&mut cursor) {
                Ok(Some(header)) => entry(&header, &mut cursor, children)?,
                Ok(None) => break,
                Err(_) => {
                    children.not_scanned(damage(&start));
                    losses = u32::saturating_add(losses, 1);
                    match next_header(start).filter(|_| losses < MAX_LOSSES) {
                        Some(next) => cursor = next,
                        None => return Ok(()),
                    }
                }
            }
        }
        Ok(children.behind(&cursor)?)
    }
}

fn entry(
    header: &LhaHeader,
    cursor: &mut Cursor<'_>,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let data = cursor.take_up_to(header.compressed_size);
    if header.is_directory() {
        return Ok(());
    }
    let member = Member {
        packed_size: Some(header.compressed_size),
        size: Some(header.original_size),
        ..Member::named(name(header))
    };
    let Ok(method) = header.compression_method() else {
        let method = String::from_utf8_lossy(&header.compression).into_owned();
        return Ok(children.skip(member, Reason::Unsupported(method.into()))?);
    };
    let decoder = DecoderAny::new_from_compression(method, data);
    let stated = Stated { size: Some(header.original_size), sum: Sum::Crc16(header.file_crc) };
    let mut reader = Checked::new(Lzh::new(decoder, header.original_size), stated);
    Ok(children.stream(member, &mut reader)?)
}

/// The name with its directory, from wherever the level of the header puts them.
fn name(header: &LhaHeader) -> Vec<u8> {
    let (mut directory, mut file) = (Vec::new(), header.filename.to_vec());
    for extra in header.iter_extra() {
        match extra.split_first() {
            Some((0x01, name)) => file = name.to_vec(),
            Some((0x02, name)) => directory = name.to_vec(),
            _ => {}
        }
    }
    directory.extend_from_slice(&file);
    // Directories are set off by 0xff, lest a second byte of Shift JIS be taken for a slash.
    directory.iter().map(|byte| if *byte == 0xff { b'/' } else { *byte }).collect()
}

fn damage(at: &Cursor<'_>) -> Reason {
    if begins(at.rest()) && at.rest().len() < LEAST { Reason::Truncated } else { DAMAGE }
}

/// The next header behind the start of a damaged one.
fn next_header(mut from: Cursor<'_>) -> Option<Cursor<'_>> {
    from.u8().ok()?;
    loop {
        let rest = from.rest();
        let mark = memchr::memmem::find(rest.get(2..)?, b"-l")?;
        from.take_up_to(mark as u64);
        if begins(from.rest()) {
            return Some(from);
        }
        from.u8().ok()?;
    }
}

/// Whether a header begins here: a method between hyphens, and a level.
fn begins(bytes: &[u8]) -> bool {
    let method = bytes.get(2..7).unwrap_or_default();
    let is_known = FORMAT.magic.iter().any(|magic| magic.bytes == method);
    is_known && bytes.get(20).is_none_or(|level| *level <= 3)
}

const DAMAGE: Reason = Reason::corrupt("header");
/// The smallest header.
const LEAST: usize = 22;
/// How many damaged headers are passed over.
const MAX_LOSSES: u32 = 64;
/// Windows and tables of any method.
const TABLES: u64 = 1 << 20;

static FORMAT: Format = Format {
    name: "lha",
    about: "LHA or LZH archive",
    extensions: &["lzh", "lha", "lzs", "pma"],
    magic: &[
        Magic::at(2, b"-lh0-"),
        Magic::at(2, b"-lh1-"),
        Magic::at(2, b"-lh2-"),
        Magic::at(2, b"-lh3-"),
        Magic::at(2, b"-lh4-"),
        Magic::at(2, b"-lh5-"),
        Magic::at(2, b"-lh6-"),
        Magic::at(2, b"-lh7-"),
        Magic::at(2, b"-lhd-"),
        Magic::at(2, b"-lhx-"),
        Magic::at(2, b"-lz4-"),
        Magic::at(2, b"-lz5-"),
        Magic::at(2, b"-lzs-"),
        Magic::at(2, b"-pm0-"),
        Magic::at(2, b"-pm1-"),
        Magic::at(2, b"-pm2-"),
    ],
    specification: &["LHa for UNIX, header.doc.txt"],
    limitations: &["the methods lh2 and lh3, which no release of LHA wrote, are not decoded"],
};
