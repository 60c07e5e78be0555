//! The parts that a body becomes.

use super::{Entity, Job, Parser, Role, blank_lines};
use crate::boundary::Strength;
use crate::bytes::{from, lines, slice, trim};
use crate::defect::Defect;
use crate::inline;
use crate::part::{Kind, Part};
use crate::reading;
use crate::recognise::looks_like_message;
use crate::transfer::Encoding;
use memchr::memchr;
use std::ops::Range;
use std::sync::Arc;

impl<'a> Parser<'a> {
    /// A message in the message, to be read in place.
    pub(super) fn nested(&mut self, entity: &mut Entity<'a>, body: Range<usize>) {
        let kind = if entity.description.is_partial() { Kind::Partial } else { Kind::Message };
        let blank = blank_lines(slice(self.raw, body.clone()));
        let range = body.start.saturating_add(blank)..body.end;
        if range == entity.job.range {
            // There was no header to take off: this would be read in the same way for ever.
            self.next_leaf(entity, body, Encoding::Identity, kind);
        } else if let Some(parent) = self.container(entity, body, kind) {
            let depth = entity.job.depth.saturating_add(1);
            self.jobs.push(Job { range, role: Role::Message, parent: Some(parent), depth });
        }
    }

    /// A body that is not encoded: it may hold files or parts that nothing has declared.
    pub(super) fn identity_leaf(
        &mut self,
        entity: &mut Entity<'a>,
        body: Range<usize>,
        kind: Kind,
    ) {
        self.next_leaf(entity, body.clone(), Encoding::Identity, kind);
        let text = slice(self.raw, body.clone());
        for block in inline::blocks(text) {
            let data = shifted(&block.data, body.start);
            self.embedded(entity, data, block.encoding, block.name);
        }
        let may_be_message = looks_like_message(text) && !text.starts_with(b"--");
        if entity.readings > 1 || entity.is_divided || may_be_message {
            return;
        }
        if let Some(boundary) = self.delimiters.guess(&body, &mut self.defects) {
            self.defects.add(Defect::GuessedBoundary);
            if self.may_read_again() {
                self.divide(entity, &body, (boundary, Strength::Exact));
            }
        } else if let Some(start) = self.delimiters.header_in_text(&body) {
            self.defects.add(Defect::EntityInText);
            let depth = entity.job.depth;
            self.reading(Job {
                range: start..body.end,
                role: Role::Message,
                parent: entity.job.parent,
                depth,
            });
        }
    }

    /// A body whose encoding puts a line with a name before the data.
    pub(super) fn enveloped(
        &mut self,
        entity: &mut Entity<'a>,
        body: Range<usize>,
        encoding: Encoding,
        kind: Kind,
    ) {
        let text = slice(self.raw, body.clone());
        let (mut blocks, mut lines_around, mut after) = (0_usize, 0_usize, 0);
        let written = |text: &[u8]| lines(text).filter(|line| !trim(line).is_empty()).count();
        for block in inline::blocks(text) {
            let data = shifted(&block.data, body.start);
            self.next_leaf(entity, data, block.encoding, kind);
            blocks = blocks.saturating_add(1);
            let around = slice(text, after..block.data.start);
            lines_around = lines_around.saturating_add(written(around));
            after = block.data.end;
        }
        lines_around = lines_around.saturating_add(written(from(text, after)));
        if blocks == 0 {
            self.next_leaf(entity, body, encoding, kind);
        } else if lines_around > blocks.saturating_mul(2) {
            // More than the first and the last line of each.
            self.next_leaf(entity, body, Encoding::Identity, kind);
        }
    }

    /// The body of a whole message once more, without the line break that a mail program ends it
    /// with: the file that was sent may not have had one. Between delimiters that line break
    /// belongs to the delimiter (RFC 2046, section 5.1.1).
    ///
    /// Texts are read once, for no file hides in them, but for those of one line.
    pub(super) fn without_last_line_end(&mut self, entity: &mut Entity<'a>, body: Range<usize>) {
        let is_whole = entity.job.role == Role::Message && entity.job.parent.is_none();
        if !is_whole || entity.is_divided || entity.description.is_message() {
            return;
        }
        let text = slice(self.raw, body.clone());
        let Some(without) = text.strip_suffix(b"\n") else { return };
        let without = without.strip_suffix(b"\r").unwrap_or(without);
        let kind = reading::kind(&entity.fields, &entity.description);
        let is_line = without.len() <= LINE && memchr(b'\n', without).is_none();
        if without.is_empty() || (kind == Kind::Body && !is_line) {
            return;
        }
        let end = body.start.saturating_add(without.len());
        if let [encoding @ (Encoding::Identity | Encoding::QuotedPrintable)] =
            entity.description.encodings[..]
        {
            let before = self.parts.len();
            self.next_leaf(entity, body.start..end, encoding, kind);
            for part in self.parts.iter_mut().skip(before) {
                part.is_repeated = true;
            }
        }
    }

    fn embedded(
        &mut self,
        entity: &Entity<'a>,
        data: Range<usize>,
        encoding: Encoding,
        name: &'a [u8],
    ) {
        if self.leaf(&Entity::bare(entity.job.clone()), data, encoding, Kind::Embedded)
            && let Some(part) = self.parts.last_mut()
        {
            part.embedded_name = name;
        }
    }

    pub(super) fn next_leaf(
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
    pub(super) fn leaf(
        &mut self,
        entity: &Entity<'a>,
        body: Range<usize>,
        encoding: Encoding,
        kind: Kind,
    ) -> bool {
        if self.is_full() {
            return false;
        }
        let is_new = self.seen.insert((body.start, body.end, Some(encoding)));
        if is_new {
            self.parts.push(self.part(entity, body, encoding, kind));
        }
        is_new
    }

    pub(super) fn container(
        &mut self,
        entity: &Entity<'a>,
        body: Range<usize>,
        kind: Kind,
    ) -> Option<usize> {
        if self.is_full() {
            return None;
        }
        let index = self.parts.len();
        let part = self.part(entity, body, Encoding::Identity, kind);
        self.parts.push(Part { is_container: true, ..part });
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
            is_repeated: false,
        }
    }
}

/// The longest line of a message, in bytes (RFC 5322, section 2.1.1).
const LINE: usize = 998;

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start.saturating_add(by)..range.end.saturating_add(by)
}
