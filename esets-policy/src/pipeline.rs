//! Plan, scan, decide: what every agent asks.

use esets_core::{Object, Scanner, Session, Verdict};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::disposition::{Decision, Disposition};
use crate::plan::Plan;
use crate::policy::Policy;

/// Who answers an agent: a [`Pipeline`] in the same process, or a client of one elsewhere.
pub trait Filter: Send + Sync {
    /// What happens to the object; never fails.
    fn handle(&self, object: &Object<'_>, context: &Context<'_>) -> Outcome;
}

/// What was found in an object, and what happens to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// What the scan found; nothing if the policy needed none.
    pub verdict: Option<Verdict>,
    /// What happens for whom.
    pub dispositions: Vec<Disposition>,
}

/// A scanner under a policy.
#[derive(Clone, Debug)]
pub struct Pipeline {
    scanner: Scanner,
    policy: Policy,
}

impl Pipeline {
    /// Puts a scanner under a policy; options and limits of the scanner come from the policy.
    pub fn new(scanner: Scanner, policy: Policy) -> Self {
        Self { scanner, policy }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// As [`Filter::handle`], with the caller's clock, passwords and observer.
    pub fn handle_with(
        &self,
        object: &Object<'_>,
        context: &Context<'_>,
        session: &mut Session<'_>,
    ) -> Outcome {
        match self.policy.plan(context) {
            Plan::Act(dispositions) => Outcome { verdict: None, dispositions },
            Plan::Scan(plan) if !plan.scans_for_threats() => {
                Outcome { verdict: None, dispositions: plan.decide(&Verdict::default(), None) }
            }
            Plan::Scan(plan) => {
                let mut options = plan.options();
                // What a verdict keeps and which formats are off is the caller's, not the policy's.
                options.records = self.scanner.options().records;
                options.skipped_formats.clone_from(&self.scanner.options().skipped_formats);
                let scanner = self.scanner.clone().with_options(options);
                let scanner = scanner.with_limits(plan.limits());
                let verdict = scanner.scan_with(object, session);
                let dispositions = plan.decide(&verdict, None);
                Outcome { verdict: Some(verdict), dispositions }
            }
        }
    }
}

impl Filter for Pipeline {
    fn handle(&self, object: &Object<'_>, context: &Context<'_>) -> Outcome {
        self.handle_with(object, context, &mut Session::default())
    }
}

impl Outcome {
    /// The outcome of a filter that is no [`Pipeline`].
    pub fn new(verdict: Option<Verdict>, dispositions: Vec<Disposition>) -> Self {
        Self { verdict, dispositions }
    }

    /// The strictest of the dispositions, for those who cannot treat recipients apart.
    pub fn decision(&self) -> Decision {
        Decision::of(self.dispositions.clone())
    }
}
