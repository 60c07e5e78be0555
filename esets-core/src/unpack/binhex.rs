//! BinHex 4.0 (RFC 1741): a Macintosh file, both its forks, as text.

use std::io::{self, Read};

use esets_mime::looks_like_message;
use memchr::memmem;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::decode::{Bytewise, crc16};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct BinHex;

impl Unpacker for BinHex {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// The texts of a message are left to the unpacker of messages.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let mut files = files(subject.bytes());
        files.any(|file| Header::read(&mut Letters::decoder(file)).is_ok())
            && !looks_like_message(subject.bytes())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        for file in files(subject.bytes()) {
            let decoder = &mut Letters::decoder(file);
            let Ok(header) = Header::read(decoder) else { continue };
            if !header.is_intact {
                children.defect("checksum of the BinHex header");
            }
            children.stream(Member::named(&*header.name), &mut Fork::new(decoder, header.data))?;
            if header.resource > 0 {
                let name = [&header.name, &b"/rsrc"[..]].concat();
                children.stream(Member::named(name), &mut Fork::new(decoder, header.resource))?;
            }
        }
        Ok(())
    }
}

/// What stands behind each announcement and the colon that opens the data.
fn files(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    memmem::find_iter(text, MARK).filter_map(|at| {
        let line = text.get(at..)?;
        let behind = line.get(memchr::memchr2(b'\r', b'\n', line)?..)?;
        behind.trim_ascii_start().strip_prefix(b":")
    })
}

/// What the data begins with.
struct Header {
    name: Vec<u8>,
    data: u32,
    resource: u32,
    /// Whether its checksum is right.
    is_intact: bool,
}

impl Header {
    fn read(decoder: &mut Decoder<'_>) -> io::Result<Self> {
        let length = read(decoder, 1)?;
        let name = read(decoder, length.first().copied().unwrap_or(0).into())?;
        let rest = read(decoder, 1 + 4 + 4 + 2 + 8)?;
        let sum = read(decoder, 2)?;
        let crc = crc16(crc16(crc16(0, &length), &name), &rest);
        let number = |at: usize| {
            let bytes = rest.get(at..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
        };
        Ok(Self {
            data: number(11),
            resource: number(15),
            is_intact: crc.to_be_bytes() == *sum,
            name,
        })
    }
}

fn read(decoder: &mut Decoder<'_>, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    decoder.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// One fork and the checksum behind it.
struct Fork<'d, 'a> {
    decoder: &'d mut Decoder<'a>,
    left: u32,
    crc: u16,
    has_ended: bool,
}

impl<'d, 'a> Fork<'d, 'a> {
    fn new(decoder: &'d mut Decoder<'a>, length: u32) -> Self {
        Self { decoder, left: length, crc: 0, has_ended: false }
    }

    fn close(&mut self) -> io::Result<()> {
        let sum = read(self.decoder, 2)?;
        self.has_ended = true;
        if *sum == self.crc.to_be_bytes() {
            return Ok(());
        }
        Err(io::Error::other(Reason::corrupt("checksum")))
    }
}

impl Read for Fork<'_, '_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.has_ended && !output.is_empty() {
            self.close()?;
        }
        let room = output.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let output = output.get_mut(..room).unwrap_or_default();
        let count = self.decoder.read(output)?;
        if count == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.crc = crc16(self.crc, output.get(..count).unwrap_or_default());
        self.left = self.left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(count)
    }
}

/// Reads what the letters stand for.
type Decoder<'a> = Bytewise<Letters<'a>>;

/// Six bits a letter, then runs of bytes: byte, 0x90, how often.
struct Letters<'a> {
    letters: &'a [u8],
    bits: u32,
    /// How many of the lowest bits are not used up.
    held: u32,
    last: u8,
    repeat: u8,
}

impl<'a> Letters<'a> {
    fn decoder(letters: &'a [u8]) -> Decoder<'a> {
        Bytewise::new(Self { letters, bits: 0, held: 0, last: 0, repeat: 0 })
    }

    /// The next byte before runs are expanded; `None` at the colon that ends the data.
    fn packed(&mut self) -> io::Result<Option<u8>> {
        while self.held < 8 {
            let Some((letter, rest)) = self.letters.split_first() else { return Ok(None) };
            if *letter == b':' {
                return Ok(None);
            }
            self.letters = rest;
            if letter.is_ascii_whitespace() {
                continue;
            }
            let value = ALPHABET.iter().position(|known| known == letter);
            let value = value.and_then(|value| u32::try_from(value).ok());
            let value = value.ok_or(io::Error::other(Reason::corrupt("letter of BinHex")))?;
            self.bits = (self.bits << 6 | value) & 0xffff;
            self.held = self.held.saturating_add(6);
        }
        self.held = self.held.saturating_sub(8);
        Ok((self.bits >> self.held).to_le_bytes().first().copied())
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(left) = self.repeat.checked_sub(1) {
                self.repeat = left;
                return Ok(Some(self.last));
            }
            let Some(byte) = self.packed()? else { return Ok(None) };
            if byte != RUN {
                self.last = byte;
                return Ok(Some(byte));
            }
            match self.packed()? {
                None => return Ok(None),
                Some(0) => {
                    self.last = RUN;
                    return Ok(Some(RUN));
                }
                Some(count) => self.repeat = count.saturating_sub(1),
            }
        }
    }
}

impl Iterator for Letters<'_> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        self.byte().transpose()
    }
}

const RUN: u8 = 0x90;
const ALPHABET: &[u8; 64] = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
/// Some programs end the sentence in words of their own.
const MARK: &[u8] = b"(This file must be converted";

static FORMAT: Format = Format {
    name: "binhex",
    about: "BinHex 4.0, a Macintosh file as text",
    extensions: &["hqx"],
    magic: &[],
    specification: &["RFC 1741"],
    limitations: &[],
};
