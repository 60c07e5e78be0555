//! Finds a pattern in an object by looking for the pivots of its chains, one chain after the other.

use std::ops::RangeInclusive;

use memchr::{memchr2_iter, memmem};

use super::program::{Chain, Op, unveil};
use super::run::{Exhausted, Steps};
use crate::cursor::Cursor;

/// Where a pattern lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The offset of its first byte.
    pub(crate) start: usize,
    /// The offset behind its last byte.
    pub(crate) end: usize,
}

/// The first place in `data` where the pattern lies and begins within `starts`.
///
/// The end is the first possible one of the whole pattern.
pub(crate) fn find(
    program: &[u8],
    data: &[u8],
    starts: &RangeInclusive<u64>,
    steps: &mut Steps,
) -> Result<Option<Hit>, Exhausted> {
    let mut cursor = Cursor::new(program);
    let mut allowed = starts.clone();
    let mut found: Option<Hit> = None;
    while let Ok(chain) = Chain::read(&mut cursor) {
        let Some((start, end)) = first_end(&chain, data, &allowed, steps)? else {
            return Ok(None);
        };
        found = Some(Hit { start: found.map_or(start, |hit| hit.start), end });
        // The next chain may begin where this one can end first, and anywhere behind.
        let gap = match Chain::read(&mut cursor.clone()) {
            Ok(next) => u64::from(next.gap),
            Err(_) => break,
        };
        allowed = (end as u64).saturating_add(gap)..=u64::MAX;
    }
    Ok(found)
}

/// Hands every place where the pattern begins to `visit`, in order as far as they are searched
/// for, until it says that it is enough. Of a pattern of several chains, only matches of the last
/// one are told apart, and all begin where the first chain does.
pub(crate) fn each(
    program: &[u8],
    data: &[u8],
    starts: &RangeInclusive<u64>,
    steps: &mut Steps,
    visit: &mut dyn FnMut(usize) -> bool,
) -> Result<(), Exhausted> {
    let mut cursor = Cursor::new(program);
    let mut allowed = starts.clone();
    let mut first: Option<usize> = None;
    while let Ok(chain) = Chain::read(&mut cursor) {
        let Ok(next) = Chain::read(&mut cursor.clone()) else {
            let mut visit = |start: usize| visit(first.unwrap_or(start));
            return each_chain(&chain, data, &allowed, steps, &mut visit);
        };
        let Some((start, end)) = first_end(&chain, data, &allowed, steps)? else { return Ok(()) };
        first = first.or(Some(start));
        allowed = (end as u64).saturating_add(next.gap.into())..=u64::MAX;
    }
    Ok(())
}

fn each_chain(
    chain: &Chain<'_>,
    data: &[u8],
    starts: &RangeInclusive<u64>,
    steps: &mut Steps,
    visit: &mut dyn FnMut(usize) -> bool,
) -> Result<(), Exhausted> {
    if chain.is_placed(starts) {
        for start in starts.clone() {
            let is_there = chain.ends(data, &(start..=start), steps)?.first().is_some();
            if is_there && !usize::try_from(start).is_ok_and(&mut *visit) {
                break;
            }
        }
        return Ok(());
    }
    steps.take(data.len().checked_div(BYTES_PER_STEP).unwrap_or_default())?;
    for pivot in pivots(chain, data) {
        steps.take(1)?;
        if let Some((start, _)) = chain.lies_at(data, pivot, starts, steps)?
            && !visit(start)
        {
            break;
        }
    }
    Ok(())
}

/// Of all places where the chain may lie, the one that ends first: its start and end.
fn first_end(
    chain: &Chain<'_>,
    data: &[u8],
    starts: &RangeInclusive<u64>,
    steps: &mut Steps,
) -> Result<Option<(usize, usize)>, Exhausted> {
    if chain.is_placed(starts) {
        let Some(end) = chain.ends(data, starts, steps)?.first() else { return Ok(None) };
        for start in starts.clone() {
            if chain.ends(data, &(start..=start), steps)?.first().is_some() {
                return Ok(usize::try_from(start).ok().map(|start| (start, end)));
            }
        }
    }
    let mut best: Option<(usize, usize)> = None;
    steps.take(data.len().checked_div(BYTES_PER_STEP).unwrap_or_default())?;
    for pivot in pivots(chain, data) {
        steps.take(1)?;
        // A chain does not end before its pivot.
        if best.is_some_and(|(_, end)| pivot >= end) {
            break;
        }
        if let Some((start, end)) = chain.lies_at(data, pivot, starts, steps)? {
            let is_better = best.is_none_or(|(_, known)| end < known);
            best = if is_better { Some((start, end)) } else { best };
        }
    }
    Ok(best)
}

/// The places in `data` where the fixed bytes at the pivot lie.
fn pivots<'d>(chain: &Chain<'_>, data: &'d [u8]) -> Box<dyn Iterator<Item = usize> + 'd> {
    match Op::read(&mut Cursor::new(chain.after)) {
        Ok(Op::Literal(veiled)) => {
            let finder = memmem::Finder::new(&unveil(veiled)).into_owned();
            let mut from = 0_usize;
            Box::new(std::iter::from_fn(move || {
                let at = from.checked_add(finder.find(data.get(from..)?)?)?;
                from = at.saturating_add(1);
                Some(at)
            }))
        }
        Ok(Op::Folded(veiled)) => {
            let bytes = unveil(veiled);
            let first = bytes.first().copied().unwrap_or_default();
            let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
            Box::new(memchr2_iter(lower, upper, data).filter(move |at| {
                let end = at.saturating_add(bytes.len());
                data.get(*at..end).is_some_and(|there| there.eq_ignore_ascii_case(&bytes))
            }))
        }
        _ => Box::new(std::iter::empty()),
    }
}

/// How many bytes are passed over for the price of one comparison.
const BYTES_PER_STEP: usize = 16;
