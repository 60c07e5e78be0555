//! Changes a message by splices: every byte that no edit concerns stays as it is, so that a
//! signature over untouched parts (DKIM, RFC 6376) still holds.

mod encode;
mod footnote;
mod header;
mod replace;

use std::ops::Range;

use crate::bytes::{from, slice};
use crate::message::Message;

/// Edits of one message, collected and then done at once.
///
/// ```
/// use esets_mime::{Limits, Message};
///
/// let raw = b"Subject: hello\r\n\r\ntext\r\n";
/// let message = Message::parse(raw, &Limits::default());
/// let mut rewriter = message.rewrite();
/// rewriter.prepend_header("X-Scanned", "by us");
/// rewriter.prefix_subject("[checked]");
/// rewriter.footnote("No threat was found.", "<p>No threat was found.</p>");
/// let expected = b"X-Scanned: by us\r\nSubject: [checked] hello\r\n\r\ntext\r\n\r\n\
///     No threat was found.\r\n";
/// assert_eq!(rewriter.finish(), expected);
/// ```
#[derive(Clone, Debug)]
pub struct Rewriter<'m, 'a> {
    message: &'m Message<'a>,
    line_end: &'static str,
    splices: Vec<Splice>,
}

/// Bytes of the message and what stands there afterwards.
#[derive(Clone, Debug)]
struct Splice {
    range: Range<usize>,
    text: Vec<u8>,
}

impl<'a> Message<'a> {
    /// Starts to change the message.
    #[must_use]
    pub fn rewrite(&self) -> Rewriter<'_, 'a> {
        Rewriter { message: self, line_end: line_end_of(self.raw), splices: Vec::new() }
    }
}

impl Rewriter<'_, '_> {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.splices.is_empty()
    }

    /// The message with all edits made. Where edits overlap, the one that takes away most wins, and
    /// those within what it takes away are not made.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        // A stable sort: insertions at one place stay in the order in which they were asked for.
        self.splices.sort_by_key(|splice| {
            (splice.range.start, !splice.range.is_empty(), usize::MAX ^ splice.range.end)
        });
        let raw = self.message.raw;
        let mut result = Vec::new();
        let mut at = 0;
        for splice in self.splices {
            if splice.range.start < at {
                continue;
            }
            result.extend_from_slice(slice(raw, at..splice.range.start));
            result.extend_from_slice(&splice.text);
            at = splice.range.end;
        }
        result.extend_from_slice(from(raw, at));
        result
    }

    fn insert(&mut self, at: usize, text: impl Into<Vec<u8>>) {
        self.splice(at..at, text);
    }

    fn splice(&mut self, range: Range<usize>, text: impl Into<Vec<u8>>) {
        let end = range.end.min(self.message.raw.len());
        let range = range.start.min(end)..end;
        self.splices.push(Splice { range, text: text.into() });
    }

    /// Text in the line ends of the message.
    fn lines(&self, text: &str) -> String {
        text.lines().flat_map(|line| [line, self.line_end]).collect()
    }
}

/// What ends the first line, or CR LF.
fn line_end_of(raw: &[u8]) -> &'static str {
    match memchr::memchr(b'\n', raw) {
        Some(at) if slice(raw, 0..at).last() != Some(&b'\r') => "\n",
        _ => "\r\n",
    }
}
