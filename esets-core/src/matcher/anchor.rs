//! Which four bytes of each pattern are searched for: as few different ones as possible, and rare.
//!
//! Every place of an object at which such bytes may begin costs a look into the table of keys, so
//! the sum of their densities is what a search costs. This is the weighted set cover problem; the
//! greedy answer is used: again and again the cell that serves most patterns for its density.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::rarity::{RARE, cell, rarity, words};

/// For each run of fixed bytes the place of its anchor; `None` if it has no rare four bytes.
pub(super) fn choose(runs: &[&[u8]], bits: u32) -> Vec<Option<usize>> {
    let cover = Cover::new(runs, bits);
    let chosen = cover.solve(runs.len());
    runs.iter().map(|run| best(run, bits, &chosen)).collect()
}

/// Which runs have each cell, and how rare the cell is.
struct Cover {
    cells: BTreeMap<u32, Cell>,
    of_run: Vec<Vec<u32>>,
}

struct Cell {
    weight: u64,
    runs: Vec<u32>,
}

impl Cover {
    fn new(runs: &[&[u8]], bits: u32) -> Self {
        let mut cells: BTreeMap<u32, Cell> = BTreeMap::new();
        let mut of_run = Vec::new();
        for (number, run) in (0_u32..).zip(runs) {
            let mut own: Vec<(u32, u8)> =
                windows(run).map(|(_, word)| (cell(word, bits), rarity(word))).collect();
            own.sort_unstable();
            own.dedup_by_key(|(cell, _)| *cell);
            for (cell, rarity) in &own {
                let weight = 1 << 15_u8.saturating_sub(*rarity);
                let new = Cell { weight, runs: Vec::new() };
                let entry = cells.entry(*cell).or_insert(new);
                entry.weight = entry.weight.max(weight);
                entry.runs.push(number);
            }
            of_run.push(own.into_iter().map(|(cell, _)| cell).collect());
        }
        Self { cells, of_run }
    }

    /// The chosen cells, in order.
    fn solve(&self, runs: usize) -> Vec<u32> {
        let mut open: BTreeMap<u32, u64> =
            self.cells.iter().map(|(cell, entry)| (*cell, entry.runs.len() as u64)).collect();
        let worth = |cell: u32, open: u64| {
            let weight = self.cells.get(&cell).map_or(1, |entry| entry.weight);
            (open << 20).checked_div(weight).unwrap_or_default()
        };
        let mut heap: BinaryHeap<(u64, Reverse<u32>)> =
            open.iter().map(|(cell, open)| (worth(*cell, *open), Reverse(*cell))).collect();
        let mut is_covered = vec![false; runs];
        let mut chosen = Vec::new();
        while let Some((claimed, Reverse(cell))) = heap.pop() {
            let left = open.get(&cell).copied().unwrap_or_default();
            let real = worth(cell, left);
            if left == 0 {
                continue;
            }
            if real < claimed {
                heap.push((real, Reverse(cell)));
                continue;
            }
            chosen.push(cell);
            self.cover(cell, &mut is_covered, &mut open);
        }
        chosen.sort_unstable();
        chosen
    }

    fn cover(&self, cell: u32, is_covered: &mut [bool], open: &mut BTreeMap<u32, u64>) {
        let runs = self.cells.get(&cell).map(|entry| &*entry.runs).unwrap_or_default();
        for run in runs.iter().filter_map(|run| usize::try_from(*run).ok()) {
            let Some(slot) = is_covered.get_mut(run).filter(|slot| !**slot) else { continue };
            *slot = true;
            for cell in self.of_run.get(run).into_iter().flatten() {
                if let Some(left) = open.get_mut(cell) {
                    *left = left.saturating_sub(1);
                }
            }
        }
    }
}

/// The places of a run that may be its anchor, and the four bytes there.
fn windows(run: &[u8]) -> impl Iterator<Item = (usize, u32)> {
    // Eight bytes make a better key, if there are places enough to choose from.
    let usable = if run.len() >= LONG { run.len().saturating_sub(4) } else { run.len() };
    let run = run.get(..usable.min(LOOKED_AT)).unwrap_or(run);
    words(run).enumerate().filter(|(_, word)| rarity(*word) >= RARE)
}

/// Of the places with a chosen cell, the one with the rarest eight bytes.
fn best(run: &[u8], bits: u32, chosen: &[u32]) -> Option<usize> {
    let is_chosen = |word: &u32| chosen.binary_search(&cell(*word, bits)).is_ok();
    let all: Vec<u32> = words(run).collect();
    let score = |(place, word): &(usize, u32)| {
        let behind = all.get(place.saturating_add(4)).map(|word| rarity(*word));
        (behind.unwrap_or_default().saturating_add(rarity(*word)), Reverse(*place))
    };
    windows(run).filter(|(_, word)| is_chosen(word)).max_by_key(score).map(|(place, _)| place)
}

/// From so many bytes on, a run has at least seven places with eight bytes.
const LONG: usize = 14;
/// Only so many bytes of a run are considered.
const LOOKED_AT: usize = 96;
