//! From a place that passed the prefilter to the chains that may lie there.
//!
//! Two tables of keys, the eight or four bytes of an anchor: slots of check (4) and first entry (4),
//! a power of two of them, the next slot if one is taken. An entry of the lists is [`ENTRY`]
//! bytes: row (4), place of the chain in the programs (4), distance of the anchor from the pivot
//! (2), distance of the second check from the anchor (2, signed, 0 is none), its hash (2), number
//! of the chain among the anchored ones of the row (1), whether it is the last of its list (1).

use std::collections::BTreeMap;

use super::anchor::choose;
use super::prefilter;
use super::rarity::{cell, rarity, words};
use crate::cursor::{Cursor, Truncated};

/// A chain that wants to be found.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The fixed bytes at its pivot.
    pub(crate) run: Vec<u8>,
    /// The row of its pattern.
    pub(crate) row: u32,
    /// Its place in the programs.
    pub(crate) program: u32,
    /// Its number in the pattern.
    pub(crate) chain: u8,
}

/// The sections that are searched with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) prefilter: Vec<u8>,
    pub(crate) keys8: Vec<u8>,
    pub(crate) keys4: Vec<u8>,
    pub(crate) lists: Vec<u8>,
    /// Which of the wanted chains are in the tables; the others have no rare bytes.
    pub(crate) is_anchored: Vec<bool>,
}

impl Tables {
    /// Finds a place in each run to search for, and writes the tables.
    pub(crate) fn build(wanted: &[Wanted]) -> Self {
        let runs: Vec<&[u8]> = wanted.iter().map(|chain| &*chain.run).collect();
        let bits = prefilter::bits(runs.len());
        let places = choose(&runs, bits);
        let mut keys = [BTreeMap::new(), BTreeMap::new()];
        let mut cells = Vec::new();
        for (chain, place) in wanted.iter().zip(&places) {
            let Some(place) = *place else { continue };
            let (Some(word), long) = (word_at(&chain.run, place), long_at(&chain.run, place))
            else {
                continue;
            };
            cells.push(cell(word, bits));
            let [longs, shorts] = &mut keys;
            let (table, key) = match long {
                Some(key) => (longs, fold(key)),
                None => (shorts, fold(word.into())),
            };
            table.entry(key).or_insert_with(Vec::new).push(entry(chain, place));
        }
        let mut tables = Self::default();
        if !cells.is_empty() {
            tables.prefilter = prefilter::build(cells, bits);
        }
        let [longs, shorts] = &keys;
        tables.keys8 = slots(longs, &mut tables.lists);
        tables.keys4 = slots(shorts, &mut tables.lists);
        tables.is_anchored = places.iter().map(Option::is_some).collect();
        tables
    }
}

fn word_at(run: &[u8], place: usize) -> Option<u32> {
    run.get(place..)?.first_chunk().map(|word| u32::from_le_bytes(*word))
}

fn long_at(run: &[u8], place: usize) -> Option<u64> {
    run.get(place..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// Letters in either case are the same.
fn fold(key: u64) -> u64 {
    key | 0x2020_2020_2020_2020
}

fn spread(key: u64) -> u64 {
    let mixed = (key ^ key >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}

/// The hash of the second check.
fn short_hash(key: u64) -> u16 {
    let [.., low, high] = spread(fold(key)).to_le_bytes();
    u16::from_le_bytes([low, high])
}

fn entry(chain: &Wanted, place: usize) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    let delta = u16::try_from(place).unwrap_or_default();
    let (distance, hash) = second_check(&chain.run, place).unwrap_or_default();
    let fields = chain.row.to_le_bytes().into_iter();
    let fields = fields.chain(chain.program.to_le_bytes()).chain(delta.to_le_bytes());
    let fields =
        fields.chain(distance.to_le_bytes()).chain(hash.to_le_bytes()).chain([chain.chain]);
    entry.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    entry
}

/// The rarest eight bytes away from the anchor: their distance and hash.
fn second_check(run: &[u8], place: usize) -> Option<(i16, u16)> {
    let rarities: Vec<u8> = words(run).map(rarity).collect();
    let score = |at: &usize| {
        let rarity = |at: usize| rarities.get(at).copied().unwrap_or_default();
        (rarity(*at).saturating_add(rarity(at.saturating_add(4))), *at)
    };
    let last = run.len().checked_sub(8)?.min(usize::from(u8::MAX));
    let at = (0..=last).filter(|at| at.abs_diff(place) >= 4).max_by_key(score)?;
    let distance = i16::try_from(at).ok()?.checked_sub(i16::try_from(place).ok()?)?;
    Some((distance, short_hash(long_at(run, at)?)))
}

/// The slots of a table; the entries of its keys are added to the lists.
fn slots(keys: &BTreeMap<u64, Vec<[u8; ENTRY]>>, lists: &mut Vec<u8>) -> Vec<u8> {
    if keys.is_empty() {
        return Vec::new();
    }
    let count = keys.len().saturating_mul(2).next_power_of_two();
    let mut slots = vec![[0xff_u8; SLOT]; count];
    for (key, entries) in keys {
        let hash = spread(*key);
        let first = u32::try_from(lists.len().checked_div(ENTRY).unwrap_or_default());
        for (left, entry) in (0..entries.len()).rev().zip(entries) {
            let mut entry = *entry;
            entry[ENTRY - 1] = u8::from(left == 0);
            lists.extend(entry);
        }
        let [check, first] = [check_of(hash), first.unwrap_or(u32::MAX)].map(u32::to_le_bytes);
        let mut at = home(hash, count);
        while slots.get(at).is_some_and(|slot| slot.last_chunk() != Some(&FREE)) {
            at = at.wrapping_add(1) & count.saturating_sub(1);
        }
        if let Some(slot) = slots.get_mut(at) {
            let bytes = check.iter().chain(&first);
            slot.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        }
    }
    slots.concat()
}

/// The slot of a hash in a table of `count`, a power of two.
fn home(hash: u64, count: usize) -> usize {
    usize::try_from(hash >> 32).unwrap_or_default() & count.wrapping_sub(1)
}

fn check_of(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The tables, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys<'f> {
    longs: &'f [[u8; SLOT]],
    shorts: &'f [[u8; SLOT]],
    lists: &'f [[u8; ENTRY]],
}

/// A chain that may lie at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) row: u32,
    pub(crate) program: u32,
    pub(crate) chain: u8,
    /// Where its pivot would be.
    pub(crate) pivot: usize,
}

impl<'f> Keys<'f> {
    pub(crate) fn read(keys8: &'f [u8], keys4: &'f [u8], lists: &'f [u8]) -> Self {
        let whole = |section: &'f [u8]| {
            let (slots, _) = section.as_chunks();
            if slots.len().is_power_of_two() { slots } else { &[] }
        };
        Self { longs: whole(keys8), shorts: whole(keys4), lists: lists.as_chunks().0 }
    }

    /// The chains that may lie where their anchor is at `place` of `data`.
    pub(crate) fn candidates<'k>(
        &'k self,
        data: &'k [u8],
        place: usize,
    ) -> impl Iterator<Item = Candidate> + use<'k> {
        let longs = long_at(data, place).map(|key| find(self.longs, fold(key)));
        let shorts = word_at(data, place).map(|key| find(self.shorts, fold(key.into())));
        let firsts = longs.into_iter().chain(shorts).flatten();
        let lists = firsts.flat_map(|first| self.list(first));
        lists.filter_map(move |entry| candidate(entry, data, place).ok().flatten())
    }

    fn list(&self, first: u32) -> impl Iterator<Item = &'f [u8; ENTRY]> + use<'f> {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let mut rest = self.lists.get(first..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (entry, behind) = rest.split_first()?;
            rest = if entry[ENTRY - 1] == 0 { behind } else { &[] };
            Some(entry)
        })
    }
}

/// The first entry of a key, and now and then that of another one with the same check.
fn find(slots: &[[u8; SLOT]], key: u64) -> impl Iterator<Item = u32> + use<'_> {
    let hash = spread(key);
    let check = check_of(hash).to_le_bytes();
    let mut at = home(hash, slots.len());
    let probe = move |_| {
        let slot = slots.get(at).filter(|slot| slot.last_chunk() != Some(&FREE))?;
        at = at.wrapping_add(1) & slots.len().wrapping_sub(1);
        Some(slot)
    };
    let taken = (0..MOST_PROBES).map_while(probe);
    taken.filter_map(move |[a, b, c, d, first @ ..]| {
        ([*a, *b, *c, *d] == check).then_some(u32::from_le_bytes(*first))
    })
}

/// The chain of an entry, if its second check holds.
fn candidate(
    entry: &[u8; ENTRY],
    data: &[u8],
    place: usize,
) -> Result<Option<Candidate>, Truncated> {
    let mut cursor = Cursor::new(entry);
    let (row, program) = (cursor.u32_le()?, cursor.u32_le()?);
    let delta = usize::from(cursor.u16_le()?);
    let distance = i16::from_le_bytes(cursor.array()?);
    let (hash, chain) = (cursor.u16_le()?, cursor.u8()?);
    if distance != 0 {
        let there = place.checked_add_signed(distance.into()).and_then(|at| long_at(data, at));
        if there.map(short_hash) != Some(hash) {
            return Ok(None);
        }
    }
    let pivot = place.checked_sub(delta);
    Ok(pivot.map(|pivot| Candidate { row, program, chain, pivot }))
}

/// Bytes of an entry of the lists.
const ENTRY: usize = 16;
/// Bytes of a slot.
const SLOT: usize = 8;
/// What marks a free slot, in place of the first entry.
const FREE: [u8; 4] = [0xff; 4];
/// So many slots are looked at: far more than there are in a row, fewer than there may be in a
/// damaged file.
const MOST_PROBES: usize = 256;
