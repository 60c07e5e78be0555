//! Searches an object for everything in a database.

use super::digests::Digests;
use super::format::Section;
use super::patterns::{self, Row};
use super::{Database, names};
use crate::heuristic::Findings;
use crate::matcher::{Exhausted, Steps, find};
use crate::session::{Interrupt, Interruption};
use crate::signature::Targets;
use crate::subject::{Algorithm, Subject};
use crate::verdict::{Detection, Limit, Reason};

/// Adds to `findings` what the signatures of `database` say of `subject`.
pub(super) fn search(
    database: &Database,
    subject: &Subject<'_>,
    interrupt: &dyn Interrupt,
    findings: &mut Findings,
) -> Result<(), Interruption> {
    digests(database, subject, findings);
    let mut steps = Steps::for_object(subject.bytes().len());
    let mut search = Search { database, subject, findings, steps: &mut steps };
    search.patterns(interrupt)
}

fn digests(database: &Database, subject: &Subject<'_>, findings: &mut Findings) {
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

fn add(database: &Database, name: u32, offset: Option<u64>, findings: &mut Findings) {
    if let Some((name, class)) = names::read(database.section(Section::Names), name) {
        findings.add(Detection { offset, ..Detection::signature(name, class) });
    }
}

struct Search<'s> {
    database: &'s Database,
    subject: &'s Subject<'s>,
    findings: &'s mut Findings,
    steps: &'s mut Steps,
}

impl Search<'_> {
    fn patterns(&mut self, interrupt: &dyn Interrupt) -> Result<(), Interruption> {
        let (rows, _) = self.database.section(Section::Patterns).as_chunks::<{ patterns::ROW }>();
        if rows.is_empty() {
            return Ok(());
        }
        let targets = Targets::of(self.subject);
        let mut read = 0_usize;
        for row in rows.iter().filter_map(Row::read) {
            if !targets.contains(row.target) {
                continue;
            }
            if self.pattern(&row).is_err() {
                self.findings.not_scanned(Reason::Limit(Limit::Comparisons));
                break;
            }
            read = read.saturating_add(self.subject.bytes().len());
            if read >= BETWEEN_CHECKS {
                read = 0;
                interrupt.check().map_or(Ok(()), Err)?;
            }
        }
        Ok(())
    }

    fn pattern(&mut self, row: &Row) -> Result<(), Exhausted> {
        let offset = patterns::offset(self.database.section(Section::Offsets), row.offset);
        let Some(starts) = offset.and_then(|offset| offset.resolve(self.subject)) else {
            return Ok(());
        };
        let program = row.program(self.database.section(Section::Programs));
        if let Some(hit) = find(program, self.subject.bytes(), &starts, self.steps)? {
            for name in row.users(self.database.section(Section::Users)) {
                add(self.database, name, Some(hit.start as u64), self.findings);
            }
        }
        Ok(())
    }
}

/// How many bytes are searched between two looks at the caller's clock.
const BETWEEN_CHECKS: usize = 64 << 10;
