//! Header fields (RFC 5322, 2.2), with every place where a reader may think that the header ends.

use crate::bytes::{Breaks, from, is_blank, line_end, slice, starts_with, trim, up_to};
use crate::defect::{Defect, Defects, Limit};
use crate::field::Field;
use crate::limits::Limits;
use memchr::memchr;
use std::ops::Range;

/// What the top of an entity holds.
#[derive(Debug, Default)]
pub(crate) struct Header<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    /// Where the body starts: the most likely reading first, each once.
    pub(crate) bodies: Vec<usize>,
}

/// Reads the header at the start of `range`, in every way that matters.
pub(crate) fn read<'a>(
    raw: &'a [u8],
    range: Range<usize>,
    limits: &Limits,
    defects: &mut Defects,
) -> Header<'a> {
    let mut walk = Walk::new(raw, range.clone(), Breaks::Any, limits);
    walk.run(defects);
    let mut header = Header { bodies: walk.bodies(defects), fields: walk.fields };
    let first = header.bodies.iter().copied().max().unwrap_or(range.start);
    let top = slice(raw, range.start..first);
    if memchr(0, top).is_some() {
        defects.add(Defect::NulInHeader);
    }
    if has_bare_return(top) {
        defects.add(Defect::BareCarriageReturn);
        let mut walk = Walk::new(raw, range, Breaks::LineFeed, limits);
        walk.run(&mut Defects::default());
        // The other reading is another only if there are lines for it.
        if memchr(b'\n', top).is_some() {
            header.bodies.extend(walk.bodies(&mut Defects::default()));
            let split =
                |field: &Field| describes_content(field) && memchr(b'\r', field.value).is_some();
            header.fields.extend(walk.fields.into_iter().filter(split));
        }
    }
    let mut seen = Vec::new();
    header.bodies.retain(|start| {
        !seen.contains(start) && {
            seen.push(*start);
            true
        }
    });
    header
}

/// Whether `text` starts like a header that says what follows: used where none should be.
pub(crate) fn is_content_field(text: &[u8]) -> bool {
    let text = up_to(text, 80);
    let (end, _) = line_end(text, 0, Breaks::Any);
    starts_with(text, b"content-") && memchr(b':', up_to(text, end)).is_some()
}

fn describes_content(field: &Field<'_>) -> bool {
    CONTENT.iter().any(|name| field.is(name))
}

fn has_bare_return(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', text)
        .any(|at| from(text, at.saturating_add(1)).first() != Some(&b'\n'))
}

/// One pass over the lines of a header.
struct Walk<'a, 'l> {
    raw: &'a [u8],
    range: Range<usize>,
    breaks: Breaks,
    limits: &'l Limits,
    fields: Vec<Field<'a>>,
    /// After the empty line.
    end: Option<usize>,
    /// Where the first line that is no field starts, and whether any field is before it.
    junk: Option<usize>,
    junk_is_first: bool,
    /// After the first line of white space only.
    blank: Option<usize>,
}

impl<'a, 'l> Walk<'a, 'l> {
    fn new(raw: &'a [u8], range: Range<usize>, breaks: Breaks, limits: &'l Limits) -> Self {
        let raw = up_to(raw, range.end);
        Self {
            raw,
            range,
            breaks,
            limits,
            fields: Vec::new(),
            end: None,
            junk: None,
            junk_is_first: false,
            blank: None,
        }
    }

    fn run(&mut self, defects: &mut Defects) {
        let mut at = self.range.start;
        while at < self.range.end {
            let (end, next) = line_end(self.raw, at, self.breaks);
            if end == at {
                self.end = Some(next);
                return;
            }
            at = self.logical_line(at, end, next, defects);
        }
    }

    /// Takes a line and those that continue it; returns where the next one starts.
    fn logical_line(
        &mut self,
        start: usize,
        end: usize,
        next: usize,
        defects: &mut Defects,
    ) -> usize {
        if slice(self.raw, start..end).iter().all(|&b| is_blank(b)) {
            self.blank = self.blank.or(Some(next));
            return next;
        }
        let (mut end, mut next) = (end, next);
        while self.raw.get(next).is_some_and(|&b| b == b' ' || b == b'\t') {
            let (line, after) = line_end(self.raw, next, self.breaks);
            if slice(self.raw, next..line).iter().all(|&b| is_blank(b)) {
                self.blank = self.blank.or(Some(after));
            }
            (end, next) = (line, after);
        }
        self.take(start, end, defects);
        next
    }

    fn take(&mut self, start: usize, end: usize, defects: &mut Defects) {
        let line = slice(self.raw, start..end);
        let shown = up_to(line, self.limits.header_bytes);
        if shown.len() < line.len() {
            defects.add(Defect::Limit(Limit::HeaderBytes));
        }
        match field(shown, start) {
            Some(field) => self.keep(field, defects),
            None if start == self.range.start && is_from_line(line) => {}
            None if self.junk.is_none() => {
                self.junk = Some(start);
                self.junk_is_first = self.fields.is_empty();
            }
            None => {}
        }
    }

    fn keep(&mut self, field: Field<'a>, defects: &mut Defects) {
        let describes = describes_content(&field);
        if describes && !field.name.iter().all(|b| (33..=126).contains(b) && *b != b'(') {
            defects.add(Defect::OddFieldName);
        }
        let room = self.limits.headers.saturating_mul(if describes { 2 } else { 1 });
        if self.fields.len() < room {
            self.fields.push(field);
        } else {
            defects.add(Defect::Limit(Limit::Headers));
        }
    }

    /// Every place where the body may start, the likeliest first.
    fn bodies(&self, defects: &mut Defects) -> Vec<usize> {
        let end = self.end;
        let mut starts = Vec::new();
        let is_text = self.junk_is_first && !self.fields.iter().any(describes_content);
        if is_text && self.junk.is_some() {
            // No header at all, just text.
            return self.junk.into_iter().collect();
        }
        if end.is_none() {
            starts.extend(self.junk);
        }
        starts.extend(end);
        starts.extend(self.junk);
        starts.extend(self.blank);
        if self.junk.is_some() && !self.fields.is_empty() {
            defects.add(Defect::JunkInHeader);
        }
        if self.blank.is_some() {
            defects.add(Defect::BlankLineInHeader);
        }
        if end.is_none() && self.junk.is_some() && !self.fields.is_empty() {
            defects.add(Defect::MissingBlankLine);
        }
        if starts.is_empty() {
            starts.push(self.range.end);
        }
        starts
    }
}

/// The field on a logical line. A name is free of blanks, unless it means a content field once they
/// are taken out.
fn field(line: &[u8], offset: usize) -> Option<Field<'_>> {
    let colon = memchr(b':', line)?;
    let (name, value) = (up_to(line, colon), from(line, colon.saturating_add(1)));
    let field = Field { name, value, offset };
    let core = trim(name);
    let plain = !core.is_empty() && core.iter().all(|b| (33..=126).contains(b));
    (plain || describes_content(&field)).then_some(field)
}

/// The envelope line of an mbox, quoted or not, as it is left at the top of a message.
pub(crate) fn is_from_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// The fields that say what a body is.
const CONTENT: &[&str] = &["content-disposition", "content-transfer-encoding", "content-type"];
