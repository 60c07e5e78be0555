//! RTF: the objects and pictures in it, decoded from their digits. Rich Text Format 1.9.1.

use std::borrow::Cow;

use bytes::Bytes;
use memchr::memmem;

use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

/// Everything that is written in hexadecimal digits or as binary data.
pub(super) struct Rtf;

static FORMAT: Format = Format {
    name: "rtf",
    about: "Rich Text Format document",
    extensions: &["rtf", "doc"],
    magic: &[Magic::start(b"{\\rt")],
    specification: &["Rich Text Format (RTF) Specification, version 1.9.1", "[MS-OLEDS] 2.2"],
    limitations: &["the text is not taken out of its markup"],
};

impl Unpacker for Rtf {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    /// Word opens a document behind white space too.
    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let head = subject.bytes().get(..MAX_SPACE).unwrap_or(subject.bytes());
        FORMAT.matches(head.trim_ascii_start())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let _lease = children.lease((bytes.len() as u64).saturating_mul(3))?;
        let mut reader = Reader::new(bytes);
        while let Some(run) = reader.next_run() {
            offer(run, children)?;
        }
        let end = reader.end.ok_or(Reason::Truncated)?;
        let behind = bytes.get(end..).unwrap_or_default();
        if behind.iter().any(|byte| !byte.is_ascii_whitespace() && *byte != 0) {
            children.slice("(behind the document)", behind.trim_ascii_start())?;
        }
        Ok(())
    }
}

/// Offers what a destination holds, and the data in it if it is an object of OLE 1.0.
fn offer(run: Run, children: &mut Children<'_>) -> Result<(), UnpackError> {
    let name = format!("{}@{}", run.kind.name(), run.offset);
    let data = Bytes::from(run.data);
    if run.kind == Kind::Object {
        let mut rest = Cursor::new(&data);
        while let Ok(object) = Ole1::read(&mut rest) {
            let class = object.class.split(|byte| *byte == 0).next().unwrap_or_default();
            let is_package = class.eq_ignore_ascii_case(b"package");
            // What a compound file would have under this name: the size, then the data.
            let name = match class {
                _ if is_package => Cow::Owned([name.as_bytes(), b"/\x01Ole10Native"].concat()),
                class => Cow::Owned([name.as_bytes(), b"/", class].concat()),
            };
            let from = if is_package { object.sized } else { object.native };
            let _lease = children.lease(from.len() as u64)?;
            children.owned(Member::named(name), data.slice_ref(from))?;
        }
    }
    if let Some(at) = memmem::find(data.get(1..).unwrap_or_default(), COMPOUND) {
        // The data of an object whose header is none; viewers are lenient about it.
        let name = format!("{name}/compound");
        children.owned(name.as_str(), data.slice(at.saturating_add(1)..))?;
    }
    children.owned(name.as_str(), data)?;
    Ok(())
}

/// An embedded object: \[MS-OLEDS\] 2.2.5.
struct Ole1<'a> {
    class: &'a [u8],
    /// The data, and the data with their size before them.
    native: &'a [u8],
    sized: &'a [u8],
}

impl<'a> Ole1<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Truncated> {
        cursor.u32_le()?; // version, which nobody looks at
        let kind = cursor.u32_le()?;
        if kind != EMBEDDED && kind != PRESENTATION {
            return Err(Truncated);
        }
        let class = string(cursor)?;
        if kind == EMBEDDED {
            string(cursor)?; // topic
            string(cursor)?; // item
        } else {
            cursor.take(8)?; // width, height
        }
        let sized = cursor.rest();
        let size = cursor.u32_le()?;
        let native = cursor.take_up_to(size.into());
        let sized = sized.get(..native.len().saturating_add(4)).unwrap_or(sized);
        Ok(Self { class, native, sized })
    }
}

/// A string behind its length, a NUL at its end.
fn string<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Truncated> {
    let length = cursor.u32_le()?;
    cursor.take(usize::try_from(length).unwrap_or(usize::MAX))
}

/// What a destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Data,
    Object,
    Picture,
}

impl Kind {
    /// What a control word opens.
    fn of(word: &[u8]) -> Option<Self> {
        match word {
            b"objdata" => Some(Self::Object),
            b"pict" => Some(Self::Picture),
            b"datastore" | b"themedata" | b"colorschememapping" | b"datafield" | b"fontemb" => {
                Some(Self::Data)
            }
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Object => "object",
            Self::Picture => "picture",
        }
    }
}

/// What one destination holds.
#[derive(Debug)]
struct Run {
    kind: Kind,
    offset: usize,
    /// The depth of groups at which it began.
    depth: u64,
    data: Vec<u8>,
    /// A digit that waits for its second one.
    high: Option<u8>,
}

impl Run {
    fn digit(&mut self, byte: u8) {
        let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let Some(digit) = digit else { return };
        match self.high.take() {
            Some(high) => self.data.push(high << 4 | digit),
            None => self.high = Some(digit),
        }
    }
}

/// Goes through a document once.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u64,
    run: Option<Run>,
    /// Where the document is over. Reading goes on, because not every viewer ends there.
    end: Option<usize>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, run: None, end: None }
    }

    /// The next destination that holds anything.
    fn next_run(&mut self) -> Option<Run> {
        loop {
            let Some(byte) = self.bytes.get(self.at).copied() else { return full(self.run.take()) };
            self.at = self.at.saturating_add(1);
            let ended = match byte {
                b'{' => {
                    self.depth = self.depth.saturating_add(1);
                    None
                }
                b'}' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.end.get_or_insert(self.at);
                    }
                    self.run.take_if(|run| self.depth < run.depth)
                }
                b'\\' => self.control(),
                _ => {
                    if let Some(run) = &mut self.run {
                        run.digit(byte);
                    }
                    None
                }
            };
            if let Some(run) = full(ended) {
                return Some(run);
            }
        }
    }

    /// A control word or symbol; the destination that it ends by opening another.
    fn control(&mut self) -> Option<Run> {
        let offset = self.at.saturating_sub(1);
        let word = self.take_while(u8::is_ascii_alphabetic);
        if word.is_empty() {
            self.symbol();
            return None;
        }
        let number = self.number();
        if self.bytes.get(self.at) == Some(&b' ') {
            self.at = self.at.saturating_add(1);
        }
        if word == b"bin" {
            self.binary(number);
            return None;
        }
        let kind = Kind::of(word)?;
        let run = Run { kind, offset, depth: self.depth, data: Vec::new(), high: None };
        self.run.replace(run)
    }

    /// A control symbol: one character, and two digits behind an apostrophe.
    fn symbol(&mut self) {
        let count = if self.bytes.get(self.at) == Some(&b'\'') { 3 } else { 1 };
        self.at = self.at.saturating_add(count);
        // Word forgets the first digit of a byte that such a character splits.
        if count == 3
            && let Some(run) = &mut self.run
        {
            run.high = None;
        }
    }

    fn number(&mut self) -> u64 {
        let is_negative = self.bytes.get(self.at) == Some(&b'-');
        if is_negative {
            self.at = self.at.saturating_add(1);
        }
        let digits = self.take_while(u8::is_ascii_digit);
        let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        number.filter(|_| !is_negative).unwrap_or(0)
    }

    /// Bytes as they are.
    fn binary(&mut self, count: u64) {
        let mut cursor = Cursor::new(self.bytes.get(self.at..).unwrap_or_default());
        let data = cursor.take_up_to(count);
        self.at = self.at.saturating_add(data.len());
        if let Some(run) = &mut self.run {
            run.data.extend_from_slice(data);
        }
    }

    fn take_while(&mut self, is_in: impl Fn(&u8) -> bool) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| is_in(byte)).count();
        self.at = self.at.saturating_add(count);
        rest.get(..count).unwrap_or_default()
    }
}

/// A destination that holds something.
fn full(run: Option<Run>) -> Option<Run> {
    run.filter(|run| !run.data.is_empty())
}

/// White space that may stand in front.
const MAX_SPACE: usize = 256;
/// Formats of objects.
const EMBEDDED: u32 = 2;
const PRESENTATION: u32 = 5;
/// What compound files begin with.
const COMPOUND: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(bytes: &[u8]) -> Vec<(Kind, Vec<u8>)> {
        let mut reader = Reader::new(bytes);
        std::iter::from_fn(|| reader.next_run()).map(|run| (run.kind, run.data)).collect()
    }

    #[test]
    fn digits_are_read_through_noise() {
        let found = runs(
            br"{\rtf1{\objdata 4{\*\x12 }1 \par
4 2{{4}3}\bin2 {}44}{\pict 45}}",
        );
        let object = (Kind::Object, b"ABC{}D".to_vec());
        assert_eq!(found, [object, (Kind::Picture, b"E".to_vec())]);
    }

    #[test]
    fn an_open_end_is_read() {
        assert_eq!(runs(br"{\rtf1{\objdata 414"), [(Kind::Object, b"A".to_vec())]);
    }
}
