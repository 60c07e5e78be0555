//! Compiled scripts of AutoIt 3 and AutoHotkey, and the files that they install (myAutToExe and
//! the unpacker of Binary Refinery; there is no specification).

mod cipher;
mod packed;
mod script;

use std::io::{self, Read};

use self::packed::Packed;
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Failing, head, utf16_le, whole};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct AutoIt;

impl Unpacker for AutoIt {
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
        let cursor = &mut Cursor::at(subject.bytes(), 20)?;
        let version = if cursor.array()? == *b"EA06" { &EA06 } else { &EA05 };
        let phrase = cursor.take(16)?.iter().map(|byte| u32::from(*byte)).sum();
        let mut count = 0;
        while cursor.rest().starts_with(&version.mark) {
            cursor.take(4)?;
            record(cursor, version, phrase, children)?;
            count = u32::saturating_add(count, 1);
        }
        // The end says once more what it is.
        match cursor.rest().strip_prefix(b"AU3!") {
            Some([_, _, _, _, ..]) => cursor.take(8)?,
            _ if cursor.rest().len() < 8 => return Err(Reason::Truncated.into()),
            _ => return Err(Reason::corrupt("record").into()),
        };
        if count == 0 {
            return Err(Reason::corrupt("record").into());
        }
        Ok(children.behind(cursor)?)
    }
}

/// What differs between the two versions.
struct Version {
    /// What each record begins with: the mixed word `FILE`.
    mark: [u8; 4],
    is_current: bool,
    /// What the length of a text is mixed with, and what the seed for the text adds to it.
    kind: (u32, u32),
    path: (u32, u32),
    sizes: u32,
    data: u32,
}

impl Version {
    fn plain(&self, data: &[u8], seed: u32) -> Vec<u8> {
        if self.is_current { cipher::ranrot(data, seed) } else { cipher::mersenne(data, seed) }
    }

    /// A text of a record, as UTF-8 if it is in UTF-16.
    fn text(&self, cursor: &mut Cursor<'_>, keys: (u32, u32)) -> Result<Vec<u8>, Truncated> {
        let (mask, seed) = keys;
        let length = cursor.u32_le()? ^ mask;
        let unit = if self.is_current { 2 } else { 1 };
        let bytes = usize::try_from(length).ok().and_then(|length| length.checked_mul(unit));
        let bytes = cursor.take(bytes.filter(|bytes| *bytes <= MOST_TEXT).ok_or(Truncated)?)?;
        let plain = self.plain(bytes, length.wrapping_add(seed));
        Ok(if self.is_current { utf16_le(&plain).into_bytes() } else { plain })
    }
}

/// Offers what one record holds.
fn record(
    cursor: &mut Cursor<'_>,
    version: &Version,
    phrase: u32,
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let (kind, path) = (version.text(cursor, version.kind)?, version.text(cursor, version.path)?);
    let is_packed = cursor.u8()? != 0;
    let size = cursor.u32_le()? ^ version.sizes;
    cursor.take(24)?; // unpacked size, checksum, times
    let data = cursor.take_up_to(size.into());
    if size == 0 {
        return Ok(());
    }
    let _plain = children.lease((data.len() as u64).saturating_add(WINDOW))?;
    let plain = decipher(data, version, phrase);
    let is_script = kind.windows(SCRIPT.len()).any(|part| part == SCRIPT);
    let name = if is_script || path.is_empty() { kind.clone() } else { path };
    let packed_size = Some(size.into());
    let member = Member { packed_size, ..Member::named(name) };
    let open = || opened(&plain, is_packed, data.len(), size.into());
    children.stream(member, &mut open()?)?;
    if is_script && version.is_current && !kind.windows(7).any(|part| part == b"UNICODE") {
        tokens(&mut open()?, children)?;
    }
    Ok(())
}

/// Offers the text of a script of tokens.
fn tokens(reader: &mut dyn Read, children: &mut Children<'_>) -> Result<(), UnpackError> {
    let _tokens = children.lease(MOST_TOKENS.saturating_mul(8))?;
    let tokens = head(reader, usize::try_from(MOST_TOKENS).unwrap_or(usize::MAX));
    let (text, flaw) = script::text(&tokens);
    let member = Member::named(&b"script.au3"[..]);
    match flaw {
        None => children.owned(member, text.into())?,
        Some(reason) => {
            let rest = Failing::new(io::Error::other(reason));
            children.stream(member, &mut text.chain(rest))?;
        }
    }
    Ok(())
}

/// The data of a record; version EA05 mixes it with the passphrase too.
fn decipher(data: &[u8], version: &Version, phrase: u32) -> Vec<u8> {
    if version.is_current {
        return version.plain(data, version.data);
    }
    let (seed, without) = (version.data.wrapping_add(phrase), version.data.wrapping_add(NO_PHRASE));
    let head = data.get(..4).unwrap_or(data);
    let fits = |seed| version.plain(head, seed) == b"EA05";
    version.plain(data, if !fits(seed) && fits(without) { without } else { seed })
}

/// A reader of a record's content.
fn opened<'a>(
    plain: &'a [u8],
    is_packed: bool,
    length: usize,
    stated: u64,
) -> Result<Box<dyn Read + 'a>, UnpackError> {
    if !is_packed {
        return Ok(whole(plain, length, stated));
    }
    let cursor = &mut Cursor::new(plain);
    let literal = match &cursor.array()? {
        b"EA06" => 1,
        b"EA05" => 0,
        _ if (length as u64) < stated => return Err(Reason::Truncated.into()),
        _ => return Err(Reason::corrupt("packed data").into()),
    };
    let size = cursor.u32_be()?;
    Ok(Box::new(Packed::reader(cursor.rest(), literal, size)))
}

static EA05: Version = Version {
    mark: [0xff, 0x6d, 0xb0, 0xce],
    is_current: false,
    kind: (0x29bc, 0xa25e),
    path: (0x29ac, 0xf25e),
    sizes: 0x45aa,
    data: 0x22af,
};

static EA06: Version = Version {
    mark: [0x6b, 0x43, 0xca, 0x52],
    is_current: true,
    kind: (0xadbc, 0xb33f),
    path: (0xf820, 0xf479),
    sizes: 0x87bc,
    data: 0x2477,
};

const SCRIPT: &[u8] = b" SCRIPT<";
/// The sum of the MD5 digest of no passphrase.
const NO_PHRASE: u32 = 0x849;
const MOST_TEXT: usize = 4096;
/// How much of a script is written out as text.
const MOST_TOKENS: u64 = 8 << 20;
/// The memory of the decoder.
const WINDOW: u64 = 64 << 10;

static FORMAT: Format = Format {
    name: "autoit",
    about: "Compiled AutoIt script",
    extensions: &["a3x"],
    magic: &[Magic::at(16, b"AU3!EA05"), Magic::at(16, b"AU3!EA06")],
    specification: &["myAutToExe 2.12", "Binary Refinery, units/formats/a3x"],
    limitations: &[
        "checksums of files are not checked",
        "scripts of AutoIt before 3.2 (JB00, JB01) are not opened",
    ],
};
