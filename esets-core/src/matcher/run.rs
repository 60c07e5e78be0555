//! Executes a program at a place of an object.
//!
//! The state is the set of places that may be reached, as intervals, so that no input makes the
//! work grow with the number of ways to reach them.

use std::ops::RangeInclusive;

use super::places::Places;
use super::program::{Chain, Op, VEIL, block};
use crate::cursor::Cursor;
use crate::signature::Boundary;

/// What may still be spent on one object.
#[derive(Debug)]
pub(crate) struct Steps(u64);

/// Nothing is left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Steps {
    /// What an object of `size` bytes may cost: an honest one needs less than one step a byte.
    pub(crate) fn for_object(size: usize) -> Self {
        Self(FREE_STEPS.saturating_add((size as u64).saturating_mul(STEPS_PER_BYTE)))
    }

    pub(crate) fn take(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(steps as u64).ok_or(Exhausted)?;
        Ok(())
    }
}

impl Chain<'_> {
    /// Whether the chain lies at `pivot` in `data` and may begin within `starts`: its first
    /// possible start and its first possible end.
    pub(crate) fn lies_at(
        &self,
        data: &[u8],
        pivot: usize,
        starts: &RangeInclusive<u64>,
        steps: &mut Steps,
    ) -> Result<Option<(usize, usize)>, Exhausted> {
        if self.before.is_empty() && !starts.contains(&(pivot as u64)) {
            return Ok(None);
        }
        let mut runner = Runner { data, steps, way: Way::Forwards };
        let ends = runner.run(self.after, Places::at(pivot))?;
        let Some(end) = ends.first() else { return Ok(None) };
        runner.way = Way::Backwards;
        let begins = runner.run(self.before, Places::at(pivot))?;
        Ok(begins.first_within(starts).map(|start| (start, end)))
    }

    /// Whether the chain is tried where it may begin, there being few such places.
    pub(super) fn is_placed(&self, starts: &RangeInclusive<u64>) -> bool {
        let width = starts.end().saturating_sub(*starts.start());
        self.before.is_empty() && width <= 4096
    }

    /// The places where the chain may end if it begins within `starts`.
    pub(super) fn ends(
        &self,
        data: &[u8],
        starts: &RangeInclusive<u64>,
        steps: &mut Steps,
    ) -> Result<Places, Exhausted> {
        steps.take(1)?;
        let mut runner = Runner { data, steps, way: Way::Forwards };
        runner.run(self.after, Places::within(starts, data.len()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forwards,
    Backwards,
}

struct Runner<'d, 's> {
    data: &'d [u8],
    steps: &'s mut Steps,
    way: Way,
}

impl<'d> Runner<'d, '_> {
    fn run(&mut self, program: &[u8], mut places: Places) -> Result<Places, Exhausted> {
        let mut cursor = Cursor::new(program);
        while !cursor.is_empty() && places.one.is_some() {
            // A damaged program matches nothing.
            let Ok(op) = Op::read(&mut cursor) else { return Ok(Places::default()) };
            places = self.step(op, &places)?;
        }
        Ok(places)
    }

    fn step(&mut self, op: Op<'_>, places: &Places) -> Result<Places, Exhausted> {
        match op {
            Op::Boundary(boundary, negated) => self.edge(boundary, negated, places),
            Op::Choice(options, false) => self.choose(options, places),
            Op::Choice(options, true) => self.avoid(options, places),
            Op::Gap(min, max) => Ok(self.gap(min, max, places)),
            Op::Literal(bytes) => self.scan(places, bytes.len(), |there| equal(there, bytes)),
            Op::Folded(bytes) => self.scan(places, bytes.len(), |there| equal_folded(there, bytes)),
            Op::Set(set) => self.scan(places, 1, |there| contains(set, there)),
            Op::Masked(pairs) => {
                let length = pairs.len().checked_div(2).unwrap_or_default();
                self.scan(places, length, |there| equal_masked(there, pairs))
            }
        }
    }

    /// The places behind every place at which `length` bytes lie that `fit`.
    fn scan(
        &mut self,
        places: &Places,
        length: usize,
        fit: impl Fn(&[u8]) -> bool,
    ) -> Result<Places, Exhausted> {
        let mut reached = Places::default();
        for (low, high) in places.iter() {
            for place in low..=high.min(self.data.len()) {
                self.steps.take(1)?;
                let Some((there, next)) = self.piece(place, length) else {
                    // Further on, there is still less left; backwards, there may be more.
                    if self.way == Way::Forwards { break } else { continue }
                };
                if fit(there) {
                    self.steps.take(length.checked_div(BYTES_PER_STEP).unwrap_or_default())?;
                    reached.push(next, next);
                }
            }
        }
        Ok(reached)
    }

    /// The `length` bytes that come next at `place`, and the place behind them.
    fn piece(&self, place: usize, length: usize) -> Option<(&'d [u8], usize)> {
        let (start, end, next) = match self.way {
            Way::Forwards => {
                let end = place.checked_add(length)?;
                (place, end, end)
            }
            Way::Backwards => {
                let start = place.checked_sub(length)?;
                (start, place, start)
            }
        };
        Some((self.data.get(start..end)?, next))
    }

    fn gap(&self, min: u32, max: u32, places: &Places) -> Places {
        let [min, max] = [min, max].map(|width| usize::try_from(width).unwrap_or(usize::MAX));
        let mut reached = Places::default();
        for (low, high) in places.iter() {
            let (from, to) = match self.way {
                Way::Forwards => (low.checked_add(min), Some(high.saturating_add(max))),
                Way::Backwards => (Some(low.saturating_sub(max)), high.checked_sub(min)),
            };
            let to = to.map(|to| to.min(self.data.len()));
            if let Some((from, to)) = from.zip(to).filter(|(from, to)| from <= to) {
                reached.push(from, to);
            }
        }
        reached
    }

    fn choose(&mut self, options: &[u8], places: &Places) -> Result<Places, Exhausted> {
        let mut reached = Vec::new();
        let mut cursor = Cursor::new(options);
        while let Ok(option) = block(&mut cursor) {
            reached.push(self.run(option, places.clone())?);
        }
        Ok(Places::union(&reached))
    }

    /// The options of a negated choice are literals of one length.
    fn avoid(&mut self, options: &[u8], places: &Places) -> Result<Places, Exhausted> {
        let mut cursor = Cursor::new(options);
        let Ok(first) = block(&mut cursor) else { return Ok(Places::default()) };
        let length = length_of(first);
        let mut reached = Places::default();
        for (low, high) in places.iter() {
            for place in low..=high.min(self.data.len()) {
                self.steps.take(1)?;
                let Some((_, next)) = self.piece(place, length) else { continue };
                if self.choose(options, &Places::at(place))?.one.is_none() {
                    reached.push(next, next);
                }
            }
        }
        Ok(reached)
    }

    fn edge(
        &mut self,
        boundary: Boundary,
        negated: bool,
        places: &Places,
    ) -> Result<Places, Exhausted> {
        let mut reached = Vec::new();
        for (low, high) in places.iter() {
            for place in low..=high.min(self.data.len()) {
                self.steps.take(1)?;
                let mut here = Places::default();
                let mut widths: Vec<usize> = self.widths(boundary, negated, place).collect();
                if self.way == Way::Backwards {
                    widths.reverse();
                }
                for width in widths {
                    if let Some((_, next)) = self.piece(place, width) {
                        here.push(next, next);
                    }
                }
                reached.push(here);
            }
        }
        Ok(Places::union(&reached))
    }

    /// How wide the edge at `place` may be; none if there is no edge.
    fn widths(
        &self,
        boundary: Boundary,
        negated: bool,
        place: usize,
    ) -> impl Iterator<Item = usize> + use<> {
        let one = self.piece(place, 1).and_then(|(there, _)| there.first().copied());
        let two = self.piece(place, 2).map(|(there, _)| there == b"\r\n");
        let is_edge = match (boundary, one) {
            (Boundary::Line, Some(byte)) => byte == b'\n' || (byte == b'\r' && two == Some(true)),
            (Boundary::Word | Boundary::NotAlphanumeric, Some(byte)) => {
                !byte.is_ascii_alphanumeric()
            }
            _ => false,
        };
        let word_edge = word_edge(boundary, self.data, place);
        let at_end = one.is_none() && boundary != Boundary::NotAlphanumeric && !negated;
        let is_line = boundary == Boundary::Line && !negated;
        let single = one.is_some() && is_edge != negated && !(is_line && one == Some(b'\r'));
        let double = is_line && two == Some(true);
        let widths = match word_edge {
            Some(is_there) => [(0, is_there != negated), (1, false), (2, false)],
            None => [(0, at_end), (1, single), (2, double)],
        };
        widths.into_iter().filter_map(|(width, holds)| holds.then_some(width))
    }
}

/// Whether a word begins or ends at `place`, if that is asked.
fn word_edge(boundary: Boundary, data: &[u8], place: usize) -> Option<bool> {
    let is_in_word =
        |at: Option<usize>| at.and_then(|at| data.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let is_zero = |at: Option<usize>| at.and_then(|at| data.get(at)) == Some(&0);
    let (before, second) = (place.checked_sub(1), place.checked_sub(2));
    let behind = place.checked_add(1);
    Some(match boundary {
        Boundary::WordStart => !is_in_word(before),
        Boundary::WordEnd => !is_in_word(Some(place)),
        Boundary::WideWordStart => !(is_in_word(second) && is_zero(before)),
        Boundary::WideWordEnd => !(is_in_word(Some(place)) && is_zero(behind)),
        Boundary::Line | Boundary::Word | Boundary::NotAlphanumeric => return None,
    })
}

/// How many bytes a program of literals, masked bytes and fixed gaps takes.
fn length_of(program: &[u8]) -> usize {
    let mut cursor = Cursor::new(program);
    let mut length = 0_usize;
    while let Ok(op) = Op::read(&mut cursor) {
        let more = match op {
            Op::Folded(bytes) | Op::Literal(bytes) => bytes.len(),
            Op::Masked(pairs) => pairs.len().checked_div(2).unwrap_or_default(),
            Op::Gap(min, _) => usize::try_from(min).unwrap_or(usize::MAX),
            Op::Set(_) => 1,
            Op::Boundary(..) | Op::Choice(..) => 0,
        };
        length = length.saturating_add(more);
    }
    length
}

fn contains(set: &[u8], there: &[u8]) -> bool {
    let [byte] = there else { return false };
    set.get(usize::from(byte >> 3)).is_some_and(|bits| bits >> (byte & 7) & 1 == 1)
}

fn equal(there: &[u8], veiled: &[u8]) -> bool {
    there.iter().zip(veiled).all(|(byte, veiled)| byte ^ VEIL == *veiled)
}

fn equal_folded(there: &[u8], veiled: &[u8]) -> bool {
    there.iter().zip(veiled).all(|(byte, veiled)| byte.eq_ignore_ascii_case(&(veiled ^ VEIL)))
}

fn equal_masked(there: &[u8], pairs: &[u8]) -> bool {
    there.iter().zip(pairs.chunks_exact(2)).all(|(byte, pair)| match pair {
        [value, mask] => byte & (mask ^ VEIL) == value ^ VEIL,
        _ => false,
    })
}

/// What any object may cost.
const FREE_STEPS: u64 = 1 << 22;
/// What an object may cost on top, for each of its bytes.
const STEPS_PER_BYTE: u64 = 64;
/// How many bytes of a comparison cost about as much as its beginning.
const BYTES_PER_STEP: usize = 32;
