//! Base64 inside XML: the content of elements of one name, whatever prefix and character set.

use std::borrow::Cow;
use std::io::Read;

use esets_mime::Encoding;
use memchr::memmem;

use crate::budget::{Lease, Stop};
use crate::children::Children;
use crate::object::Member;
use crate::verdict::Reason;

/// XML in UTF-8, or in any character set that has ASCII in it.
pub(crate) struct Xml<'a> {
    text: Cow<'a, [u8]>,
    _lease: Lease,
}

/// An element and the attributes of the element around it that had any.
pub(crate) struct Element<'x> {
    /// What stands in the start tag behind the name.
    pub(crate) attributes: &'x [u8],
    /// What stands in the start tag before, behind its name.
    pub(crate) outer: &'x [u8],
    content: &'x [u8],
    is_complete: bool,
}

impl<'a> Xml<'a> {
    /// Takes the bytes as they are, or decodes them if they are UTF-16.
    pub(crate) fn read(bytes: &'a [u8], children: &mut Children<'_>) -> Result<Self, Reason> {
        let Some(order) = order(bytes) else {
            return Ok(Self { text: Cow::Borrowed(bytes), _lease: children.lease(0)? });
        };
        let lease = children.lease((bytes.len() as u64).saturating_mul(2))?;
        let units = bytes.as_chunks().0.iter().map(|unit| order(*unit));
        let text: String = char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Ok(Self { text: Cow::Owned(text.into_bytes()), _lease: lease })
    }

    /// Every element of this local name.
    pub(crate) fn elements(&self, name: &'static str) -> impl Iterator<Item = Element<'_>> {
        let text: &[u8] = &self.text;
        let mut outer: &[u8] = &[];
        memchr::memchr_iter(b'<', text).filter_map(move |at| {
            let tag = text.get(at..)?.get(1..)?;
            let end = memchr::memchr2(b'>', b'<', tag)?;
            let (tag, behind) = tag.split_at_checked(end)?;
            let (found, attributes) = tag.split_at(name_length(tag));
            if is_local(found, name) {
                let content = behind.get(1..)?;
                let end = content_end(content);
                let content = content.get(..end.unwrap_or(content.len()))?;
                return Some(Element { attributes, outer, content, is_complete: end.is_some() });
            }
            if !attributes.is_empty() {
                outer = attributes;
            }
            None
        })
    }
}

impl Element<'_> {
    /// Offers the content, decoded and then read through what `wrap` makes of it.
    pub(crate) fn offer(
        &self,
        name: &[u8],
        children: &mut Children<'_>,
        wrap: impl FnOnce(Box<dyn Read + '_>) -> Box<dyn Read + '_>,
    ) -> Result<(), Stop> {
        if !self.is_complete {
            children.not_scanned(Reason::Truncated);
        }
        let clean = plain(self.content);
        children.stream(Member::named(name), &mut *wrap(Box::new(Encoding::Base64.decode(&clean))))
    }
}

/// Whether the object is XML with an element of this local name.
pub(crate) fn has_element(bytes: &[u8], name: &str) -> bool {
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    let wide: Vec<u8>;
    let name = if order(bytes).is_some() {
        // In either order: a zero stands between the letters.
        wide = name.bytes().flat_map(|letter| [letter, 0]).collect();
        wide.get(..wide.len().saturating_sub(1)).unwrap_or_default()
    } else {
        name.as_bytes()
    };
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    (first == Some(&b'<') || starts(b"\xEF\xBB\xBF") || order(bytes).is_some())
        && memmem::find(bytes, name).is_some()
}

/// The value of an attribute, without its quotes.
pub(crate) fn attribute<'x>(attributes: &'x [u8], name: &str) -> Option<&'x [u8]> {
    let mut rest = attributes;
    loop {
        let at = memchr::memchr(b'=', rest)?;
        let (key, value) = rest.split_at_checked(at)?;
        let value = value.get(1..)?.trim_ascii_start();
        let (quote, value) = value.split_first()?;
        let (value, behind) = value.split_at_checked(memchr::memchr(*quote, value)?)?;
        if is_local(key.trim_ascii(), name) {
            return Some(value);
        }
        rest = behind.get(1..)?;
    }
}

/// How two bytes make a unit, if the text is UTF-16.
fn order(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match bytes {
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => Some(u16::from_le_bytes),
        [0xFE, 0xFF, ..] | [0, b'<', ..] => Some(u16::from_be_bytes),
        _ => None,
    }
}

/// Whether a name is this one, without its prefix.
fn is_local(name: &[u8], local: &str) -> bool {
    name.rsplit(|byte| *byte == b':').next() == Some(local.as_bytes())
}

fn name_length(tag: &[u8]) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'/';
    tag.iter().position(ends).unwrap_or(tag.len())
}

/// Where the next tag begins; comments and CDATA sections are content.
fn content_end(content: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', content).find(|at| {
        let mark = content.get(at.saturating_add(1)..).and_then(<[u8]>::first);
        mark.is_none_or(|mark| !matches!(mark, b'!' | b'?'))
    })
}

/// The text without character references, comments and the marks of CDATA sections, all of which
/// may stand among letters of base64.
fn plain(content: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'&', b'<', content).is_none() {
        return Cow::Borrowed(content);
    }
    let mut plain = Vec::new();
    let mut rest = content;
    while let Some(at) = memchr::memchr2(b'&', b'<', rest) {
        let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        plain.extend_from_slice(before);
        let (letter, length) = markup(behind);
        plain.extend(letter);
        rest = behind.get(length.max(1)..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// The letter that the markup at the start stands for, if any, and its length.
fn markup(text: &[u8]) -> (Option<u8>, usize) {
    let through =
        |end: &[u8]| memmem::find(text, end).map_or(text.len(), |at| at.saturating_add(end.len()));
    if text.starts_with(b"<![CDATA[") {
        (None, 9)
    } else if text.starts_with(b"<!--") {
        (None, through(b"-->"))
    } else if text.starts_with(b"<?") {
        (None, through(b"?>"))
    } else {
        let name = text.get(1..12).or(text.get(1..)).unwrap_or_default();
        let end = name.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#');
        match end.and_then(|end| name.split_at_checked(end)) {
            Some((name, [b';', ..])) => (reference(name), name.len().saturating_add(2)),
            _ => (None, 1),
        }
    }
}

/// The ASCII letter that a numeric reference stands for.
fn reference(reference: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(reference.strip_prefix(b"#")?).ok()?;
    match digits.strip_prefix('x') {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_sections_hide_nothing() {
        let text = b"QU&#x4a;D<!-- QQQ --><![CDATA[RE]]>&#81;<?x?>&&#61;=<!";
        assert_eq!(&*plain(text), b"QUJDRE]]>Q==!");
        assert_eq!(content_end(b"QQ<!-- -->==</a>"), Some(12));
        assert_eq!(attribute(br#" a="1" w:name = 'x.bin'"#, "name"), Some(&b"x.bin"[..]));
    }
}
