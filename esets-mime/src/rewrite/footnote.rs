//! A text below the texts of a message.

use memchr::memmem;

use super::Rewriter;
use super::encode::{base64, in_charset, quoted_printable, substituted};
use crate::bytes::from;
use crate::part::{Kind, Part};
use crate::transfer::Encoding;

impl Rewriter<'_, '_> {
    /// Adds `text` below the first plain text of the message and `html` at the end of its first
    /// HTML text, in their character sets and transfer encodings. Texts that are signed or encrypted,
    /// and those of messages in the message, stay as they are. Returns whether any was changed.
    pub fn footnote(&mut self, text: &str, html: &str) -> bool {
        let mut is_changed = false;
        for (subtype, note) in [("plain", text), ("html", html)] {
            let place = self.message.parts.iter().position(|part| self.takes(part, subtype));
            let part = place.and_then(|index| self.message.parts.get(index).cloned());
            is_changed |= part.is_some_and(|part| self.annotate(&part, note, subtype == "html"));
        }
        is_changed
    }

    /// Whether the part is a text for readers of that subtype and nobody's signature covers it.
    fn takes(&self, part: &Part<'_>, subtype: &str) -> bool {
        let declared = part.media_type();
        let is_text = match &declared {
            Some(media) => media.is("text", subtype),
            None => subtype == "plain",
        };
        let is_plain_reading = part.kind == Kind::Body && part.reading == 0;
        is_text && is_plain_reading && !self.is_protected(part)
    }

    fn is_protected(&self, part: &Part<'_>) -> bool {
        let mut around = part.parent;
        while let Some(container) = around.and_then(|index| self.message.parts.get(index)) {
            if container.kind == Kind::Message || container.is_sealed() {
                return true;
            }
            around = container.parent;
        }
        memmem::find(part.raw_body(), b"-----BEGIN PGP ").is_some()
    }

    fn annotate(&mut self, part: &Part<'_>, note: &str, is_html: bool) -> bool {
        let note = if is_html {
            self.lines(note)
        } else {
            format!("{}{}", self.line_end, self.lines(note))
        };
        let mut note = in_charset(&note, part.charset().as_deref(), is_html);
        match part.encoding {
            Encoding::Identity => {
                let is_eight_bit = part.raw_body().iter().any(|byte| !byte.is_ascii());
                if !note.is_ascii() && !is_eight_bit && !declares_eight_bit(part) {
                    let text = String::from_utf8_lossy(&note).into_owned();
                    note = substituted(&text, is_html).into_bytes();
                }
                self.insert_note(part, note, is_html);
            }
            Encoding::QuotedPrintable => {
                let note = quoted_printable(&note, self.line_end);
                self.insert_note(part, note, is_html);
            }
            Encoding::Base64 => self.insert_in_base64(part, &note, is_html),
            _ => return false,
        }
        true
    }

    /// Into a body that is text as it stands.
    fn insert_note(&mut self, part: &Part<'_>, note: Vec<u8>, is_html: bool) {
        let body = part.raw_body();
        let at = if is_html { end_of_html(body) } else { body.len() };
        // An open last line is ended first; a soft line break at the end is no end.
        let is_open = !body.get(..at).unwrap_or_default().ends_with(b"\n") && at > 0;
        let before = if is_open && !is_html { self.line_end.as_bytes() } else { b"" };
        let note = [before, &note].concat();
        // The line end before a delimiter belongs to the delimiter.
        let is_last = part.body.end == self.message.raw.len() || !is_open || is_html;
        let end = self.line_end.as_bytes();
        let note = if is_last { &note[..] } else { note.strip_suffix(end).unwrap_or(&note) };
        self.insert(part.body.start.saturating_add(at), note);
    }

    /// Base64 has no place in its middle: the part is decoded and encoded anew.
    fn insert_in_base64(&mut self, part: &Part<'_>, note: &[u8], is_html: bool) {
        let mut content = part.decoded().to_vec(usize::MAX);
        let at = if is_html { end_of_html(&content) } else { content.len() };
        let rest = content.split_off(at);
        let is_open = !content.ends_with(b"\n") && !content.is_empty() && !is_html;
        let before = if is_open { self.line_end.as_bytes() } else { b"" };
        let content = [&content[..], before, note, &rest].concat();
        let text = base64(&content, self.line_end);
        let ends_in_line = part.raw_body().ends_with(b"\n");
        let text = if ends_in_line { &text } else { text.trim_end() };
        self.splice(part.body.clone(), text);
    }
}

/// Whether the header says that the body may hold more than ASCII.
fn declares_eight_bit(part: &Part<'_>) -> bool {
    let declared = part.header("content-transfer-encoding").map(|field| field.unfolded());
    declared.is_some_and(|value| {
        value.eq_ignore_ascii_case(b"8bit") || value.eq_ignore_ascii_case(b"binary")
    })
}

/// Where the last `</body` or `</html` stands, or the end.
fn end_of_html(text: &[u8]) -> usize {
    let lower = text.to_ascii_lowercase();
    let body = memmem::rfind(&lower, b"</body");
    let place = body.or_else(|| memmem::rfind(&lower, b"</html")).unwrap_or(text.len());
    // Quoted-printable may have cut the tag in two; then the end will do.
    if from(text, place).is_empty() { text.len() } else { place }
}
