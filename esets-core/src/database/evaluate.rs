//! Evaluates logical signatures of which something was found.

use std::ops::RangeInclusive;

use super::format::Section;
use super::logical::{self, Logical};
use super::offsets;
use super::row::Row;
use super::search::{Search, add};
use super::special::{SPECIAL, Special, members};
use crate::matcher::{Exhausted, each};
use crate::signature::{Condition, Offset, RegexFlags};
use crate::verdict::{Limit, Reason};

impl Search<'_> {
    /// Evaluates a logical signature.
    pub(super) fn logical(&mut self, number: u32) -> Result<(), Exhausted> {
        let section = |section| self.database.section(section);
        let logical =
            Logical::read(section(Section::LogicalPlaces), section(Section::Logicals), number);
        let Some(logical) = logical.filter(|it| self.targets.contains(it.target)) else {
            return Ok(());
        };
        if !logical.conditions().all(|condition| condition.holds(self.subject)) {
            return Ok(());
        }
        let subs: Vec<_> = logical.subs().collect();
        let mut evaluation = Evaluation { search: self, subs: &subs, is_exhausted: false };
        let holds = logical.holds(|sub| evaluation.matches(sub));
        if evaluation.is_exhausted {
            return Err(Exhausted);
        }
        if holds {
            add(self.database, logical.name, None, self.findings);
            for condition in logical.conditions() {
                if let Condition::Handler(kind) = condition {
                    self.findings.kinds.insert(kind);
                }
            }
        }
        Ok(())
    }

    /// How often a pattern lies in the object; at most once if matches are not counted.
    fn matches_of(&mut self, number: u32, is_counted: bool) -> Result<u32, Exhausted> {
        if let Some(known) = self.matches.get(&(number, is_counted)) {
            return Ok(*known);
        }
        let most = if is_counted { MOST_MATCHES } else { 1 };
        let mut matches = 0_u32;
        self.each(number, &mut |_| {
            matches = matches.saturating_add(1);
            matches < most
        })?;
        self.matches.insert((number, is_counted), matches);
        Ok(matches)
    }

    /// Hands each place where a pattern begins to `visit`.
    fn each(&mut self, number: u32, visit: &mut dyn FnMut(usize) -> bool) -> Result<(), Exhausted> {
        let row = Row::read(self.database.section(Section::Patterns), number);
        let Some(row) = row.filter(|row| self.targets.contains(row.target)) else {
            return Ok(());
        };
        let offset = offsets::read(self.database.section(Section::Offsets), row.offset);
        let Some(offset) = offset else { return Ok(()) };
        let program = row.program(self.database.section(Section::Programs));
        for starts in offset.starts(self.subject, self.data.len()) {
            each(program, self.data, &starts, &mut self.steps, visit)?;
        }
        Ok(())
    }

    /// The places where any of several patterns begins, in order.
    fn starts(&mut self, rows: &[u32]) -> Result<Vec<usize>, Exhausted> {
        let mut starts = Vec::new();
        for row in rows {
            self.each(*row, &mut |start| {
                starts.push(start);
                starts.len() < MOST_STARTS
            })?;
        }
        starts.sort_unstable();
        Ok(starts)
    }
}

/// A logical signature that is evaluated.
struct Evaluation<'e, 's> {
    search: &'e mut Search<'s>,
    /// For each sub-signature its rows, and whether its matches are counted.
    subs: &'e [(Vec<u32>, bool)],
    is_exhausted: bool,
}

impl Evaluation<'_, '_> {
    /// How often a sub-signature was found.
    fn matches(&mut self, sub: u8) -> u32 {
        let Some((rows, is_counted)) = self.subs.get(usize::from(sub)) else { return 0 };
        let mut sum = 0_u32;
        for row in rows {
            let matches = match row & SPECIAL {
                0 => self.search.matches_of(*row, *is_counted),
                _ => self.special(*row, *is_counted),
            };
            self.is_exhausted |= matches.is_err();
            sum = sum.saturating_add(matches.unwrap_or_default());
        }
        sum
    }

    fn special(&mut self, number: u32, is_counted: bool) -> Result<u32, Exhausted> {
        if let Some(known) = self.search.matches.get(&(number, is_counted)) {
            return Ok(*known);
        }
        // One that waits for itself, as only a forged database has it, is not found.
        self.search.matches.insert((number, is_counted), 0);
        let place = number & !SPECIAL;
        let section = self.search.database.section(Section::Specials);
        let matches = match Special::read(section, place) {
            Some(Special::Comparison(comparison)) => {
                let rows = self.rows(comparison.of).to_vec();
                let starts = self.search.starts(&rows)?;
                let data = self.search.data;
                let last = starts.last();
                u32::from(last.is_some_and(|start| comparison.holds(data, *start)))
            }
            Some(Special::Group { group, before, distance }) => {
                u32::from(self.is_near(group, before, distance)?)
            }
            Some(Special::Regex { offset, flags, trigger, pattern }) => {
                if !logical::holds(trigger, &mut |sub| self.matches(sub)) || self.is_exhausted {
                    return Ok(0);
                }
                let regex = self.search.database.regexes.get(place, pattern, flags);
                regex.map_or(0, |regex| self.search.regex(&regex, offset, flags, is_counted))
            }
            None => 0,
        };
        self.search.matches.insert((number, is_counted), matches);
        Ok(matches)
    }

    /// The rows of a sub-signature that has patterns.
    fn rows(&self, sub: u8) -> &[u32] {
        let rows = self.subs.get(usize::from(sub)).map(|(rows, _)| &**rows).unwrap_or_default();
        if rows.iter().any(|row| row & SPECIAL != 0) { &[] } else { rows }
    }

    /// Whether a member of a group begins so far behind the start of a sub-signature.
    fn is_near(
        &mut self,
        group: u8,
        before: u8,
        (min, max): (u32, u32),
    ) -> Result<bool, Exhausted> {
        let section = self.search.database.section(Section::Groups);
        let rows: Vec<u32> = members(section, group).collect();
        let members = self.search.starts(&rows)?;
        let rows = self.rows(before).to_vec();
        let starts = self.search.starts(&rows)?;
        Ok(starts.iter().any(|start| {
            let place = |distance: u32| {
                start.saturating_add(usize::try_from(distance).unwrap_or(usize::MAX))
            };
            let first = members.partition_point(|member| *member < place(min));
            members.get(first).is_some_and(|member| *member <= place(max))
        }))
    }
}

impl Search<'_> {
    /// How often a regular expression matches; at most once without the flag `g`.
    fn regex(
        &mut self,
        regex: &crate::matcher::Regex,
        offset: Offset,
        flags: RegexFlags,
        is_counted: bool,
    ) -> u32 {
        let Some(starts) = offset.resolve(self.subject, self.data.len()) else { return 0 };
        let is_anywhere = offset == Offset::default();
        let Some((data, from)) = window(self.data, &starts, flags, is_anywhere) else { return 0 };
        let is_placed = !is_anywhere && offset.shift == 0 && !flags.has('r');
        let is_anchored = is_placed || flags.has('A');
        let most = if is_counted && flags.has('g') { MOST_MATCHES } else { 1 };
        let (mut at, mut matches) = (0, 0_u32);
        while matches < most {
            match regex.find(data, at, is_anchored, &mut self.steps) {
                Ok(Some((start, end))) => {
                    if !is_anywhere
                        && offset.shift > 0
                        && !starts.contains(&(from.saturating_add(start) as u64))
                    {
                        break;
                    }
                    matches = matches.saturating_add(1);
                    at = if end > start { end } else { end.saturating_add(1) };
                }
                Ok(None) => break,
                Err(Exhausted) => {
                    self.findings.not_scanned(Reason::Limit(Limit::Comparisons));
                    break;
                }
            }
        }
        matches
    }
}

/// The bytes that a regular expression is tried on, and their offset.
fn window<'d>(
    data: &'d [u8],
    starts: &RangeInclusive<u64>,
    flags: RegexFlags,
    is_anywhere: bool,
) -> Option<(&'d [u8], usize)> {
    if is_anywhere {
        return Some((data, 0));
    }
    let start = usize::try_from(*starts.start()).ok()?;
    let rest = data.get(start..).filter(|rest| !rest.is_empty())?;
    let width = usize::try_from(starts.end().saturating_sub(*starts.start())).unwrap_or(usize::MAX);
    let is_narrow = flags.has('e') && width > 0;
    Some((rest.get(..width).filter(|_| is_narrow).unwrap_or(rest), start))
}

/// No expression asks for more matches of one pattern.
const MOST_MATCHES: u32 = 100_000;
/// So many places are kept of patterns that others lie near to.
const MOST_STARTS: usize = 100_000;
