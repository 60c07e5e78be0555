//! Packets (RFC 9580, 4): a tag, then a body in one piece, in several, or up to the end.

use std::io::{self, Read};

use crate::cursor::{Cursor, Truncated};
use crate::decode::head;

/// What a packet is good for here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Compressed,
    Encrypted,
    Literal,
    /// Signatures, markers, padding.
    Other,
}

/// One packet.
#[derive(Clone)]
pub(super) struct Packet<'a> {
    pub(super) tag: Tag,
    pub(super) body: Body<'a>,
    number: u8,
}

/// Every packet up to the first that is none.
pub(super) fn packets(bytes: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut cursor = Cursor::new(bytes);
    std::iter::from_fn(move || Packet::read(&mut cursor))
}

/// Whether the object is a sequence of packets that make a message: the first of them is checked
/// closely, and the others must lead to the end.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let mut cursor = Cursor::new(bytes);
    let mut count = 0;
    let mut has_content = false;
    while count < SAMPLE && !cursor.is_empty() {
        let Some(packet) = Packet::read(&mut cursor) else { return false };
        // Encrypted data say nothing of themselves: something that names their key must precede.
        let is_lone = count == 0 && matches!(packet.number, 9 | 18 | 20);
        if is_lone || !packet.is_plausible() {
            return false;
        }
        has_content |= packet.tag != Tag::Other;
        count = u32::saturating_add(count, 1);
    }
    has_content
}

impl<'a> Packet<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let first = cursor.u8().ok().filter(|first| first & 0x80 != 0)?;
        let is_new = first & 0x40 != 0;
        let number = if is_new { first & 0x3f } else { first >> 2 & 0x0f };
        let tag = match number {
            1 | 3 | 9 | 18 | 20 => Tag::Encrypted,
            8 => Tag::Compressed,
            11 => Tag::Literal,
            2 | 4 | 10 | 19 | 21 => Tag::Other,
            _ => return None,
        };
        let length = if is_new { Length::read(cursor) } else { Length::read_old(cursor, first) };
        let body = Body::take(cursor, length.ok()?);
        Some(Self { tag, body, number })
    }

    /// Whether the body begins as that of such a packet must.
    fn is_plausible(&self) -> bool {
        let head = &*head(&mut self.body.clone(), 300);
        match (self.number, head) {
            (1, [3 | 6, ..]) | (3, [4..=6, 1..=13, ..]) | (2, [3..=6, ..]) | (4, [3 | 6, ..]) => {
                true
            }
            (8, [0..=3, rest @ ..]) => is_compressed(head, rest),
            (9, _) => head.len() >= 18,
            (10, rest) => rest == b"PGP",
            (11, [b'b' | b't' | b'u' | b'm' | b'l' | b'1', length, rest @ ..]) => {
                let name = rest.get(..usize::from(*length));
                name.is_some_and(|name| name.iter().all(|byte| *byte >= b' '))
            }
            (18, [1 | 2, ..]) | (19 | 21, _) | (20, [1, ..]) => true,
            _ => false,
        }
    }
}

/// Whether data of the method begins here.
fn is_compressed(head: &[u8], rest: &[u8]) -> bool {
    let mut first = [0];
    match head.first() {
        Some(1) => {
            let read = flate2::read::DeflateDecoder::new(rest).read(&mut first);
            matches!(read, Ok(1)) && first >= [0x80]
        }
        Some(2) => rest.first().is_some_and(|method| method & 0x0f == 8),
        Some(3) => rest.starts_with(b"BZh"),
        _ => rest.first().is_some_and(|tag| tag & 0x80 != 0),
    }
}

/// How long a body, or the next piece of one, is.
#[derive(Clone, Copy)]
enum Length {
    Known(u32),
    /// A piece, behind which there are others.
    Piece(u32),
    ToTheEnd,
}

impl Length {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(match cursor.u8()? {
            short @ ..192 => Self::Known(short.into()),
            high @ 192..224 => {
                let high = u32::from(high).saturating_sub(192) << 8;
                Self::Known(high.saturating_add(cursor.u8()?.into()).saturating_add(192))
            }
            piece @ 224..255 => Self::Piece(1 << (piece & 0x1f)),
            255 => Self::Known(cursor.u32_be()?),
        })
    }

    fn read_old(cursor: &mut Cursor<'_>, tag: u8) -> Result<Self, Truncated> {
        Ok(match tag & 3 {
            0 => Self::Known(cursor.u8()?.into()),
            1 => Self::Known(cursor.u16_be()?.into()),
            2 => Self::Known(cursor.u32_be()?),
            _ => Self::ToTheEnd,
        })
    }
}

/// What stands in a packet, without the lengths of its pieces.
#[derive(Clone)]
pub(super) struct Body<'a> {
    /// The current piece, as far as the object has it.
    piece: &'a [u8],
    /// Whether the object ends before the piece does.
    is_cut: bool,
    /// The pieces behind it.
    pieces: Option<Cursor<'a>>,
}

impl<'a> Body<'a> {
    /// Takes a body and leaves the cursor behind its last piece.
    fn take(cursor: &mut Cursor<'a>, length: Length) -> Self {
        let mut body = Self::piece(cursor, length);
        if matches!(length, Length::Piece(_)) {
            body.pieces = Some(cursor.clone());
            while let Ok(length) = Length::read(cursor) {
                Self::piece(cursor, length);
                if !matches!(length, Length::Piece(_)) {
                    break;
                }
            }
        }
        body
    }

    fn piece(cursor: &mut Cursor<'a>, length: Length) -> Self {
        let (Length::Known(length) | Length::Piece(length)) = length else {
            return Self { piece: cursor.take_up_to(u64::MAX), is_cut: false, pieces: None };
        };
        let piece = cursor.take_up_to(length.into());
        Self { piece, is_cut: (piece.len() as u64) < u64::from(length), pieces: None }
    }

    /// All that is left, if it is in one piece and complete.
    pub(super) fn whole(&self) -> Option<&'a [u8]> {
        (self.pieces.is_none() && !self.is_cut).then_some(self.piece)
    }
}

impl Read for Body<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !output.is_empty() {
            if self.is_cut {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some(mut cursor) = self.pieces.take() else { return Ok(0) };
            let cut = |_| io::Error::from(io::ErrorKind::UnexpectedEof);
            let length = Length::read(&mut cursor).map_err(cut)?;
            *self = Self::piece(&mut cursor, length);
            self.pieces = matches!(length, Length::Piece(_)).then_some(cursor);
        }
        self.piece.read(output)
    }
}

/// How many packets are looked at to recognise the format.
const SAMPLE: u32 = 16;
