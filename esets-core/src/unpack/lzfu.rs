//! Compressed RTF of Outlook messages: \[MS-OXRTFCP\].

use std::io;

use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::Bytewise;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, Magic, UnpackError, Unpacker};

/// The RTF.
pub(super) struct LzFu;

static FORMAT: Format = Format {
    name: "lzfu",
    about: "compressed RTF of a message",
    extensions: &[],
    magic: &[Magic::at(8, b"LZFu"), Magic::at(8, b"MELA")],
    specification: &["[MS-OXRTFCP]: Rich Text Format (RTF) Compression Algorithm"],
    limitations: &["the checksum is not verified"],
};

impl Unpacker for LzFu {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut fields = Cursor::new(subject.bytes());
        fields.u32_le()?; // compressed size
        let size = fields.u32_le()?.into();
        let is_stored = fields.array()? == *b"MELA";
        fields.u32_le()?; // checksum
        let member = Member { size: Some(size), ..Member::from("body.rtf") };
        if is_stored {
            let content = fields.take_up_to(size);
            children.slice(member, content)?;
            if (content.len() as u64) < size {
                return Err(Reason::Truncated.into());
            }
        } else {
            children.stream(member, &mut Decoder::reader(fields.rest()))?;
        }
        Ok(())
    }
}

/// Copies from a ring of 4 KiB that starts with the words of every RTF.
struct Decoder<'a> {
    input: &'a [u8],
    ring: [u8; RING],
    at: usize,
    flags: u8,
    flags_left: u8,
    copy: (usize, u8),
    is_over: bool,
}

impl<'a> Decoder<'a> {
    fn reader(input: &'a [u8]) -> Bytewise<Self> {
        let mut ring = [0; RING];
        ring.iter_mut().zip(DICTIONARY).for_each(|(to, from)| *to = *from);
        let at = DICTIONARY.len();
        let (copy, is_over) = ((0, 0), false);
        Bytewise::new(Self { input, ring, at, flags: 0, flags_left: 0, copy, is_over })
    }

    /// The next byte, or `None` at the end.
    fn byte(&mut self) -> Result<Option<u8>, Reason> {
        let byte = match self.copy {
            (from, left @ 1..) => {
                self.copy = (from.wrapping_add(1) & MASK, left.saturating_sub(1));
                self.ring.get(from).copied().unwrap_or_default()
            }
            _ if self.is_over => return Ok(None),
            _ => match self.token()? {
                Some(literal) => literal,
                None => return self.next_copied(),
            },
        };
        if let Some(slot) = self.ring.get_mut(self.at) {
            *slot = byte;
        }
        self.at = self.at.wrapping_add(1) & MASK;
        Ok(Some(byte))
    }

    /// The first byte of a copy that was just begun: every copy has at least two.
    fn next_copied(&mut self) -> Result<Option<u8>, Reason> {
        if self.is_over { Ok(None) } else { self.byte() }
    }

    /// A literal, or `None` after the start of a copy or the end.
    fn token(&mut self) -> Result<Option<u8>, Reason> {
        if self.flags_left == 0 {
            self.flags = self.take()?;
            self.flags_left = 8;
        }
        let is_copy = self.flags & 1 != 0;
        self.flags >>= 1;
        self.flags_left = self.flags_left.saturating_sub(1);
        if !is_copy {
            return self.take().map(Some);
        }
        let token = u16::from_be_bytes([self.take()?, self.take()?]);
        let from = usize::from(token >> 4);
        if from == self.at {
            self.is_over = true;
        } else {
            self.copy = (from, u8::try_from(token & 0xF).unwrap_or(0).saturating_add(2));
        }
        Ok(None)
    }

    fn take(&mut self) -> Result<u8, Reason> {
        let (first, rest) = self.input.split_first().ok_or(Reason::Truncated)?;
        self.input = rest;
        Ok(*first)
    }
}

impl Iterator for Decoder<'_> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        self.byte().map_err(io::Error::other).transpose()
    }
}

const RING: usize = 4096;
const MASK: usize = RING - 1;
/// What the ring holds at the start: \[MS-OXRTFCP\] 2.1.3.1.1.
const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \
    \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier\
    {\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const _: () = assert!(DICTIONARY.len() == 207);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::head;

    // The examples of [MS-OXRTFCP] 3.1 and 3.2, behind their headers.
    #[test]
    fn decodes_the_examples() {
        let packed = b"\x03\x00\x0a\x00\x72\x63\x70\x67\x31\x32\x35\x42\x32\x0a\xf3\x20\x68\x65\
            \x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a\x80\x0f\xa0";
        let text = head(&mut Decoder::reader(packed), 1000);
        assert_eq!(
            String::from_utf8_lossy(&text),
            "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
        );
        let packed = b"\x41\x00\x04\x20\x57\x58\x59\x5a\x0d\x6e\x7d\x01\x0e\xb0";
        let text = head(&mut Decoder::reader(packed), 1000);
        assert_eq!(String::from_utf8_lossy(&text), "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
    }
}
