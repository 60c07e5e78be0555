//! The resource tree of a PE file: type, name, language, and where the content lies.

use super::{Executable, Resource, ResourceId};
use crate::cursor::Cursor;

/// The leaves of the tree at `rva`, in file order.
pub(super) fn read(file: &[u8], executable: &Executable, rva: u32) -> Vec<Resource> {
    let mut walk = Walk { file, executable, tree: &[], entries: 0, found: Vec::new() };
    if rva != 0
        && let Some(tree) = executable.bytes_at(file, rva.into())
    {
        walk.tree = tree;
        walk.table(0, &mut Vec::new());
    }
    walk.found
}

/// One walk over a tree that may hold loops, so everything is counted.
struct Walk<'a> {
    file: &'a [u8],
    executable: &'a Executable,
    tree: &'a [u8],
    entries: usize,
    found: Vec<Resource>,
}

impl Walk<'_> {
    /// The table at `offset` in the tree, below `path`.
    fn table(&mut self, offset: u32, path: &mut Vec<ResourceId>) -> Option<()> {
        let mut cursor = Cursor::at(self.tree, offset.into()).ok()?;
        cursor.take(12).ok()?; // flags, time stamp, version
        let named = cursor.u16_le().ok()?;
        let numbered = cursor.u16_le().ok()?;
        for _ in 0..u32::from(named).saturating_add(numbered.into()) {
            self.entries = self.entries.saturating_add(1);
            if self.entries > MAX_ENTRIES || self.found.len() >= Executable::MAX_RESOURCES {
                return None;
            }
            let name = cursor.u32_le().ok()?;
            let target = cursor.u32_le().ok()?;
            path.push(self.id(name));
            self.entry(target, path);
            path.pop();
        }
        Some(())
    }

    /// What an entry points to: a table if the top bit is set, else a leaf.
    fn entry(&mut self, target: u32, path: &mut Vec<ResourceId>) {
        if target & TOP == 0 {
            self.leaf(target, path);
        } else if path.len() < 3 {
            self.table(target & !TOP, path);
        }
    }

    fn leaf(&mut self, offset: u32, path: &[ResourceId]) -> Option<()> {
        let mut cursor = Cursor::at(self.tree, offset.into()).ok()?;
        let rva = u64::from(cursor.u32_le().ok()?);
        let size = u64::from(cursor.u32_le().ok()?);
        let offset = self.executable.offset_in(self.file, rva)?;
        let level = |depth| path.get(depth).cloned().unwrap_or(ResourceId::Number(0));
        self.found.push(Resource {
            kind: level(0),
            name: level(1),
            language: level(2),
            offset,
            size: size.min((self.file.len() as u64).saturating_sub(offset)),
        });
        Some(())
    }

    /// The name of an entry: a text in the tree if the top bit is set, else a number.
    fn id(&self, name: u32) -> ResourceId {
        let text = (name & TOP != 0).then(|| self.text(name & !TOP)).flatten();
        text.map_or(ResourceId::Number(name), ResourceId::Name)
    }

    fn text(&self, offset: u32) -> Option<String> {
        let mut cursor = Cursor::at(self.tree, offset.into()).ok()?;
        let length = cursor.u16_le().ok()?.min(MAX_NAME);
        let units = (0..length).map_while(|_| cursor.u16_le().ok());
        Some(char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect())
    }
}

/// Marks a name that is a text, and a target that is a table.
const TOP: u32 = 1 << 31;
/// The most entries that are looked at, whatever they lead to.
const MAX_ENTRIES: usize = 8192;
/// The longest name that is kept, in UTF-16 units.
const MAX_NAME: u16 = 256;
