//! ARJ archives (ARJ technical information, technote.txt of ARJ 2.x).

mod fastest;
mod header;

use std::borrow::Cow;
use std::io::{self, Read};

use delharc::decode::Lh7Decoder;

use self::fastest::Fastest;
use self::header::{Header, MAIN, MARK};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::{Checked, Lzh, Stated, Sum};
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Arj;

impl Unpacker for Arj {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        header::is_main(subject.bytes())
    }

    fn carved_by(&self) -> &'static [Magic] {
        &CARVED
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let _lease = children.lease(TABLES)?;
        let mut archive =
            Archive { cursor: Cursor::new(subject.bytes()), has_ended: false, losses: 0 };
        while let Some(entry) = archive.next(children)? {
            archive.offer(entry, children)?;
        }
        if !archive.has_ended {
            children.not_scanned(Reason::Truncated);
        }
        Ok(children.behind(&archive.cursor)?)
    }
}

/// A walk through the volumes, which lie one behind the other.
#[derive(Clone)]
struct Archive<'a> {
    cursor: Cursor<'a>,
    /// Whether the end of a volume has been read, and nothing since.
    has_ended: bool,
    losses: u32,
}

type Entry<'a> = (Header<'a>, &'a [u8]);

impl<'a> Archive<'a> {
    /// The next member, past main headers, ends of volumes and damage.
    fn next(&mut self, children: &mut Children<'_>) -> Result<Option<Entry<'a>>, UnpackError> {
        while self.cursor.rest().starts_with(&MARK) {
            let start = self.cursor.clone();
            self.has_ended = false;
            match Header::read(&mut self.cursor) {
                Ok(None) => self.has_ended = true,
                Ok(Some(header)) if header.kind == MAIN => {}
                Ok(Some(header)) => {
                    let data = self.cursor.take_up_to(header.packed.into());
                    return Ok(Some((header, data)));
                }
                Err(reason) => {
                    children.not_scanned(reason);
                    self.losses = self.losses.saturating_add(1);
                    match next_header(start).filter(|_| self.losses < MAX_LOSSES) {
                        Some(next) => self.cursor = next,
                        None => self.cursor = Cursor::default(),
                    }
                }
            }
        }
        Ok(None)
    }

    /// Offers a member, together with its pieces in the volumes behind.
    fn offer(&mut self, first: Entry<'a>, children: &mut Children<'_>) -> Result<(), UnpackError> {
        if is_folder(&first.0) {
            return Ok(());
        }
        let member = first.0.member();
        let mut goes_on = first.0.goes_on();
        let mut pieces = vec![first];
        while goes_on {
            let mut ahead = self.clone();
            match ahead.next(children)? {
                Some(piece) if piece.0.is_continuation() => {
                    goes_on = piece.0.goes_on();
                    pieces.push(piece);
                    *self = ahead;
                }
                _ => break,
            }
        }
        let size = pieces.iter().map(|(_, data)| data.len() as u64).sum();
        let _lease = children.lease(if member.encrypted { size } else { 0 })?;
        let Some(data) = plain(&pieces, children) else {
            return Ok(children.skip(member, Reason::Encrypted)?);
        };
        let rest = pieces.iter().zip(&data);
        Ok(children.stream(member, &mut Pieces { rest, current: None, goes_on })?)
    }
}

type Piece<'p, 'a> = (&'p Entry<'a>, &'p Cow<'a, [u8]>);

/// The data of all pieces, under the first password that makes a checksum right if they are
/// garbled; `None` if none does.
fn plain<'a>(pieces: &[Entry<'a>], children: &Children<'_>) -> Option<Vec<Cow<'a, [u8]>>> {
    let (header, data) = pieces.first()?;
    if !header.is_garbled() {
        return Some(pieces.iter().map(|(_, data)| Cow::Borrowed(*data)).collect());
    }
    let mut passwords = children.passwords().filter(|password| !password.is_empty());
    let password = passwords.find(|password| {
        let data = ungarbled(data, password, header.modifier);
        open(header, &data).is_ok_and(Checked::ends_right)
    })?;
    let all = pieces.iter().map(|(header, data)| ungarbled(data, password, header.modifier));
    Some(all.map(Cow::Owned).collect())
}

fn ungarbled(data: &[u8], password: &[u8], modifier: u8) -> Vec<u8> {
    let key = password.iter().map(|byte| byte.wrapping_add(modifier)).cycle();
    data.iter().zip(key).map(|(byte, key)| byte ^ key).collect()
}

fn open<'d>(header: &Header<'_>, data: &'d [u8]) -> Result<Checked<Box<dyn Read + 'd>>, Reason> {
    let size = u64::from(header.size);
    let reader: Box<dyn Read + 'd> = match header.method {
        0 => Box::new(data),
        1..=3 => Box::new(Lzh::new(Lh7Decoder::new(data), size)),
        4 => Box::new(Fastest::new(data)),
        _ => return Err(Reason::unsupported("ARJ method")),
    };
    Ok(Checked::new(reader, Stated { size: Some(size), sum: Sum::Crc32(header.crc) }))
}

/// The pieces of a member, each packed by itself, read as one.
struct Pieces<'p, I> {
    rest: I,
    current: Option<Checked<Box<dyn Read + 'p>>>,
    /// Whether the last piece is not there.
    goes_on: bool,
}

impl<'p, 'a: 'p, I: Iterator<Item = Piece<'p, 'a>>> Read for Pieces<'p, I> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(current) = &mut self.current {
                let count = current.read(output)?;
                if count > 0 || output.is_empty() {
                    return Ok(count);
                }
                self.current = None;
            }
            match self.rest.next() {
                Some(((header, _), data)) => {
                    self.current = Some(open(header, data).map_err(io::Error::other)?);
                }
                None if self.goes_on => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => return Ok(0),
            }
        }
    }
}

/// Whether the member is a directory or the label of a disk.
fn is_folder(header: &Header<'_>) -> bool {
    matches!(header.kind, 3 | 4)
}

/// The next header behind the start of a damaged one.
fn next_header(mut from: Cursor<'_>) -> Option<Cursor<'_>> {
    loop {
        from.u8().ok()?;
        from.take_up_to(memchr::memmem::find(from.rest(), &MARK)? as u64);
        if Header::read(&mut from.clone()).is_ok_and(|header| header.is_some()) {
            return Some(from);
        }
    }
}

/// How many damaged headers are passed over.
const MAX_LOSSES: u32 = 64;
/// Windows and tables of any method.
const TABLES: u64 = 256 << 10;

/// The mark and the size of the header, which is seldom 128 or more: four bytes, because two are
/// all too common in other data.
#[expect(clippy::indexing_slicing, reason = "an index past the end does not compile")]
static CARVED: [Magic; 96] = {
    let mut magics = [const { Magic::start(b"") }; 96];
    let mut place = 0;
    while place < 96 {
        magics[place] = Magic::start(&MARKS[place]);
        place += 1;
    }
    magics
};

#[expect(clippy::indexing_slicing, reason = "an index past the end does not compile")]
static MARKS: [[u8; 4]; 96] = {
    let mut marks = [[MARK[0], MARK[1], 32, 0]; 96];
    let mut place = 0_u8;
    while place < 96 {
        marks[place as usize][2] += place;
        place += 1;
    }
    marks
};

static FORMAT: Format = Format {
    name: "arj",
    about: "ARJ archive",
    extensions: &["arj", "a01"],
    magic: &[],
    specification: &["ARJ technical information, technote.txt of ARJ 2.86"],
    limitations: &[
        "members encrypted with GOST 28147-89 (ARJCRYPT) are not decrypted",
        "chapters are members like others, each version of a file one",
    ],
};
