//! What an installer's script calls the files it unpacks (NSIS sources, fileform.h).

use std::collections::HashMap;

use crate::cursor::{Cursor, Truncated};

/// The names of files, by where their data lies.
#[derive(Default)]
pub(super) struct Names<'a> {
    strings: &'a [u8],
    /// Where the data is, and where in the table the name is.
    places: HashMap<u32, u32>,
}

impl<'a> Names<'a> {
    /// Reads what the header says, as far as it makes sense.
    pub(super) fn read(header: &'a [u8]) -> Self {
        Self::try_read(header).unwrap_or_default()
    }

    fn try_read(header: &'a [u8]) -> Result<Self, Truncated> {
        let cursor = &mut Cursor::at(header, ENTRIES_AT)?;
        let (entries, count) = (cursor.u32_le()?, cursor.u32_le()?);
        let strings = Cursor::at(header, cursor.u32_le()?.into())?.rest();
        let cursor = &mut Cursor::at(header, entries.into())?;
        let mut places = HashMap::new();
        for _ in 0..count {
            let Ok(entry) = cursor.take(ENTRY) else { break };
            let field = |number: u64| Cursor::at(entry, number.saturating_mul(4))?.u32_le();
            if EXTRACT.contains(&field(0)?) {
                places.entry(field(3)?).or_insert(field(2)?);
            }
        }
        Ok(Self { strings, places })
    }

    /// The name of the file whose data is at `offset`, or that number.
    pub(super) fn of(&self, offset: u64) -> Vec<u8> {
        let place = u32::try_from(offset).ok().and_then(|offset| self.places.get(&offset));
        let name = place.map(|place| self.text(*place)).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| format!("@{offset}")).into_bytes()
    }

    fn text(&self, place: u32) -> String {
        let is_wide = self.strings.starts_with(&[0, 0]);
        let width: u64 = if is_wide { 2 } else { 1 };
        let rest = Cursor::at(self.strings, u64::from(place).saturating_mul(width));
        let rest = rest.unwrap_or_default().rest();
        if is_wide {
            let (units, _) = rest.as_chunks();
            plain(units.iter().map(|unit| u16::from_le_bytes(*unit)), 1)
        } else {
            plain(rest.iter().map(|byte| u16::from(*byte)), 2)
        }
    }
}

/// A text without its variables, each of which is a small number and `skipped` units behind it.
fn plain(units: impl Iterator<Item = u16>, skipped: usize) -> String {
    let mut units = units.take_while(|unit| *unit != 0).take(LONGEST);
    let mut text = Vec::new();
    while let Some(unit) = units.next() {
        if unit <= 4 {
            units.by_ref().take(skipped).for_each(drop);
        } else {
            text.push(unit);
        }
    }
    String::from_utf16_lossy(&text)
}

/// Behind the flags and two blocks of the header.
const ENTRIES_AT: u64 = 20;
const ENTRY: usize = 28;
/// The instruction that unpacks a file, in the versions there are.
const EXTRACT: [u32; 2] = [20, 21];
const LONGEST: usize = 260;
