//! A part replaced by a notice.

use std::iter;
use std::ops::Range;

use memchr::memrchr;

use super::Rewriter;
use super::encode::quoted_printable;
use crate::bytes::{Breaks, line_end, slice, up_to};
use crate::message::Message;
use crate::part::{Kind, Part};

impl Rewriter<'_, '_> {
    /// Puts a text in the place of the part at `index` of [`Message::parts`], and of every other
    /// reading of the same bytes. An entity becomes a text entity; a file within a text, a preamble
    /// or an epilogue becomes the text itself; of a message that is one single entity the other
    /// fields of the header stay. Where a signature or encryption covers the part, all that it
    /// covers goes: nothing is changed inside.
    ///
    /// [`Message::parts`]: crate::Message::parts
    pub fn replace(&mut self, index: usize, notice: &str) {
        let Some(part) = sealed_or_itself(self.message, index) else { return };
        let notice = self.lines(notice);
        match part.kind {
            Kind::Embedded => {
                let range = with_its_lines(self.message.raw, part.body.clone());
                self.splice(range, notice);
            }
            Kind::Epilogue | Kind::Preamble => self.splice(part.body.clone(), notice),
            _ if part.range.start == 0 || part.parent.is_none() => {
                self.replace_whole(part, &notice)
            }
            _ => {
                let entity = self.entity(&notice);
                self.splice(part.range.clone(), entity);
            }
        }
    }

    /// A text entity of its own.
    fn entity(&self, notice: &str) -> Vec<u8> {
        let end = self.line_end;
        let mut entity = format!("{}{end}", TEXT.join(end)).into_bytes();
        entity.extend_from_slice(end.as_bytes());
        let body = quoted_printable(notice.as_bytes(), end);
        // The line end before a delimiter belongs to the delimiter.
        entity.extend_from_slice(body.strip_suffix(end.as_bytes()).unwrap_or(&body));
        entity
    }

    /// The fields that describe the content go, and the body.
    fn replace_whole(&mut self, part: &Part<'_>, notice: &str) {
        let raw = self.message.raw;
        for field in part.headers() {
            let name = field.name().trim_ascii();
            if name.len() >= 8 && crate::bytes::starts_with(name, b"content-") {
                let (_, next) = line_end(raw, field.range().end, Breaks::Any);
                self.splice(field.range().start..next, "");
            }
        }
        let has_version = part.header("mime-version").is_some();
        let version = if has_version { "" } else { "MIME-Version: 1.0\n" };
        let fields = self.lines(&format!("{version}{}", TEXT.join("\n")));
        let at = part.headers().iter().map(|field| field.range().end).max().unwrap_or(0);
        let (end, next) = line_end(raw, at, Breaks::Any);
        let before = if next == end && at > 0 { self.line_end } else { "" };
        let at = if at == 0 { 0 } else { next };
        self.insert(at, format!("{before}{fields}"));
        let body = quoted_printable(notice.as_bytes(), self.line_end);
        let blank = if part.body.start <= at { self.line_end } else { "" };
        let body = [blank.as_bytes(), &body].concat();
        self.splice(part.body.start.max(at)..raw.len(), body);
    }
}

/// The outermost signed or encrypted container around a part, or the part.
fn sealed_or_itself<'m, 'a>(message: &'m Message<'a>, index: usize) -> Option<&'m Part<'a>> {
    let part = message.parts.get(index)?;
    let above = |part: &&'m Part<'a>| message.parts.get(part.parent?);
    let around = iter::successors(above(&part), above);
    Some(around.filter(|container| container.is_sealed()).last().unwrap_or(part))
}

/// The data lines of a file within a text, with the line that begins it and those that end it.
fn with_its_lines(raw: &[u8], data: Range<usize>) -> Range<usize> {
    let before = up_to(raw, data.start).trim_ascii_end();
    let start = memrchr(b'\n', before).map_or(0, |at| at.saturating_add(1));
    let mut end = data.end;
    loop {
        let (line_end, next) = line_end(raw, end, Breaks::Any);
        let line = slice(raw, end..line_end).trim_ascii();
        let is_end = matches!(line, b"end" | b"`" | b"====") || line.starts_with(b"=yend");
        if !is_end {
            return start..end;
        }
        end = next;
    }
}

/// The header of a notice.
const TEXT: &[&str] =
    &["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"];
