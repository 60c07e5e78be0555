//! The section of names: sorted, in blocks of [`BLOCK`], each name as what differs from the one
//! before. A name is stored with its class in front, so that both need one number only.
//!
//! Layout: number of names (4), offset of each block (4 each), blocks. A name is the length of
//! what it shares with the one before (1), the length of the rest (1), the rest.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Class;

/// Names with their classes, as they are collected.
#[derive(Debug, Default)]
pub(super) struct NamePool {
    text: Vec<u8>,
    ends: Vec<u32>,
}

/// A name in the pool; what it is in the file is known at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PoolId(u32);

impl NamePool {
    /// Adds a name; `None` if there are too many.
    pub(super) fn add(&mut self, name: &str, class: Class) -> Option<PoolId> {
        let id = u32::try_from(self.ends.len()).ok()?;
        let end = self.text.len().checked_add(1)?.checked_add(name.len())?;
        self.ends.push(u32::try_from(end).ok()?);
        self.text.push(code(class));
        self.text.extend(name.as_bytes());
        Some(PoolId(id))
    }

    fn get(&self, index: usize) -> &[u8] {
        let place = |index: usize| self.ends.get(index).and_then(|end| usize::try_from(*end).ok());
        let start = index.checked_sub(1).and_then(place).unwrap_or_default();
        let end = place(index).unwrap_or_default();
        self.text.get(start..end).unwrap_or_default()
    }

    /// The section, and for each [`PoolId`] the number of the name in it.
    pub(super) fn build(&self) -> (Vec<u8>, Numbers) {
        let mut order: Vec<usize> = (0..self.ends.len()).collect();
        order.sort_by_key(|index| self.get(*index));
        let mut numbers = vec![0_u32; self.ends.len()];
        let mut writer = Writer::default();
        for index in order {
            let number = writer.push(self.get(index));
            if let Some(slot) = numbers.get_mut(index) {
                *slot = number;
            }
        }
        (writer.finish(), Numbers(numbers))
    }
}

/// The numbers that names have in the file.
pub(super) struct Numbers(Vec<u32>);

impl Numbers {
    pub(super) fn of(&self, id: PoolId) -> u32 {
        let index = usize::try_from(id.0).ok();
        index.and_then(|index| self.0.get(index).copied()).unwrap_or(u32::MAX)
    }
}

#[derive(Default)]
struct Writer {
    blocks: Vec<u32>,
    text: Vec<u8>,
    last: Vec<u8>,
    count: u32,
}

impl Writer {
    /// Adds a name that is not before the last one; the same name again has the same number.
    fn push(&mut self, name: &[u8]) -> u32 {
        if self.count > 0 && self.last == name {
            return self.count.saturating_sub(1);
        }
        let begins_block = self.count.is_multiple_of(BLOCK);
        if begins_block {
            self.blocks.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        }
        let equal = self.last.iter().zip(name).take_while(|(a, b)| a == b).count();
        let shared = if begins_block { 0 } else { equal.min(255) };
        let rest = name.get(shared..).unwrap_or_default();
        self.text.extend([shared, rest.len()].map(|n| u8::try_from(n).unwrap_or(u8::MAX)));
        self.text.extend(rest);
        self.last = name.to_vec();
        self.count = self.count.saturating_add(1);
        self.count.saturating_sub(1)
    }

    fn finish(self) -> Vec<u8> {
        let mut section = self.count.to_le_bytes().to_vec();
        section.extend(self.blocks.iter().flat_map(|block| block.to_le_bytes()));
        section.extend(self.text);
        section
    }
}

/// The name with this number and its class; what the section does not hold has no name.
pub(super) fn read(section: &[u8], number: u32) -> Option<(String, Class)> {
    lookup(section, number).ok().flatten()
}

fn lookup(section: &[u8], number: u32) -> Result<Option<(String, Class)>, Truncated> {
    let count = Cursor::new(section).u32_le()?;
    if number >= count {
        return Ok(None);
    }
    let blocks = u64::from(count.div_ceil(BLOCK)).saturating_mul(4).saturating_add(4);
    let row = u64::from(number / BLOCK).saturating_mul(4).saturating_add(4);
    let block = u64::from(Cursor::at(section, row)?.u32_le()?);
    let mut cursor = Cursor::at(section, blocks.saturating_add(block))?;
    let mut text = Vec::new();
    for _ in 0..=number % BLOCK {
        let (shared, rest) = (cursor.u8()?, cursor.u8()?);
        text.truncate(shared.into());
        text.extend(cursor.take(rest.into())?);
    }
    let [class, name @ ..] = &*text else { return Ok(None) };
    Ok(Some((String::from_utf8_lossy(name).into_owned(), class_of(*class))))
}

fn code(class: Class) -> u8 {
    match class {
        Class::Malware => 0,
        Class::PotentiallyUnsafe => 1,
        Class::PotentiallyUnwanted => 2,
        Class::Suspicious => 3,
    }
}

fn class_of(code: u8) -> Class {
    match code {
        1 => Class::PotentiallyUnsafe,
        2 => Class::PotentiallyUnwanted,
        3 => Class::Suspicious,
        _ => Class::Malware,
    }
}

/// Names in one block.
const BLOCK: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_with_its_class() {
        let mut pool = NamePool::default();
        let name = |index: u32| format!("Win.Trojan.Agent-{}", index * 7919 % 100);
        let class = |index: u32| class_of(u8::try_from(index * 7919 % 100 % 4).unwrap());
        let ids: Vec<_> =
            (0..100).map(|index| pool.add(&name(index), class(index)).unwrap()).collect();
        let (section, numbers) = pool.build();
        for (index, id) in (0..).zip(ids) {
            assert_eq!(read(&section, numbers.of(id)), Some((name(index), class(index))));
        }
        assert_eq!(read(&section, 100), None);
        assert_eq!(read(b"", 0), None);
        assert!(section.len() < 1000, "{}", section.len());
    }
}
