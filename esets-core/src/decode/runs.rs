//! Files in the image of a file system: run by run, as their tables say where they lie.

use std::iter::{self, Peekable};

use super::{Extent, Extents};
use crate::budget::Stop;
use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::verdict::Reason;

/// A stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// So many zeros, which the image does not store.
    Hole(u64),
    /// `length` bytes at the offset `at` of the image.
    Stored { at: u64, length: u64 },
}

impl Run {
    /// How many bytes of the file it holds.
    pub(crate) fn length(self) -> u64 {
        match self {
            Self::Hole(length) | Self::Stored { length, .. } => length,
        }
    }

    /// The first `limit` bytes of it.
    pub(crate) fn up_to(self, limit: u64) -> Self {
        match self {
            Self::Hole(length) => Self::Hole(length.min(limit)),
            Self::Stored { at, length } => Self::Stored { at, length: length.min(limit) },
        }
    }

    /// What is behind the first `count` bytes of it.
    pub(crate) fn behind(self, count: u64) -> Self {
        match self {
            Self::Hole(length) => Self::Hole(length.saturating_sub(count)),
            Self::Stored { at, length } => {
                Self::Stored { at: at.saturating_add(count), length: length.saturating_sub(count) }
            }
        }
    }
}

/// Offers a file of `size` bytes: as it is if it lies in one piece, else joined. A reason among
/// the runs, their end before the file's and the end of the image are said of the member.
pub(crate) fn offer_runs(
    image: &[u8],
    runs: impl Iterator<Item = Result<Run, Reason>>,
    size: u64,
    member: Member<'_>,
    children: &mut Children<'_>,
) -> Result<(), Stop> {
    let mut extents = extents(image, runs, size);
    match extents.next() {
        None => children.slice(member, b""),
        Some(Ok(Extent::Bytes(whole))) if whole.len() as u64 == size => {
            children.slice(member, whole)
        }
        first => {
            children.stream(member, &mut Extents::new(iter::once(first).flatten().chain(extents)))
        }
    }
}

/// What the runs of a file of `size` bytes stand for, neighbours as one.
pub(crate) fn extents<I: Iterator<Item = Result<Run, Reason>>>(
    image: &[u8],
    runs: I,
    size: u64,
) -> impl Iterator<Item = Result<Extent<'_>, Reason>> + use<'_, I> {
    let mut file = File { image, runs: runs.peekable(), left: size, is_cut: false };
    iter::from_fn(move || file.next())
}

/// The runs of a file that was written up to `length`; what is behind reads as zeros.
pub(crate) fn written<I: Iterator<Item = Result<Run, Reason>>>(
    runs: I,
    length: u64,
) -> impl Iterator<Item = Result<Run, Reason>> + use<I> {
    let mut left = length;
    let runs = runs.map_while(move |run| {
        let Ok(run) = run else { return Some(run) };
        let run = run.up_to(left);
        left = left.saturating_sub(run.length());
        (run.length() > 0).then_some(Ok(run))
    });
    runs.chain([Ok(Run::Hole(u64::MAX))])
}

struct File<'a, I: Iterator> {
    image: &'a [u8],
    runs: Peekable<I>,
    /// How much of the file is still to come.
    left: u64,
    /// Whether the image ended inside the last extent.
    is_cut: bool,
}

impl<'a, I: Iterator<Item = Result<Run, Reason>>> File<'a, I> {
    fn next(&mut self) -> Option<Result<Extent<'a>, Reason>> {
        if self.is_cut {
            return self.end(Reason::Truncated);
        }
        if self.left == 0 {
            return None;
        }
        match self.runs.next() {
            None => self.end(Reason::corrupt("extents of a file")),
            Some(Err(reason)) => self.end(reason),
            Some(Ok(Run::Hole(length))) => {
                let length = length.min(self.left);
                self.left = self.left.saturating_sub(length);
                Some(Ok(Extent::Zeros(length)))
            }
            Some(Ok(Run::Stored { at, length })) => {
                let length = self.joined(at, length).min(self.left);
                self.left = self.left.saturating_sub(length);
                let bytes = Cursor::at(self.image, at).map(|mut rest| rest.take_up_to(length));
                let bytes = bytes.unwrap_or_default();
                self.is_cut = (bytes.len() as u64) < length;
                Some(Ok(Extent::Bytes(bytes)))
            }
        }
    }

    /// How long the run is with those that continue it, as far as the file and the image go.
    fn joined(&mut self, at: u64, length: u64) -> u64 {
        let room = self.left.min((self.image.len() as u64).saturating_sub(at));
        let mut length = length;
        while length < room {
            let end = at.saturating_add(length);
            let continues = |run: &Result<Run, Reason>| matches!(run, Ok(Run::Stored { at, length: 1.. }) if *at == end);
            let Some(Ok(more)) = self.runs.next_if(continues) else { break };
            length = length.saturating_add(more.length());
        }
        length
    }

    fn end(&mut self, reason: Reason) -> Option<Result<Extent<'a>, Reason>> {
        self.left = 0;
        self.is_cut = false;
        Some(Err(reason))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn read(runs: &[Run], size: u64) -> (Vec<u8>, Option<Reason>) {
        let runs = runs.iter().map(|run| Ok(*run));
        let mut content = Vec::new();
        let outcome = io::copy(&mut Extents::new(extents(b"abcdefgh", runs, size)), &mut content);
        (content, outcome.err().map(|error| Reason::from_io(&error)))
    }

    #[test]
    fn runs_are_cut_at_the_size_of_the_file() {
        let runs =
            [Run::Stored { at: 6, length: 2 }, Run::Hole(1), Run::Stored { at: 0, length: 9 }];
        assert_eq!(read(&runs, 5), (b"gh\0ab".to_vec(), None));
    }

    #[test]
    fn neighbours_are_one_extent() {
        let runs = [Run::Stored { at: 1, length: 2 }, Run::Stored { at: 3, length: 2 }];
        let mut extents = extents(b"abcdefgh", runs.iter().map(|run| Ok(*run)), 4);
        assert!(matches!(extents.next(), Some(Ok(Extent::Bytes(b"bcde")))));
        assert!(extents.next().is_none());
    }

    #[test]
    fn what_is_not_there_is_said_behind_what_is() {
        let runs = [Run::Stored { at: 6, length: 4 }];
        assert_eq!(read(&runs, 4), (b"gh".to_vec(), Some(Reason::Truncated)));
        assert_eq!(read(&runs[..0], 4), (vec![], Some(Reason::corrupt("extents of a file"))));
    }
}
