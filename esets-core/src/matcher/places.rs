//! A set of places in an object, as intervals.

use std::ops::RangeInclusive;

/// Places in an object: intervals with both ends, in order, apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) one: Option<(usize, usize)>,
    more: Vec<(usize, usize)>,
}

impl Places {
    pub(super) fn at(place: usize) -> Self {
        Self { one: Some((place, place)), more: Vec::new() }
    }

    /// All places from the first to the last one of a range, up to `end`.
    pub(super) fn within(range: &RangeInclusive<u64>, end: usize) -> Self {
        let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        let (low, high) = (place(*range.start()), place(*range.end()).min(end));
        Self { one: (low <= high).then_some((low, high)), more: Vec::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        self.one.into_iter().chain(self.more.iter().copied())
    }

    pub(super) fn first(&self) -> Option<usize> {
        self.one.map(|(low, _)| low)
    }

    pub(super) fn first_within(&self, range: &RangeInclusive<u64>) -> Option<usize> {
        self.iter().find_map(|(low, high)| {
            let first = (low as u64).max(*range.start());
            let fits = first <= (high as u64).min(*range.end());
            fits.then(|| usize::try_from(first).ok())?
        })
    }

    /// Adds an interval that does not begin before the last one; touching ones become one.
    pub(super) fn push(&mut self, low: usize, high: usize) {
        match self.more.last_mut().or(self.one.as_mut()) {
            Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
            Some(_) => self.more.push((low, high)),
            None => self.one = Some((low, high)),
        }
    }

    /// All of several sets.
    pub(super) fn union(sets: &[Self]) -> Self {
        let mut all: Vec<_> = sets.iter().flat_map(Self::iter).collect();
        all.sort_unstable();
        let mut union = Self::default();
        all.into_iter().for_each(|(low, high)| union.push(low, high));
        union
    }
}
