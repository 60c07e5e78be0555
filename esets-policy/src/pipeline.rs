//! Plan, scan, decide: what every agent asks.

use std::sync::Arc;

use esets_core::{Object, Scanner, Session, Verdict};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::disposition::{Decision, Disposition, Edits};
use crate::plan::{Plan, ScanPlan};
use crate::policy::Policy;
use crate::rewrite::lies_in;
use crate::spam::Antispam;

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
    policy: Arc<Policy>,
    antispam: Option<Arc<dyn Antispam>>,
}

impl Pipeline {
    /// Puts a scanner under a policy; options and limits of the scanner come from the policy.
    pub fn new(scanner: Scanner, policy: impl Into<Arc<Policy>>) -> Self {
        Self { scanner, policy: policy.into(), antispam: None }
    }

    /// The same with an engine against spam. Without one, no message can be looked at for spam.
    #[must_use]
    pub fn with_antispam(self, antispam: Arc<dyn Antispam>) -> Self {
        Self { antispam: Some(antispam), ..self }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// As [`Filter::handle`], with the caller's clock, passwords and observer.
    ///
    /// Where parts are to be taken out, the message without them is made and scanned too: if a
    /// part cannot be taken out or its threat is still found, the policy decides as if there were
    /// no cleaning.
    pub fn handle_with(
        &self,
        object: &Object<'_>,
        context: &Context<'_>,
        session: &mut Session<'_>,
    ) -> Outcome {
        let plan = match self.policy.plan(context) {
            Plan::Act(dispositions) => return Outcome { verdict: None, dispositions },
            Plan::Scan(plan) => plan,
        };
        let scanner = plan.scans_for_threats().then(|| self.scanner(&plan));
        let verdict = scanner.as_ref().map(|scanner| scanner.scan_with(object, session));
        let nothing = Verdict::default();
        let found = verdict.as_ref().unwrap_or(&nothing);
        let score = self.antispam.as_ref().filter(|_| plan.scans_for_spam());
        let score = score.map(|antispam| antispam.search(object, context));
        let dispositions = plan.decide(found, score.as_deref());
        let is_cleaned = |fate: &Disposition| {
            fate.edits.remove.is_empty()
                || scanner.as_ref().is_some_and(|scanner| {
                    let again = Session {
                        interrupt: session.interrupt,
                        observer: None,
                        passwords: session.passwords,
                    };
                    is_cleaned(&fate.edits, object, found, (scanner, again))
                })
        };
        if dispositions.iter().all(is_cleaned) {
            return Outcome { verdict, dispositions };
        }
        let dispositions = plan.without_cleaning().decide(found, score.as_deref());
        Outcome { verdict, dispositions }
    }

    /// The scanner as a plan wants it. What a verdict keeps and which formats are off is the
    /// caller's, not the policy's.
    fn scanner(&self, plan: &ScanPlan<'_>) -> Scanner {
        let mut options = plan.options();
        options.records = self.scanner.options().records;
        options.skipped_formats.clone_from(&self.scanner.options().skipped_formats);
        self.scanner.clone().with_options(options).with_limits(plan.limits())
    }
}

/// Whether the parts can be taken out, and no threat is left but those that were outside of them.
fn is_cleaned(
    edits: &Edits,
    object: &Object<'_>,
    found: &Verdict,
    (scanner, mut session): (&Scanner, Session<'_>),
) -> bool {
    let Some(cleaned) = edits.apply(object.bytes(), Some(found)) else { return false };
    let object = Object::new(&cleaned).named(object.name());
    let again = scanner.scan_with(&object, &mut session);
    edits.have_cleaned(found, &again)
}

impl Edits {
    /// Whether the message that these edits made may pass: `again` is the verdict on it, `found`
    /// that on the message before, by which the policy decided.
    ///
    /// It may if the second scan did not fail and no threat is in it but those that were outside of
    /// the parts that are gone, which the policy has decided about already.
    #[must_use]
    pub fn have_cleaned(&self, found: &Verdict, again: &Verdict) -> bool {
        let stays = |name: &str| {
            found.threats().any(|(at, threat)| {
                let goes = self.remove.iter().any(|part| lies_in(found, at, *part));
                threat.name == name && !goes
            })
        };
        let is_whole = again.reasons().all(|(_, reason)| !reason.is_ours());
        is_whole && again.threats().all(|(_, threat)| stays(&threat.name))
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
