//! Searches an object for everything in a database.
//!
//! One pass finds the anchors of all patterns. A pattern of one chain is then verified on the spot,
//! one of several when each anchored chain has been seen. Logical signatures of which a necessary
//! pattern was found come last: only then are their other patterns looked for.

use std::collections::{BTreeSet, HashMap};

use super::digests::Digests;
use super::format::Section;
use super::row::{LOGICAL, Row};
use super::{Database, executable, members, names, offsets, views};
use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::heuristic::Findings;
use crate::matcher::{Candidate, Chain, Exhausted, Keys, Prefilter, Steps, find};
use crate::session::{Interrupt, Interruption};
use crate::signature::Targets;
use crate::subject::{Algorithm, Subject};
use crate::verdict::{Detection, Limit, Reason};

/// Adds to `findings` what the signatures of `database` say of `subject`; views of it take memory
/// from the budget of `memory`.
pub(super) fn search(
    database: &Database,
    subject: &Subject<'_>,
    (interrupt, memory): (&dyn Interrupt, &Lease),
    findings: &mut Findings,
) -> Result<(), Interruption> {
    digests(database, subject, findings);
    members::search(database, subject, findings);
    executable::search(database, subject, interrupt, findings)?;
    if subject.bytes().is_empty() {
        return Ok(());
    }
    let input = Input::whole(subject);
    views::Views { database, interrupt, memory, findings }.search(&input)
}

/// What is searched.
#[derive(Clone, Copy)]
pub(super) struct Input<'s> {
    pub(super) subject: &'s Subject<'s>,
    /// The bytes of the object, or a view of them.
    pub(super) data: &'s [u8],
    pub(super) targets: Targets,
    pub(super) is_view: bool,
}

impl<'s> Input<'s> {
    fn whole(subject: &'s Subject<'s>) -> Self {
        Self { subject, data: subject.bytes(), targets: Targets::of(subject), is_view: false }
    }
}

/// Searches what may be a view for patterns.
pub(super) fn search_one(
    database: &Database,
    input: &Input<'_>,
    interrupt: &dyn Interrupt,
    findings: &mut Findings,
) -> Result<(), Interruption> {
    if database.section(Section::Patterns).is_empty() {
        return Ok(());
    }
    match Search::new(database, input, interrupt, findings).run() {
        Err(Halt::Interrupted(interruption)) => Err(interruption),
        Err(Halt::Exhausted) => {
            findings.not_scanned(Reason::Limit(Limit::Comparisons));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

pub(super) fn digests(database: &Database, subject: &Subject<'_>, findings: &mut Findings) {
    let size = subject.bytes().len() as u64;
    for (section, algorithm) in SECTIONS {
        let digests = Digests::read(database.section(*section));
        let Some(digests) = digests.filter(|digests| digests.may_hold(size)) else { continue };
        let digest = subject.digest(*algorithm);
        for number in digests.find(digest.as_bytes(), size) {
            add(database, number, None, findings);
        }
    }
}

static SECTIONS: &[(Section, Algorithm)] = &[
    (Section::Md5, Algorithm::Md5),
    (Section::Sha1, Algorithm::Sha1),
    (Section::Sha256, Algorithm::Sha256),
];

pub(super) fn add(database: &Database, name: u32, offset: Option<u64>, findings: &mut Findings) {
    if let Some((name, class)) = names::read(database.section(Section::Names), name) {
        findings.add(Detection { offset, ..Detection::signature(name, class) });
    }
}

/// Why a search ends early.
enum Halt {
    Exhausted,
    Interrupted(Interruption),
}

impl From<Exhausted> for Halt {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

pub(super) struct Search<'s> {
    pub(super) database: &'s Database,
    pub(super) subject: &'s Subject<'s>,
    interrupt: &'s dyn Interrupt,
    pub(super) findings: &'s mut Findings,
    /// What is searched: the object, or what a reader of it makes of it.
    pub(super) data: &'s [u8],
    pub(super) steps: Steps,
    pub(super) targets: Targets,
    is_view: bool,
    /// Which anchored chains of a row were seen; all ones if nothing more is to be known of it.
    seen: HashMap<u32, u32>,
    /// The logical signatures of which a necessary pattern was found.
    likely: BTreeSet<u32>,
    /// How often the patterns of logical signatures lie in the object.
    pub(super) matches: HashMap<(u32, bool), u32>,
}

impl<'s> Search<'s> {
    fn new(
        database: &'s Database,
        input: &'s Input<'s>,
        interrupt: &'s dyn Interrupt,
        findings: &'s mut Findings,
    ) -> Self {
        Self {
            database,
            subject: input.subject,
            interrupt,
            findings,
            data: input.data,
            steps: Steps::for_object(input.data.len()),
            targets: input.targets,
            is_view: input.is_view,
            seen: HashMap::new(),
            likely: BTreeSet::new(),
            matches: HashMap::new(),
        }
    }

    fn run(&mut self) -> Result<(), Halt> {
        self.anchored()?;
        let (rows, _) = self.database.section(Section::Unanchored).as_chunks::<4>();
        for row in rows {
            self.check_interrupt()?;
            self.whole(u32::from_le_bytes(*row))?;
        }
        let (unconditional, _) = self.database.section(Section::Unconditional).as_chunks::<4>();
        self.likely.extend(unconditional.iter().map(|number| u32::from_le_bytes(*number)));
        while let Some(number) = self.likely.pop_first() {
            self.check_interrupt()?;
            self.logical(number)?;
        }
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), Halt> {
        self.interrupt.check().map_or(Ok(()), |interruption| Err(Halt::Interrupted(interruption)))
    }

    /// The one pass over the object.
    fn anchored(&mut self) -> Result<(), Halt> {
        let section = |section| self.database.section(section);
        let Some(prefilter) = Prefilter::read(section(Section::Prefilter)) else { return Ok(()) };
        let keys =
            Keys::read(section(Section::Keys8), section(Section::Keys4), section(Section::Lists));
        let data = self.data;
        // Never grows: how often it is allocated must not depend on the database.
        let mut places = vec![0; data.len().min(BLOCK.saturating_add(3))];
        for (number, start) in (0..data.len()).step_by(BLOCK).enumerate() {
            if number % BLOCKS_BETWEEN_CHECKS == 0 {
                self.check_interrupt()?;
            }
            let end = start.saturating_add(BLOCK).saturating_add(3).min(data.len());
            prefilter.search(data.get(start..end).unwrap_or_default(), &mut places);
            for place in &places {
                for candidate in keys.candidates(data, start.saturating_add((*place).into())) {
                    self.candidate(&candidate)?;
                }
            }
        }
        Ok(())
    }

    fn candidate(&mut self, candidate: &Candidate) -> Result<(), Halt> {
        self.steps.take(1)?;
        let seen = self.seen.get(&candidate.row).copied().unwrap_or_default();
        let bit = 1_u32.checked_shl(candidate.chain.into()).unwrap_or(u32::MAX);
        if seen & bit != 0 {
            return Ok(());
        }
        let Some(row) = Row::read(self.database.section(Section::Patterns), candidate.row) else {
            return Ok(());
        };
        if !self.targets.contains(row.target) {
            self.seen.insert(candidate.row, u32::MAX);
            return Ok(());
        }
        let Some(start) = self.lies_there(&row, candidate)? else { return Ok(()) };
        if row.is_one_chain(self.database.section(Section::Programs)) {
            self.seen.insert(candidate.row, u32::MAX);
            self.found(&row, start);
            return Ok(());
        }
        let seen = seen | bit;
        self.seen.insert(candidate.row, seen);
        if seen.count_ones() >= row.anchored.into() {
            self.whole(candidate.row)?;
        }
        Ok(())
    }

    /// Where the chain of a candidate begins, if it lies there.
    fn lies_there(&mut self, row: &Row, candidate: &Candidate) -> Result<Option<usize>, Exhausted> {
        let programs = self.database.section(Section::Programs);
        let chain = Cursor::at(programs, candidate.program.into())
            .and_then(|mut cursor| Chain::read(&mut cursor));
        let Ok(chain) = chain else { return Ok(None) };
        let data = self.data;
        if candidate.chain > 0 {
            let hit = chain.lies_at(data, candidate.pivot, &(0..=u64::MAX), &mut self.steps)?;
            return Ok(hit.map(|(start, _)| start));
        }
        let offset = offsets::read(self.database.section(Section::Offsets), row.offset);
        let Some(offset) = offset else { return Ok(None) };
        for starts in offset.starts(self.subject, data.len()) {
            let hit = chain.lies_at(data, candidate.pivot, &starts, &mut self.steps)?;
            if let Some((start, _)) = hit {
                return Ok(Some(start));
            }
        }
        Ok(None)
    }

    /// Looks for a whole pattern, once.
    fn whole(&mut self, number: u32) -> Result<(), Exhausted> {
        self.seen.insert(number, u32::MAX);
        let section = self.database.section(Section::Patterns);
        let row = Row::read(section, number).filter(|row| self.targets.contains(row.target));
        let Some(row) = row else { return Ok(()) };
        let offset = offsets::read(self.database.section(Section::Offsets), row.offset);
        let Some(offset) = offset else { return Ok(()) };
        let program = row.program(self.database.section(Section::Programs));
        for starts in offset.starts(self.subject, self.data.len()) {
            if let Some(hit) = find(program, self.data, &starts, &mut self.steps)? {
                self.found(&row, hit.start);
                break;
            }
        }
        Ok(())
    }

    /// Tells the users of a pattern.
    fn found(&mut self, row: &Row, start: usize) {
        for user in row.users(self.database.section(Section::Users)) {
            if user & LOGICAL == 0 {
                let offset = (!self.is_view).then_some(start as u64);
                add(self.database, user, offset, self.findings);
            } else {
                self.likely.insert(user & !LOGICAL);
            }
        }
    }
}

/// How much is searched at a time: 16 KiB.
const BLOCK: usize = 16 << 10;
/// The caller's clock is looked at every 64 KiB.
const BLOCKS_BETWEEN_CHECKS: usize = 4;
