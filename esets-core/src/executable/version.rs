//! The strings of the version resource (`VS_VERSIONINFO`) of a PE file.

use super::{Resource, ResourceId, VersionString};
use crate::cursor::Cursor;

/// The strings of every version resource.
pub(super) fn read(file: &[u8], resources: &[Resource]) -> Vec<VersionString> {
    let mut strings = Vec::new();
    let versions = resources.iter().filter(|resource| resource.kind == RT_VERSION);
    for resource in versions.take(MAX_RESOURCES) {
        let start = usize::try_from(resource.offset).unwrap_or(usize::MAX);
        let size = usize::try_from(resource.size).unwrap_or(usize::MAX);
        let bytes = file.get(start..).unwrap_or_default();
        let bytes = bytes.get(..size).unwrap_or(bytes);
        if let Some(root) = Block::read(bytes, 0) {
            root.walk(0, &mut |block| {
                if strings.len() < MAX_STRINGS {
                    strings.push(block.string(resource.offset));
                }
            });
        }
    }
    strings
}

/// A node of the tree: a key, a value and children, each on a border of four bytes.
struct Block<'a> {
    /// All bytes of the resource.
    all: &'a [u8],
    /// The offset of the key in them.
    key_at: usize,
    key: String,
    value: &'a [u8],
    /// Where the children begin and end.
    children: std::ops::Range<usize>,
}

impl<'a> Block<'a> {
    fn read(all: &'a [u8], at: usize) -> Option<Self> {
        let mut cursor = Cursor::at(all, at as u64).ok()?;
        let length = usize::from(cursor.u16_le().ok()?);
        let value_length = usize::from(cursor.u16_le().ok()?);
        let is_text = cursor.u16_le().ok()? == 1;
        let end = at.checked_add(length)?.min(all.len());
        let key_at = cursor.position();
        let key = text(&mut cursor, end);
        let value_at = align(cursor.position());
        // The length of a text is counted in UTF-16 units.
        let value_size = if is_text { value_length.saturating_mul(2) } else { value_length };
        let value_end = value_at.saturating_add(value_size).min(end);
        let value = all.get(value_at..value_end).unwrap_or_default();
        let children = align(value_end)..end;
        (length >= 6).then_some(Self { all, key_at, key, value, children })
    }

    /// Shows the strings below: root, `StringFileInfo`, table, string.
    fn walk(&self, depth: usize, show: &mut impl FnMut(&Self)) {
        if depth == 3 {
            return show(self);
        }
        if depth == 1 && self.key != "StringFileInfo" {
            return;
        }
        let mut at = self.children.start;
        while at < self.children.end {
            let Some(child) = Self::read(self.all, at) else { return };
            child.walk(depth.saturating_add(1), show);
            at = align(child.children.end).max(at.saturating_add(4));
        }
    }

    fn string(&self, offset: u64) -> VersionString {
        let mut value = Cursor::new(self.value);
        VersionString {
            key: self.key.clone(),
            value: text(&mut value, self.value.len()),
            offset: offset.saturating_add(self.key_at as u64),
        }
    }
}

/// UTF-16 text up to its zero or `end`.
fn text(cursor: &mut Cursor<'_>, end: usize) -> String {
    let mut units = Vec::new();
    while cursor.position() < end && units.len() < MAX_TEXT {
        match cursor.u16_le() {
            Ok(0) | Err(_) => break,
            Ok(unit) => units.push(unit),
        }
    }
    String::from_utf16_lossy(&units)
}

fn align(at: usize) -> usize {
    at.saturating_add(3) & !3
}

const RT_VERSION: ResourceId = ResourceId::Number(16);
/// The most version resources that are read.
const MAX_RESOURCES: usize = 16;
/// The most strings that are kept.
const MAX_STRINGS: usize = 256;
/// The longest text that is kept, in UTF-16 units.
const MAX_TEXT: usize = 1024;
