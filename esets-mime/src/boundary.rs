//! Lines that may be delimiters of a multipart (RFC 2046, 5.1.1), found once for a whole message.

use crate::bytes::{
    Breaks, before_break, from, is_blank, line_end, slice, starts_with, trim, up_to,
};
use crate::defect::{Defect, Defects, Limit};
use crate::header;
use memchr::memmem;
use std::ops::Range;

/// Every line that starts with two hyphens.
#[derive(Debug)]
pub(crate) struct Delimiters<'a> {
    raw: &'a [u8],
    /// Where the hyphens stand.
    lines: Vec<usize>,
    /// Comparisons that may still be made: a multiple of the message, so that its time is linear.
    work: usize,
}

/// How surely a line is a delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// The boundary is only the start of what the line says.
    Prefix,
    /// Blanks are before it, or blanks and more text after it.
    Weak,
    /// Nothing else is on the line.
    Exact,
}

/// One delimiter of a multipart.
#[derive(Clone, Copy, Debug)]
struct Delimiter {
    /// Where its line starts, and where its hyphens stand.
    start: usize,
    hyphens: usize,
    closes: bool,
    strength: Strength,
}

/// How a body falls apart.
#[derive(Debug, Default)]
pub(crate) struct Division {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) closed: bool,
    pub(crate) parts_after_close: bool,
    /// There were more pieces than asked for; the last holds the rest.
    pub(crate) is_cut: bool,
}

impl Division {
    fn add(&mut self, piece: Piece) {
        let (Piece::After(range) | Piece::Before(range) | Piece::Part(range)) = &piece;
        if !range.is_empty() {
            self.pieces.push(piece);
        }
    }
}

/// A stretch between two delimiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Before(Range<usize>),
    Part(Range<usize>),
    After(Range<usize>),
}

impl<'a> Delimiters<'a> {
    pub(crate) fn find(raw: &'a [u8]) -> Self {
        let lines =
            memmem::find_iter(raw, b"--").filter(|&at| is_line_start(raw, blanks_before(raw, at)));
        Self { raw, lines: lines.collect(), work: raw.len().saturating_mul(8).max(1 << 20) }
    }

    /// The kinds of delimiters that `boundary` has within `range`, the surest first.
    pub(crate) fn strengths(
        &mut self,
        range: &Range<usize>,
        boundary: &[u8],
        defects: &mut Defects,
    ) -> Vec<Strength> {
        let mut all = vec![Strength::Exact, Strength::Weak, Strength::Prefix];
        let mut missing = all.clone();
        for delimiter in self.matching(range, boundary, defects) {
            missing.retain(|strength| *strength != delimiter.strength);
            if missing.is_empty() {
                break;
            }
        }
        all.retain(|strength| !missing.contains(strength));
        all
    }

    /// Divides `range` at the delimiters of `boundary` that are at least as sure as `strength`,
    /// into about `most` pieces at the most.
    pub(crate) fn divide(
        &mut self,
        range: &Range<usize>,
        (boundary, strength): (&[u8], Strength),
        most: usize,
        defects: &mut Defects,
    ) -> Division {
        let raw = up_to(self.raw, range.end);
        let mut division = Division::default();
        let mut start = range.start;
        let mut piece: fn(Range<usize>) -> Piece = Piece::Before;
        for delimiter in self.matching(range, boundary, defects).filter(|d| d.strength >= strength)
        {
            if division.pieces.len() > most {
                division.is_cut = true;
                break;
            }
            division.add(piece(start..before_break(raw, start, delimiter.start.max(start))));
            division.parts_after_close |= division.closed && !delimiter.closes;
            division.closed |= delimiter.closes;
            piece = if delimiter.closes { Piece::After } else { Piece::Part };
            start = line_end(raw, delimiter.hyphens, Breaks::Any).1;
        }
        division.add(piece(start..range.end));
        division
    }

    /// The last part up to a closing delimiter that stands at the end of its last line instead of
    /// in a line of its own.
    pub(crate) fn glued_end(&self, division: &Division, boundary: &[u8]) -> Option<Piece> {
        let Some(Piece::Part(range)) = division.pieces.last() else { return None };
        let part = slice(self.raw, range.clone()).trim_ascii_end();
        let content = part.strip_suffix(b"--")?.strip_suffix(boundary)?.strip_suffix(b"--")?;
        Some(Piece::Part(range.start..range.start.checked_add(content.len())?))
    }

    /// The boundary of a delimiter in `range` that a content field follows, if any does.
    pub(crate) fn guess(
        &mut self,
        range: &Range<usize>,
        defects: &mut Defects,
    ) -> Option<&'a [u8]> {
        if !self.may_compare(range, defects) {
            return None;
        }
        let raw = up_to(self.raw, range.end);
        self.within(range).iter().find_map(|&hyphens| {
            let (end, next) = line_end(raw, hyphens, Breaks::Any);
            let text = trim(slice(raw, hyphens.saturating_add(2)..end));
            let follows = from(raw, next);
            let blank = follows.iter().take_while(|b| matches!(b, b'\r' | b'\n')).take(4).count();
            let is_header = header::is_content_field(from(follows, blank));
            (is_header && text.len() <= LONGEST).then_some(text)
        })
    }

    /// Whether a field that gives a transfer encoding stands at the start of a line in `range`, and
    /// where the header around it starts.
    pub(crate) fn header_in_text(&self, range: &Range<usize>) -> Option<usize> {
        let text = slice(self.raw, range.clone());
        for colon in memmem::find_iter(text, b"coding:") {
            let start = colon.saturating_sub(b"content-transfer-en".len());
            if is_line_start(text, start)
                && starts_with(from(text, start), b"content-transfer-encoding:")
            {
                let before = up_to(text, start);
                let lf = memmem::rfind(before, b"\n\n").map_or(0, |at| at.saturating_add(2));
                let crlf = memmem::rfind(before, b"\r\n\r\n").map_or(0, |at| at.saturating_add(4));
                return Some(range.start.saturating_add(lf.max(crlf)));
            }
        }
        None
    }

    fn within(&self, range: &Range<usize>) -> &[usize] {
        let first = self.lines.partition_point(|&at| at < range.start);
        let end = self.lines.partition_point(|&at| at < range.end);
        self.lines.get(first..end).unwrap_or_default()
    }

    /// Charges the comparison of all lines in `range`; once that is refused, it always is.
    fn may_compare(&mut self, range: &Range<usize>, defects: &mut Defects) -> bool {
        let left = self.work.checked_sub(self.within(range).len().max(1));
        if left.is_none() {
            defects.add(Defect::Limit(Limit::Work));
        }
        self.work = left.unwrap_or(0);
        left.is_some()
    }

    fn matching<'s>(
        &'s mut self,
        range: &'s Range<usize>,
        boundary: &'s [u8],
        defects: &mut Defects,
    ) -> impl Iterator<Item = Delimiter> + use<'s, 'a> {
        let lines = if self.may_compare(range, defects) { self.within(range) } else { &[] };
        let raw = up_to(self.raw, range.end);
        lines.iter().filter_map(move |&hyphens| compare(raw, hyphens, boundary))
    }
}

fn compare(raw: &[u8], hyphens: usize, boundary: &[u8]) -> Option<Delimiter> {
    let text = from(raw, hyphens.saturating_add(2));
    let after = text.strip_prefix(boundary)?;
    let (end, _) = line_end(after, 0, Breaks::Any);
    let after = up_to(after, end);
    let closing = after.strip_prefix(b"--");
    let rest = closing.unwrap_or(after);
    let start = blanks_before(raw, hyphens);
    let strength = match rest.first() {
        Some(&b) if !is_blank(b) && b != 0 => Strength::Prefix,
        _ if trim(rest).is_empty() && start == hyphens => Strength::Exact,
        _ => Strength::Weak,
    };
    Some(Delimiter { start, hyphens, closes: closing.is_some(), strength })
}

/// Where the blanks start that end at `at`.
fn blanks_before(raw: &[u8], at: usize) -> usize {
    let blanks =
        up_to(raw, at).iter().rev().take(MOST_BLANKS).take_while(|&&b| is_blank(b)).count();
    at.saturating_sub(blanks)
}

fn is_line_start(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|at| text.get(at)).is_none_or(|b| matches!(b, b'\r' | b'\n'))
}

/// Bytes of a boundary that is guessed; a declared one has 70 at most.
const LONGEST: usize = 200;
/// Blanks before a delimiter; the bound keeps a text of blanks and hyphens linear.
const MOST_BLANKS: usize = 64;
