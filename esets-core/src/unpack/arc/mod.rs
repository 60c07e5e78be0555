//! ARC archives of System Enhancement Associates, and PAK (ARC 5.21 for UNIX, Arcinfo).

mod rle;
mod squeeze;

use std::io::Read;

use self::rle::Rle;
use self::squeeze::Squeezed;
use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Checked, Codes, Lzw, Stated, Sum};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Arc;

impl Unpacker for Arc {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        begins(subject.bytes())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let _lease = children.lease(TABLES)?;
        let cursor = &mut Cursor::new(subject.bytes());
        while let Some(header) = Header::read(cursor)? {
            let data = cursor.take_up_to(header.packed.into());
            header.offer(data, children)?;
            if data.len() < usize::try_from(header.packed).unwrap_or(usize::MAX) {
                return Err(Reason::Truncated.into());
            }
        }
        Ok(children.behind(cursor)?)
    }
}

/// Whether two headers, or one and an end, stand where they must.
fn begins(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let Ok(Some(header)) = Header::read(&mut cursor) else { return false };
    let is_text = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ' || *byte >= 0x80;
    if header.name.is_empty() || !header.name.iter().all(is_text) {
        return false;
    }
    cursor.take_up_to(header.packed.into());
    matches!(cursor.rest(), [] | [MARK] | [MARK, 0..=MAX_METHOD, ..])
}

/// What stands before the data of a member.
struct Header<'a> {
    method: u8,
    name: &'a [u8],
    packed: u32,
    size: u32,
    crc: u16,
}

impl<'a> Header<'a> {
    /// Reads a header; `Ok(None)` at the end of the archive.
    fn read(cursor: &mut Cursor<'a>) -> Result<Option<Self>, Reason> {
        if cursor.u8()? != MARK {
            return Err(Reason::corrupt("header"));
        }
        let method = cursor.u8()?;
        if method == 0 {
            return Ok(None);
        }
        if method > MAX_METHOD {
            return Err(Reason::corrupt("header"));
        }
        let name = cursor.take(13)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let packed = cursor.u32_le()?;
        cursor.take(4)?; // date, time
        let crc = cursor.u16_le()?;
        let size = if method == 1 { packed } else { cursor.u32_le()? };
        Ok(Some(Self { method, name, packed, size, crc }))
    }

    fn member(&self) -> Member<'a> {
        let (packed_size, size) = (Some(self.packed.into()), Some(self.size.into()));
        Member { packed_size, size, ..Member::named(self.name) }
    }

    fn offer(&self, data: &[u8], children: &mut Children<'_>) -> Result<(), UnpackError> {
        let plain = match self.open(data) {
            Ok(plain) => plain,
            Err(reason) => {
                return match self.decrypted(data, children)? {
                    Some(data) => Ok(children.stream(self.member(), &mut self.open(&data)?)?),
                    None => Ok(children.skip(self.member(), reason)?),
                };
            }
        };
        // Nothing says that a member is encrypted; its checksum fails.
        let has_password = children.passwords().next().is_some();
        let is_wrong = has_password && !self.is_right(data);
        let decrypted = if is_wrong { self.decrypted(data, children)? } else { None };
        match decrypted {
            Some(data) => Ok(children.stream(self.member(), &mut self.open(&data)?)?),
            None => Ok(children.stream(self.member(), &mut { plain })?),
        }
    }

    fn is_right(&self, data: &[u8]) -> bool {
        self.open(data).is_ok_and(Checked::ends_right)
    }

    /// The data under the first password that makes the checksum right.
    fn decrypted(
        &self,
        data: &[u8],
        children: &mut Children<'_>,
    ) -> Result<Option<Vec<u8>>, Reason> {
        let _lease = children.lease(data.len() as u64)?;
        let words = children.passwords().filter(|password| !password.is_empty());
        // Most versions of ARC take a password for upper-case letters.
        let mut passwords = words.flat_map(|word| [word.to_vec(), word.to_ascii_uppercase()]);
        Ok(passwords.find_map(|password| {
            let key = password.iter().cycle();
            let data: Vec<u8> = data.iter().zip(key).map(|(byte, key)| byte ^ key).collect();
            self.is_right(&data).then_some(data)
        }))
    }

    fn open<'d>(&self, data: &'d [u8]) -> Result<Checked<Box<dyn Read + 'd>>, Reason> {
        let reader: Box<dyn Read + 'd> = match self.method {
            1 | 2 => Box::new(data),
            3 => Box::new(Rle::reader(data)),
            4 => Box::new(Rle::reader(Squeezed::reader(data)?)),
            8 => match data.split_first() {
                Some((&WIDTH, codes)) => Box::new(Rle::reader(Lzw::reader(
                    codes,
                    Codes::of_compress(WIDTH.into(), true),
                ))),
                Some(_) => return Err(Reason::Encrypted),
                None => return Err(Truncated.into()),
            },
            9 => Box::new(Lzw::reader(data, Codes::of_compress(13, true))),
            5..=7 => return Err(Reason::unsupported("crunching of ARC before 5.0")),
            _ => return Err(Reason::unsupported("ARC method")),
        };
        let stated = Stated { size: Some(self.size.into()), sum: Sum::Crc16(self.crc) };
        Ok(Checked::new(reader, stated))
    }
}

const MARK: u8 = 0x1a;
/// Distilling, of PAK 2.
const MAX_METHOD: u8 = 11;
/// The code width that a crunched member begins with; every ARC writes this one.
const WIDTH: u8 = 12;
const TABLES: u64 = 1 << 20;

static FORMAT: Format = Format {
    name: "arc",
    about: "ARC archive",
    extensions: &["arc", "ark", "pak"],
    magic: &[],
    specification: &["ARC 5.21, Arcinfo"],
    limitations: &[
        "members that ARC before 5.0 crunched (methods 5 to 7) are not decoded",
        "PAK's methods crushing and distilling (10 and 11) are not decoded",
        "an encrypted member shows in nothing but its checksum, unless it is crunched",
    ],
};
