//! From raw bytes to parts: a stack of stretches still to be read, so that no nesting can exhaust ours.

use crate::boundary::{Delimiters, Piece, Strength};
use crate::bytes::{from, is_space, slice};
use crate::defect::{Defect, Defects, Limit};
use crate::describe::Description;
use crate::header::{self, Field};
use crate::inline;
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
    if let Some(encoding) = utf16(raw) {
        parser.defects.add(Defect::Utf16);
        let whole = Entity::bare(Job::new(0..raw.len(), Role::Message));
        parser.leaf(&whole, 0..raw.len(), encoding, Kind::Message);
    }
    let header = header::read(raw, start..raw.len(), limits, &mut Defects::default());
    parser.run(Job::new(start..raw.len(), Role::Message));
    Message {
        raw,
        fields: header.fields.into(),
        parts: parser.parts,
        defects: parser.defects.as_slice().to_vec(),
    }
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
        Self {
            range,
            parent: None,
            depth: 0,
            role,
        }
    }
}

/// A job whose header has been read.
struct Entity<'a> {
    job: Job,
    fields: Arc<[Field<'a>]>,
    description: Description,
    /// Leaves made of it so far.
    readings: u16,
}

impl Entity<'_> {
    fn bare(job: Job) -> Self {
        let description = Description {
            encodings: vec![Encoding::Identity],
            ..Description::default()
        };
        Self {
            job,
            fields: Arc::default(),
            description,
            readings: 0,
        }
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
        let mark = if self.raw.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        if mark > 0 {
            self.defects.add(Defect::ByteOrderMark);
        }
        let blank = blank_lines(from(self.raw, mark));
        if blank > 0 && blank.saturating_add(mark) < self.raw.len() {
            self.defects.add(Defect::BlankLinesBeforeHeader);
        }
        mark.saturating_add(blank)
    }

    fn run(&mut self, first: Job) {
        self.jobs.push(first);
        while let Some(job) = self.jobs.pop() {
            if self.parts.len() >= self.limits.parts {
                self.defects.add(Defect::Limit(Limit::Parts));
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
            self.leaf(
                &Entity::bare(job),
                body,
                Encoding::Identity,
                Kind::Attachment,
            );
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
            self.entity(Job {
                range: start..job.range.end,
                role: Role::Message,
                ..job
            });
        } else if !text.iter().all(|&b| is_space(b)) {
            let body = job.range.clone();
            let mut entity = Entity::bare(job);
            self.identity_leaf(&mut entity, body, kind);
        }
    }

    fn entity(&mut self, job: Job) {
        let text = slice(self.raw, job.range.clone());
        let blank = blank_lines(text);
        if job.role != Role::Message && blank > 0 && header::is_content_field(from(text, blank)) {
            self.defects.add(Defect::BlankLinesBeforeHeader);
            let range = job.range.start.saturating_add(blank)..job.range.end;
            self.reading(Job {
                range,
                ..job.clone()
            });
        }
        let header = header::read(self.raw, job.range.clone(), &self.limits, &mut self.defects);
        let description = Description::of(&header.fields, &mut self.defects);
        let mut entity = Entity {
            job,
            fields: header.fields.into(),
            description,
            readings: 0,
        };
        let end = entity.job.range.end;
        let earliest = header.bodies.iter().copied().min().unwrap_or(end);
        if self.multipart(&entity, earliest..end) && entity.description.is_only_multipart() {
            return;
        }
        for start in header.bodies {
            self.body(&mut entity, start..end);
        }
    }

    /// Divides the body by every boundary that occurs in it; false if none does.
    fn multipart(&mut self, entity: &Entity<'a>, body: Range<usize>) -> bool {
        let divisions = self.divisions(&entity.description.boundaries, &body);
        let is_multipart = entity.description.is_multipart();
        if divisions.is_empty() && is_multipart {
            self.defects.add(Defect::MissingDelimiter);
        }
        if !divisions.is_empty() && !is_multipart {
            self.defects.add(Defect::BoundaryWithoutMultipart);
        }
        let is_encoded = entity
            .description
            .encodings
            .iter()
            .any(|&e| e != Encoding::Identity);
        if is_encoded && is_multipart {
            self.defects.add(Defect::EncodedMultipart);
        }
        for (at, (boundary, strength)) in divisions.iter().enumerate() {
            if at == 0 || self.may_read_again() {
                self.divide(entity, &body, boundary, *strength);
            }
        }
        !divisions.is_empty()
    }

    /// The boundaries that divide `body`, and how sure their delimiters are.
    fn divisions(
        &mut self,
        boundaries: &[Vec<u8>],
        body: &Range<usize>,
    ) -> Vec<(Vec<u8>, Strength)> {
        let mut found = Vec::new();
        for boundary in boundaries {
            for strength in self.delimiters.strengths(body, boundary, &mut self.defects) {
                found.push((boundary.clone(), strength));
            }
        }
        let exact = found
            .iter()
            .filter(|(_, strength)| *strength == Strength::Exact)
            .count();
        if exact > 1 {
            self.defects.add(Defect::AmbiguousBoundary);
        }
        let best = found.iter().map(|(_, strength)| *strength).max();
        // A mere prefix is no delimiter when there are real ones.
        found.retain(|(_, strength)| {
            *strength != Strength::Prefix || best == Some(Strength::Prefix)
        });
        if found
            .iter()
            .any(|(_, strength)| *strength != Strength::Exact)
        {
            self.defects.add(Defect::AmbiguousDelimiter);
        }
        found.sort_by_key(|(_, strength)| std::cmp::Reverse(*strength));
        found
    }

    fn divide(
        &mut self,
        entity: &Entity<'a>,
        body: &Range<usize>,
        boundary: &[u8],
        strength: Strength,
    ) {
        let division = self
            .delimiters
            .divide(body, boundary, strength, &mut self.defects);
        if !division.closed {
            self.defects.add(Defect::Unterminated);
        }
        if division.parts_after_close {
            self.defects.add(Defect::PartsAfterClose);
        }
        let parent = self.container(entity, body.clone(), Kind::Multipart);
        let inside = if entity.description.is_digest() {
            Role::Digest
        } else {
            Role::Part
        };
        for piece in division.pieces {
            let (range, role) = match piece {
                Piece::After(range) => (range, Role::After),
                Piece::Before(range) => (range, Role::Before),
                Piece::Part(range) => (range, inside),
            };
            if !range.is_empty() {
                self.jobs.push(Job {
                    range,
                    role,
                    parent,
                    depth: entity.job.depth.saturating_add(1),
                });
            }
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
            } else if matches!(
                encoding,
                Encoding::Uuencode | Encoding::Xxencode | Encoding::Yenc
            ) {
                self.enveloped(entity, body.clone(), encoding, kind);
            } else {
                self.next_leaf(entity, body.clone(), encoding, kind);
            }
        }
    }

    /// A message in the message, to be read in place.
    fn nested(&mut self, entity: &mut Entity<'a>, body: Range<usize>) {
        let kind = if entity.description.is_partial() {
            Kind::Partial
        } else {
            Kind::Message
        };
        let parent = self.container(entity, body.clone(), kind);
        let start = body
            .start
            .saturating_add(blank_lines(slice(self.raw, body.clone())));
        let depth = entity.job.depth.saturating_add(1);
        self.jobs.push(Job {
            range: start..body.end,
            role: Role::Message,
            parent,
            depth,
        });
    }

    /// A body that is not encoded: it may hold files or parts that nothing has declared.
    fn identity_leaf(&mut self, entity: &mut Entity<'a>, body: Range<usize>, kind: Kind) {
        self.next_leaf(entity, body.clone(), Encoding::Identity, kind);
        let text = slice(self.raw, body.clone());
        for block in inline::blocks(text) {
            let data = shifted(&block.data, body.start);
            self.embedded(entity, data, block.encoding, block.name);
        }
        if entity.readings > 1 || looks_like_message(text) {
            return;
        }
        if let Some(boundary) = self.delimiters.guess(&body) {
            self.defects.add(Defect::GuessedBoundary);
            if self.may_read_again() {
                self.divide(entity, &body, boundary, Strength::Exact);
            }
        } else if let Some(start) = self.delimiters.header_in_text(&body) {
            self.defects.add(Defect::EntityInText);
            let depth = entity.job.depth.saturating_add(1);
            self.reading(Job {
                range: start..body.end,
                role: Role::Message,
                parent: entity.job.parent,
                depth,
            });
        }
    }

    /// A body whose encoding puts a line with a name before the data.
    fn enveloped(
        &mut self,
        entity: &mut Entity<'a>,
        body: Range<usize>,
        encoding: Encoding,
        kind: Kind,
    ) {
        let text = slice(self.raw, body.clone());
        let mut found = false;
        for block in inline::blocks(text) {
            found = true;
            self.next_leaf(
                entity,
                shifted(&block.data, body.start),
                block.encoding,
                kind,
            );
        }
        if !found {
            self.next_leaf(entity, body, encoding, kind);
        }
    }

    fn embedded(
        &mut self,
        entity: &Entity<'a>,
        data: Range<usize>,
        encoding: Encoding,
        name: &'a [u8],
    ) {
        if self.leaf(
            &Entity::bare(entity.job.clone()),
            data,
            encoding,
            Kind::Embedded,
        ) && let Some(part) = self.parts.last_mut()
        {
            part.embedded_name = name;
        }
    }

    fn next_leaf(
        &mut self,
        entity: &mut Entity<'a>,
        body: Range<usize>,
        encoding: Encoding,
        kind: Kind,
    ) {
        if (entity.readings == 0 || (!body.is_empty() && self.may_read_again()))
            && self.leaf(entity, body, encoding, kind)
        {
            entity.readings = entity.readings.saturating_add(1);
        }
    }

    /// Adds a leaf, unless the same stretch was added in the same reading before.
    fn leaf(
        &mut self,
        entity: &Entity<'a>,
        body: Range<usize>,
        encoding: Encoding,
        kind: Kind,
    ) -> bool {
        if self.parts.len() >= self.limits.parts {
            self.defects.add(Defect::Limit(Limit::Parts));
            return false;
        }
        let is_new = self.seen.insert((body.start, body.end, Some(encoding)));
        if is_new {
            self.parts.push(self.part(entity, body, encoding, kind));
        }
        is_new
    }

    fn container(&mut self, entity: &Entity<'a>, body: Range<usize>, kind: Kind) -> Option<usize> {
        let index = self.parts.len();
        let part = self.part(entity, body, Encoding::Identity, kind);
        self.parts.push(Part {
            is_container: true,
            ..part
        });
        Some(index)
    }

    fn part(
        &self,
        entity: &Entity<'a>,
        body: Range<usize>,
        encoding: Encoding,
        kind: Kind,
    ) -> Part<'a> {
        Part {
            raw: self.raw,
            fields: Arc::clone(&entity.fields),
            range: entity.job.range.clone(),
            body,
            kind,
            encoding,
            is_container: false,
            reading: entity.readings,
            depth: entity.job.depth,
            parent: entity.job.parent,
            embedded_name: &[],
        }
    }

    fn reading(&mut self, job: Job) {
        if self.may_read_again() {
            self.jobs.push(job);
        }
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
    text.iter()
        .take_while(|b| matches!(b, b'\r' | b'\n'))
        .count()
}

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start.saturating_add(by)..range.end.saturating_add(by)
}
