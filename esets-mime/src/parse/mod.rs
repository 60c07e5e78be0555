//! From raw bytes to parts: a stack of stretches still to be read, so that no nesting can exhaust
//! ours.

mod leaf;
mod multipart;
mod order;

use crate::boundary::Delimiters;
use crate::bytes::{from, is_space, slice, up_to};
use crate::defect::{Defect, Defects, Limit};
use crate::describe::Description;
use crate::field::Field;
use crate::header;
use crate::limits::Limits;
use crate::message::Message;
use crate::part::{Kind, Part};
use crate::reading;
use crate::recognise::{looks_like_message, utf16};
use crate::transfer::Encoding;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

pub(crate) fn message<'a>(raw: &'a [u8], limits: &Limits) -> Message<'a> {
    let mut parser = Parser::new(raw, *limits);
    let start = parser.top();
    let is_utf16 = parser.utf16();
    let header = header::read(raw, start..raw.len(), limits, &mut Defects::default());
    if !is_utf16 {
        parser.run(Job::new(start..raw.len(), Role::Message));
    }
    let fields = header.fields.into();
    Message { raw, fields, parts: order::by_tree(parser.parts), defects: parser.defects.into_vec() }
}

/// A stretch of the message that is still to be read.
#[derive(Clone, Debug)]
struct Job {
    range: Range<usize>,
    parent: Option<usize>,
    depth: u16,
    role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// After a closing delimiter.
    After,
    /// Before the first delimiter.
    Before,
    /// In a multipart/digest, where an undeclared part is a message.
    Digest,
    /// The message itself or one in it.
    Message,
    /// Between delimiters.
    Part,
}

impl Job {
    fn new(range: Range<usize>, role: Role) -> Self {
        Self { range, parent: None, depth: 0, role }
    }
}

/// A job whose header has been read.
struct Entity<'a> {
    job: Job,
    fields: Arc<[Field<'a>]>,
    description: Description,
    /// Leaves made of it so far.
    readings: u16,
    is_divided: bool,
}

impl Entity<'_> {
    fn bare(job: Job) -> Self {
        let description =
            Description { encodings: vec![Encoding::Identity], ..Description::default() };
        Self { job, fields: Arc::default(), description, readings: 0, is_divided: false }
    }
}

struct Parser<'a> {
    raw: &'a [u8],
    limits: Limits,
    delimiters: Delimiters<'a>,
    parts: Vec<Part<'a>>,
    defects: Defects,
    jobs: Vec<Job>,
    /// Stretches that were jobs, and bodies that are leaves: the same is never read twice.
    seen: HashSet<(usize, usize, Option<Encoding>)>,
    readings: usize,
}

impl<'a> Parser<'a> {
    fn new(raw: &'a [u8], limits: Limits) -> Self {
        Self {
            raw,
            limits,
            delimiters: Delimiters::find(raw),
            parts: Vec::new(),
            defects: Defects::default(),
            jobs: Vec::new(),
            seen: HashSet::new(),
            readings: 0,
        }
    }

    /// Where the header starts: after a byte order mark and empty lines.
    fn top(&mut self) -> usize {
        let mark = if self.raw.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        if mark > 0 {
            self.defects.add(Defect::ByteOrderMark);
        }
        let blank = blank_lines(from(self.raw, mark));
        if blank > 0 && blank.saturating_add(mark) < self.raw.len() {
            self.defects.add(Defect::BlankLinesBeforeHeader);
        }
        mark.saturating_add(blank)
    }

    /// Takes a message in UTF-16 for a leaf; true if it is nothing else besides.
    fn utf16(&mut self) -> bool {
        let Some(encoding) = utf16(self.raw) else { return false };
        self.defects.add(Defect::Utf16);
        let whole = 0..self.raw.len();
        let entity = Entity::bare(Job::new(whole.clone(), Role::Message));
        self.leaf(&entity, whole, encoding, Kind::Message);
        let top = up_to(self.raw, 256);
        memchr::memchr_iter(0, top).count().saturating_mul(3) > top.len()
    }

    fn run(&mut self, first: Job) {
        self.jobs.push(first);
        while let Some(job) = self.jobs.pop() {
            if self.is_full() {
                return;
            }
            let waiting = self.jobs.len();
            self.job(job);
            // The stack gives back the last first.
            if let Some(new) = self.jobs.get_mut(waiting..) {
                new.reverse();
            }
        }
    }

    fn job(&mut self, job: Job) {
        if !self.seen.insert((job.range.start, job.range.end, None)) {
            return;
        }
        if job.depth >= self.limits.depth {
            self.defects.add(Defect::Limit(Limit::Depth));
            let body = job.range.clone();
            self.leaf(&Entity::bare(job), body, Encoding::Identity, Kind::Attachment);
            return;
        }
        match job.role {
            Role::After => self.outside(job, Kind::Epilogue),
            Role::Before => self.outside(job, Kind::Preamble),
            Role::Digest | Role::Message | Role::Part => self.entity(job),
        }
    }

    /// Text around the parts of a multipart: an entity if it looks like one.
    fn outside(&mut self, job: Job, kind: Kind) {
        let text = slice(self.raw, job.range.clone());
        let start = job.range.start.saturating_add(blank_lines(text));
        let text = slice(self.raw, start..job.range.end);
        if header::is_content_field(text) || looks_like_message(text) {
            self.defects.add(Defect::EntityInText);
            self.entity(Job { range: start..job.range.end, role: Role::Message, ..job });
        } else if !text.iter().all(|&b| is_space(b)) {
            let body = job.range.clone();
            let mut entity = Entity::bare(job);
            let encodings =
                reading::encodings(&entity.description.encodings, text, &mut self.defects);
            self.identity_leaf(&mut entity, body.clone(), kind);
            for encoding in encodings.into_iter().filter(|&e| e != Encoding::Identity) {
                self.next_leaf(&mut entity, body.clone(), encoding, kind);
            }
        }
    }

    fn entity(&mut self, job: Job) {
        let text = slice(self.raw, job.range.clone());
        let blank = blank_lines(text);
        if job.role != Role::Message && blank > 0 && header::is_content_field(from(text, blank)) {
            self.defects.add(Defect::BlankLinesBeforeHeader);
            let range = job.range.start.saturating_add(blank)..job.range.end;
            self.reading(Job { range, ..job.clone() });
        }
        let header = header::read(self.raw, job.range.clone(), &self.limits, &mut self.defects);
        let description = Description::of(&header.fields, &mut self.defects);
        let fields = header.fields.into();
        let mut entity = Entity { job, fields, description, readings: 0, is_divided: false };
        let end = entity.job.range.end;
        let earliest = header.bodies.iter().copied().min().unwrap_or(end);
        entity.is_divided = self.multipart(&entity, earliest..end);
        if entity.is_divided && entity.description.is_only_multipart() {
            // Readers that decode a multipart first see something else.
            entity.description.encodings.retain(|&encoding| encoding != Encoding::Identity);
            entity.readings = 1;
        }
        for &start in &header.bodies {
            self.body(&mut entity, start..end);
        }
        if let [start] = header.bodies[..] {
            self.without_last_line_end(&mut entity, start..end);
        }
    }

    /// Everything that a body may be besides a multipart.
    fn body(&mut self, entity: &mut Entity<'a>, body: Range<usize>) {
        let text = slice(self.raw, body.clone());
        let is_identity = entity.description.encodings.contains(&Encoding::Identity);
        let is_digested = entity.job.role == Role::Digest && entity.description.types.is_empty();
        let is_message = entity.description.is_message() || is_digested;
        let encodings = reading::encodings(&entity.description.encodings, text, &mut self.defects);
        let kind = reading::kind(&entity.fields, &entity.description);
        for encoding in encodings {
            if encoding == Encoding::Identity && is_message && is_identity && !text.is_empty() {
                self.nested(entity, body.clone());
            } else if encoding == Encoding::Identity {
                self.identity_leaf(entity, body.clone(), kind);
            } else if matches!(encoding, Encoding::Uuencode | Encoding::Xxencode | Encoding::Yenc) {
                self.enveloped(entity, body.clone(), encoding, kind);
            } else {
                self.next_leaf(entity, body.clone(), encoding, kind);
            }
        }
    }

    fn reading(&mut self, job: Job) {
        if self.may_read_again() {
            self.jobs.push(job);
        }
    }

    fn is_full(&mut self) -> bool {
        let is_full = self.parts.len() >= self.limits.parts;
        if is_full {
            self.defects.add(Defect::Limit(Limit::Parts));
        }
        is_full
    }

    fn may_read_again(&mut self) -> bool {
        if self.readings >= self.limits.readings {
            self.defects.add(Defect::Limit(Limit::Readings));
            return false;
        }
        self.readings = self.readings.saturating_add(1);
        true
    }
}

fn blank_lines(text: &[u8]) -> usize {
    text.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count()
}
