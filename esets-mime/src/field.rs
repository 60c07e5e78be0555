//! A header field (RFC 5322, 2.2).

use crate::bytes::trim;
use crate::encoded_word;
use std::borrow::Cow;
use std::ops::Range;

/// One header field, as it stands in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) offset: usize,
}

impl<'a> Field<'a> {
    /// The name before the colon, untouched.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// Everything after the colon up to the line end, folds included.
    #[must_use]
    pub fn raw_value(&self) -> &'a [u8] {
        self.value
    }

    /// Where the field stands in the message, name to value, without the line end.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let length = self.name.len().saturating_add(1).saturating_add(self.value.len());
        self.offset..self.offset.saturating_add(length)
    }

    /// Whether this is the field `name`, whatever the case. White space, control characters and
    /// comments within the name are ignored, because some mail programs ignore them.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        significant(self.name).eq(name.bytes().map(|b| b.to_ascii_lowercase()))
    }

    /// The value on one line: folds undone, white space around it removed.
    #[must_use]
    pub fn unfolded(&self) -> Cow<'a, [u8]> {
        let value = trim(self.value);
        if value.iter().any(|b| matches!(b, b'\r' | b'\n')) {
            return Cow::Owned(
                value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect(),
            );
        }
        Cow::Borrowed(value)
    }

    /// The value as text: unfolded, encoded words (RFC 2047) decoded, other bytes read as UTF-8 or
    /// else as Windows-1252.
    #[must_use]
    pub fn text(&self) -> String {
        encoded_word::decode(&self.unfolded())
    }
}

/// The characters of a field name that count, in lower case.
fn significant(name: &[u8]) -> impl Iterator<Item = u8> {
    let mut depth = 0_u32;
    name.iter().filter_map(move |&b| match b {
        b'(' => {
            depth = depth.saturating_add(1);
            None
        }
        b')' => {
            depth = depth.saturating_sub(1);
            None
        }
        33..=126 if depth == 0 => Some(b.to_ascii_lowercase()),
        _ => None,
    })
}
