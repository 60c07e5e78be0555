//! Compressed streams that may stand one behind the other in one object, as `gzip`, `bzip2` and
//! `xz` read them: together they are one.

use std::borrow::Cow;
use std::io::{self, Read};

use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::subject::Subject;
use crate::unpack::{Format, UnpackError};
use crate::verdict::Reason;

/// A decoder over borrowed bytes.
pub(crate) trait Stream<'a>: Read {
    /// What lies behind the stream, once it has been read to its end.
    fn rest(&self) -> &'a [u8];
}

/// How the streams of one format are found and opened.
pub(crate) struct Streams<'f, 'a, S> {
    /// Opens the stream at the start of the bytes; `Ok(None)` if there is none.
    pub(crate) open: &'f dyn Fn(&'a [u8]) -> Result<Option<S>, Reason>,
    /// What a stream begins with, to find the next one behind a damaged one.
    pub(crate) magic: &'static [u8],
}

impl<'a, S: Stream<'a>> Streams<'_, 'a, S> {
    /// Offers all streams of the object as one member and, if there are several, each by itself;
    /// then what lies behind the last one.
    pub(crate) fn unpack(
        &self,
        subject: &Subject<'a>,
        member: Member<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let mut all = Concatenated::new(self, bytes)?;
        children.stream(member.clone(), &mut all)?;
        let Concatenated { starts, rest, is_over, .. } = all;
        if starts.len() > 1 {
            for start in starts.iter().take(children.readings().into()) {
                let stream = (self.open)(bytes.get(*start..).unwrap_or_default());
                let Ok(Some(mut stream)) = stream else { continue };
                children.stream(numbered(*start), &mut stream)?;
            }
        }
        // Padding is part of several of these formats.
        if is_over && rest.iter().any(|byte| *byte != 0) {
            children.slice(numbered(bytes.len().saturating_sub(rest.len())), rest)?;
        }
        Ok(())
    }
}

/// A member that only its place gives a name.
fn numbered(offset: usize) -> Member<'static> {
    Member::named(format!("@{offset}").into_bytes())
}

/// All streams of an object, read as one.
struct Concatenated<'s, 'f, 'a, S> {
    streams: &'s Streams<'f, 'a, S>,
    bytes: &'a [u8],
    rest: &'a [u8],
    current: Option<S>,
    /// Where each stream begins.
    starts: Vec<usize>,
    /// What was wrong with a stream, told when all have been read.
    flaw: Option<io::Error>,
    /// Whether every stream has been read to its end.
    is_over: bool,
}

impl<'s, 'f, 'a, S: Stream<'a>> Concatenated<'s, 'f, 'a, S> {
    fn new(streams: &'s Streams<'f, 'a, S>, bytes: &'a [u8]) -> Result<Self, Reason> {
        Ok(Self {
            streams,
            bytes,
            rest: bytes,
            current: (streams.open)(bytes)?,
            starts: vec![0],
            flaw: None,
            is_over: false,
        })
    }

    /// Goes behind the stream that has just ended, and opens the next one if there is one.
    fn next(&mut self, ended: &S) {
        self.rest = ended.rest();
        let padding = self.rest.iter().take_while(|byte| **byte == 0).count();
        let next = self.rest.get(padding..).unwrap_or_default();
        if next.starts_with(self.streams.magic) {
            self.open(next);
        }
    }

    /// Looks for the next stream behind the beginning of a damaged one.
    fn recover(&mut self, error: io::Error) {
        self.flaw.get_or_insert(error);
        self.rest = &[];
        let from = self.starts.last().map_or(0, |start| start.saturating_add(1));
        let behind = self.bytes.get(from..).unwrap_or_default();
        if self.starts.len() >= RECOVERIES {
            return;
        }
        if let Some(at) = memchr::memmem::find(behind, self.streams.magic) {
            self.open(behind.get(at..).unwrap_or_default());
        }
    }

    fn open(&mut self, bytes: &'a [u8]) {
        match (self.streams.open)(bytes) {
            Ok(None) => {}
            Ok(stream) => {
                self.current = stream;
                self.starts.push(self.bytes.len().saturating_sub(bytes.len()));
            }
            Err(reason) => {
                self.flaw.get_or_insert(io::Error::other(reason));
            }
        }
    }
}

impl<'a, S: Stream<'a>> Read for Concatenated<'_, '_, 'a, S> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while let Some(mut stream) = self.current.take() {
            match stream.read(output) {
                Ok(0) => self.next(&stream),
                Ok(count) => {
                    self.current = Some(stream);
                    return Ok(count);
                }
                Err(error) => self.recover(error),
            }
        }
        self.is_over = true;
        self.flaw.take().map_or(Ok(0), Err)
    }
}

/// How many streams are read before a damaged one is the last.
const RECOVERIES: usize = 64;

/// The name of what a compressed object holds: `a.gz` holds `a`, `a.tgz` holds `a.tar`.
pub(crate) fn inner_name<'n>(format: &Format, name: &'n [u8]) -> Cow<'n, [u8]> {
    let split = memchr::memrchr(b'.', name).and_then(|dot| name.split_at_checked(dot));
    let Some((stem, extension)) = split else { return name.into() };
    let is_ours = |known: &&&str| {
        extension.get(1..).is_some_and(|extension| extension.eq_ignore_ascii_case(known.as_bytes()))
    };
    match format.extensions.iter().find(is_ours) {
        Some(known) if known.starts_with('t') => [stem, b".tar"].concat().into(),
        Some(_) if !stem.is_empty() => stem.into(),
        _ => name.into(),
    }
}

/// What lies behind the skippable frames at the start, which LZ4 and Zstandard have in common
/// (RFC 8878, 3.1.2).
pub(crate) fn behind_skippable(mut bytes: &[u8]) -> &[u8] {
    loop {
        let cursor = &mut Cursor::new(bytes);
        let (Ok(magic), Ok(size)) = (cursor.u32_le(), cursor.u32_le()) else { return bytes };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if magic & 0xffff_fff0 != 0x184d_2a50 || cursor.take(size).is_err() {
            return bytes;
        }
        bytes = cursor.rest();
    }
}
