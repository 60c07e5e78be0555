//! Where a verdict and a decision go together.

use ::esets_policy::{Decision, Outcome};

use crate::border::Out;
use crate::decision::esets_decision;
use crate::result::Failure;
use crate::verdict::esets_verdict;

/// The two places that an outcome is written to, both set to NULL.
pub(crate) struct Places<'c> {
    verdict: Out<'c, esets_verdict>,
    decision: Out<'c, esets_decision>,
}

impl Places<'_> {
    /// # Safety
    /// Both are NULL or may be written to.
    pub(crate) unsafe fn new(
        verdict: *mut *mut esets_verdict,
        decision: *mut *mut esets_decision,
    ) -> Result<Self, Failure> {
        // SAFETY: as this function's own.
        let verdict = unsafe { Out::new(verdict) }?;
        // SAFETY: as this function's own.
        let decision = unsafe { Out::new(decision) }?;
        Ok(Self { verdict, decision })
    }

    /// Writes the outcome; there is no verdict where the policy wanted no scan.
    pub(crate) fn give(self, outcome: Outcome) {
        if let Some(verdict) = outcome.verdict {
            self.verdict.give(esets_verdict::new(verdict));
        }
        self.decision.give(esets_decision::new(Decision::of(outcome.dispositions)));
    }
}
