//! The directory of a compound file: a record for each stream and storage.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::cursor::Cursor;

/// Which storage a node lies in.
#[derive(Default)]
pub(crate) struct Tree {
    parents: HashMap<u32, u32>,
}

impl Tree {
    /// The storage around a node; `None` for the root and for what no storage names.
    pub(crate) fn parent(&self, index: u32) -> Option<u32> {
        self.parents.get(&index).copied()
    }

    /// Puts a node into a storage, unless it is in one.
    pub(super) fn put(&mut self, index: u32, parent: u32) -> bool {
        match self.parents.entry(index) {
            Entry::Vacant(place) => {
                place.insert(parent);
                true
            }
            Entry::Occupied(_) => false,
        }
    }
}

/// A record of the directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) index: u32,
    pub(crate) kind: Kind,
    pub(crate) class: [u8; 16],
    pub(crate) size: u64,
    name: &'a [u8],
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) child: u32,
    pub(super) start: u32,
}

/// What a record stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unused,
    Storage,
    Stream,
    Root,
}

impl<'a> Node<'a> {
    pub(super) fn read(bytes: &'a [u8], index: usize, at: usize) -> Option<Self> {
        let mut fields = Cursor::at(bytes, at as u64).ok()?;
        let name = fields.take(64).ok()?;
        let length = usize::from(fields.u16_le().ok()?).saturating_sub(2);
        let kind = fields.u8().ok()?;
        fields.u8().ok()?; // colour
        let [left, right, child] =
            [fields.u32_le().ok()?, fields.u32_le().ok()?, fields.u32_le().ok()?];
        let class = fields.array().ok()?;
        fields.take(20).ok()?; // state, times
        Some(Self {
            index: u32::try_from(index).ok()?,
            kind: match kind {
                0 => Kind::Unused,
                1 => Kind::Storage,
                5 => Kind::Root,
                // Types that nobody writes still have a content to look at.
                _ => Kind::Stream,
            },
            class,
            name: name.get(..length).unwrap_or(name),
            left,
            right,
            child,
            start: fields.u32_le().ok()?,
            size: fields.u64_le().ok()?,
        })
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.kind == Kind::Stream
    }

    /// The name; characters that are not Unicode are replaced.
    pub(crate) fn name(&self) -> String {
        char::decode_utf16(self.units()).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }

    /// The name's UTF-16 units.
    pub(crate) fn units(&self) -> impl Iterator<Item = u16> + use<'a> {
        let pairs = self.name.chunks_exact(2).filter_map(|pair| pair.first_chunk());
        pairs.map(|pair| u16::from_le_bytes(*pair)).take_while(|unit| *unit != 0)
    }

    /// Whether the name is this one, without regard to the case of ASCII letters.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let folded = |unit: u16| u8::try_from(unit).map_or(unit, |b| b.to_ascii_lowercase().into());
        self.units().map(folded).eq(name.encode_utf16().map(folded))
    }
}

pub(super) const NONE: u32 = 0xFFFF_FFFF;
/// Bytes of a record.
pub(super) const RECORD: usize = 128;
