//! Searches an object and the views of it that signatures ask for.

use super::Database;
use super::format::Section;
use super::search::{Input, digests, search_one};
use super::view::{self, Page};
use crate::budget::Lease;
use crate::heuristic::Findings;
use crate::session::{Interrupt, Interruption};
use crate::signature::{Target, Targets};
use crate::verdict::Reason;

/// A search of one object in all its spellings.
pub(super) struct Views<'s> {
    pub(super) database: &'s Database,
    pub(super) interrupt: &'s dyn Interrupt,
    /// From the budget that views take their memory from.
    pub(super) memory: &'s Lease,
    pub(super) findings: &'s mut Findings,
}

impl Views<'_> {
    /// Searches the object and its views. Signatures for text or HTML are for the views alone.
    pub(super) fn search(&mut self, input: &Input<'_>) -> Result<(), Interruption> {
        let section = self.database.section(Section::Views);
        let is_asked = |target| view::is_asked(section, input.targets, target);
        let (is_page, is_text) = (is_asked(Target::Html), is_asked(Target::Text));
        let factor = if is_page { view::PAGE_FACTOR } else { 1 };
        let lease = (is_page || is_text).then(|| self.lease(input.data.len(), factor));
        match lease.flatten() {
            Some(_memory) if is_page => self.page(input),
            Some(_memory) => self.text(input),
            None => self.one(input),
        }
    }

    fn one(&mut self, input: &Input<'_>) -> Result<(), Interruption> {
        search_one(self.database, input, self.interrupt, self.findings)
    }

    /// Memory for a view; without it only the object itself is searched.
    fn lease(&mut self, length: usize, factor: u64) -> Option<Lease> {
        let lease = self.memory.another((length as u64).saturating_mul(factor));
        lease.map_err(|reason: Reason| self.findings.not_scanned(reason)).ok()
    }

    /// Searches a text and the view of it.
    fn text(&mut self, input: &Input<'_>) -> Result<(), Interruption> {
        let view = view::text(input.data);
        if view == input.data {
            return self.one(input);
        }
        self.one(&Input { targets: input.targets.without(Target::Text), ..*input })?;
        self.one(&Input { data: &view, is_view: true, ..*input })
    }

    /// Searches a page and the views of it.
    fn page(&mut self, input: &Input<'_>) -> Result<(), Interruption> {
        let Page { tagged, plain, scripts } = Page::read(input.data);
        if tagged == input.data {
            self.one(input)?;
        } else {
            self.one(&Input { targets: input.targets.without(Target::Html), ..*input })?;
            self.view(input, &tagged, Targets::HTML)?;
        }
        drop(tagged);
        self.view(input, &plain, Targets::HTML)?;
        let length = scripts.iter().map(ExactSizeIterator::len).sum();
        if length > 0
            && let Some(_memory) = self.lease(length, view::SCRIPT_FACTOR)
        {
            let view = view::scripts(input.data, &scripts);
            self.view(input, &view, Targets::SCRIPT)?;
        }
        Ok(())
    }

    /// Searches a view as an object of its own in the same place.
    fn view(
        &mut self,
        input: &Input<'_>,
        view: &[u8],
        targets: Targets,
    ) -> Result<(), Interruption> {
        let subject = input.subject.view(view);
        digests(self.database, &subject, self.findings);
        self.one(&Input { subject: &subject, data: view, targets, is_view: true })
    }
}
