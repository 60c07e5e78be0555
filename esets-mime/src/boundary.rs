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
    lines: Vec<Line>,
    /// Comparisons that may still be made: a multiple of the message, so that its time is linear.
    work: usize,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    start: usize,
    /// Where the hyphens stand: after blanks, if that differs from the start.
    hyphens: usize,
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
    line: Line,
    closes: bool,
    strength: Strength,
}

/// How a body falls apart.
#[derive(Debug, Default)]
pub(crate) struct Division {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) closed: bool,
    pub(crate) parts_after_close: bool,
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
        let mut lines = Vec::new();
        let mut last = 0;
        for hyphens in memmem::find_iter(raw, b"--") {
            let blanks = slice(raw, last..hyphens)
                .iter()
                .rev()
                .take_while(|&&b| is_blank(b))
                .count();
            let start = hyphens.saturating_sub(blanks);
            let before = start.checked_sub(1).and_then(|at| raw.get(at));
            if before.is_none_or(|b| matches!(b, b'\r' | b'\n')) {
                lines.push(Line { start, hyphens });
            }
            last = hyphens;
        }
        Self {
            raw,
            lines,
            work: raw.len().saturating_mul(16).max(1 << 20),
        }
    }

    /// The kinds of delimiters that `boundary` has within `range`, the surest first.
    pub(crate) fn strengths(
        &mut self,
        range: &Range<usize>,
        boundary: &[u8],
        defects: &mut Defects,
    ) -> Vec<Strength> {
        let found = self.matching(range, boundary, Strength::Prefix, defects);
        let mut all = vec![Strength::Exact, Strength::Weak, Strength::Prefix];
        all.retain(|&strength| found.iter().any(|d| d.strength == strength));
        all
    }

    /// Divides `range` at the delimiters of `boundary` that are at least as sure as `strength`.
    pub(crate) fn divide(
        &mut self,
        range: &Range<usize>,
        boundary: &[u8],
        strength: Strength,
        defects: &mut Defects,
    ) -> Division {
        let found = self.matching(range, boundary, strength, defects);
        let mut division = Division::default();
        let mut start = range.start;
        let mut piece: fn(Range<usize>) -> Piece = Piece::Before;
        for delimiter in found {
            let end = before_break(self.raw, start, delimiter.line.start.max(start));
            division.pieces.push(piece(start..end));
            division.parts_after_close |= division.closed && !delimiter.closes;
            division.closed |= delimiter.closes;
            piece = if delimiter.closes {
                Piece::After
            } else {
                Piece::Part
            };
            start = line_end(
                up_to(self.raw, range.end),
                delimiter.line.hyphens,
                Breaks::Any,
            )
            .1;
        }
        division.pieces.push(piece(start..range.end));
        division
    }

    /// The boundary of a delimiter in `range` that a content field follows, if any does.
    pub(crate) fn guess(&self, range: &Range<usize>) -> Option<&'a [u8]> {
        let raw = up_to(self.raw, range.end);
        self.within(range).iter().find_map(|line| {
            let (end, next) = line_end(raw, line.hyphens, Breaks::Any);
            let text = trim(slice(raw, line.hyphens.saturating_add(2)..end));
            let follows = from(raw, next);
            let blank = follows
                .iter()
                .take_while(|b| matches!(b, b'\r' | b'\n'))
                .take(4)
                .count();
            let is_header = header::is_content_field(from(follows, blank));
            (is_header && !text.is_empty() && text.len() <= LONGEST).then_some(text)
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

    fn within(&self, range: &Range<usize>) -> &[Line] {
        let first = self.lines.partition_point(|line| line.start < range.start);
        let end = self.lines.partition_point(|line| line.start < range.end);
        self.lines.get(first..end).unwrap_or_default()
    }

    fn matching(
        &mut self,
        range: &Range<usize>,
        boundary: &[u8],
        strength: Strength,
        defects: &mut Defects,
    ) -> Vec<Delimiter> {
        let lines = self.within(range).len();
        let Some(left) = self.work.checked_sub(lines) else {
            defects.add(Defect::Limit(Limit::Work));
            return Vec::new();
        };
        self.work = left;
        let raw = up_to(self.raw, range.end);
        let compare = |line: &Line| compare(raw, *line, boundary);
        self.within(range)
            .iter()
            .filter_map(compare)
            .filter(|d| d.strength >= strength)
            .collect()
    }
}

fn compare(raw: &[u8], line: Line, boundary: &[u8]) -> Option<Delimiter> {
    let text = from(raw, line.hyphens.saturating_add(2));
    let after = text.strip_prefix(boundary)?;
    let (end, _) = line_end(after, 0, Breaks::Any);
    let after = up_to(after, end);
    let closing = after.strip_prefix(b"--");
    let rest = closing.unwrap_or(after);
    let strength = match rest.first() {
        Some(&b) if !is_blank(b) && b != 0 => Strength::Prefix,
        _ if trim(rest).is_empty() && line.start == line.hyphens => Strength::Exact,
        _ => Strength::Weak,
    };
    Some(Delimiter {
        line,
        closes: closing.is_some(),
        strength,
    })
}

fn is_line_start(text: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|at| text.get(at))
        .is_none_or(|b| matches!(b, b'\r' | b'\n'))
}

/// Bytes of a boundary that is guessed; a declared one has 70 at most.
const LONGEST: usize = 200;
