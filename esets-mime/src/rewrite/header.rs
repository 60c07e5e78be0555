//! Fields added to the header, and a word before the subject.

use super::Rewriter;
use super::encode::encoded_word;
use crate::bytes::{Breaks, line_end, slice, starts_with, trim};

impl Rewriter<'_, '_> {
    /// Adds a field at the very top. Line ends in `value` become folds.
    pub fn prepend_header(&mut self, name: &str, value: &str) {
        let field = self.field(name, value);
        self.insert(self.top(), field);
    }

    /// Adds a field at the end of the header.
    pub fn append_header(&mut self, name: &str, value: &str) {
        let field = self.field(name, value);
        let at = self.bottom();
        let is_own_line =
            at == 0 || matches!(self.message.raw.get(at.wrapping_sub(1)), Some(b'\n'));
        let before = if is_own_line { "" } else { self.line_end };
        self.insert(at, format!("{before}{field}"));
    }

    /// Puts `prefix` and a blank before the subject, unless it is there already. Without a subject
    /// there will be one.
    pub fn prefix_subject(&mut self, prefix: &str) {
        let Some(field) = self.message.header("subject") else {
            return self.prepend_header("Subject", prefix);
        };
        if field.text().starts_with(prefix) {
            return;
        }
        let name_end = field.range().end.saturating_sub(field.raw_value().len());
        let value = field.raw_value();
        let blanks = value.iter().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count();
        self.splice(
            name_end..name_end.saturating_add(blanks),
            format!(" {} ", encoded_word(prefix)),
        );
    }

    /// A field in the line ends of the message. What would end it early becomes a blank.
    fn field(&self, name: &str, value: &str) -> String {
        let name: String = name.chars().filter(|c| c.is_ascii_graphic() && *c != ':').collect();
        let lines = value.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<_> = lines.map(encoded_word).collect();
        let fold = format!("{}\t", self.line_end);
        format!("{name}: {}{}", lines.join(&fold), self.line_end)
    }

    /// Where the first field stands: behind the line of an mbox, if there is one.
    fn top(&self) -> usize {
        let raw = self.message.raw;
        let is_envelope = starts_with(raw, b"From ") || starts_with(raw, b">From ");
        if is_envelope { line_end(raw, 0, Breaks::Any).1 } else { 0 }
    }

    /// Where the empty line behind the last field stands, or the end of a message without one.
    fn bottom(&self) -> usize {
        let raw = self.message.raw;
        let fields = self.message.headers();
        let Some(last) = fields.iter().map(|field| field.range().end).max() else {
            return self.top();
        };
        let (_, next) = line_end(raw, last, Breaks::Any);
        // A line of blanks behind the last field folds it.
        let mut at = next;
        loop {
            let (end, next) = line_end(raw, at, Breaks::Any);
            let line = slice(raw, at..end);
            if line.is_empty() || !trim(line).is_empty() {
                return at;
            }
            at = next;
        }
    }
}
