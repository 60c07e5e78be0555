//! Rules in another language than that of the signatures.

use crate::heuristic::Findings;
use crate::session::Interrupt;
use crate::subject::Subject;

/// Rules that a caller brings along, asked about each object beside the signatures of the database:
/// classes that are switched off and the allow-list hold for what they find too.
pub trait RuleSet: Send + Sync {
    /// Adds to `findings` what the rules say of an object, and why it was not looked at completely.
    /// What can take long asks `interrupt` whether to go on.
    fn inspect(&self, subject: &Subject<'_>, interrupt: &dyn Interrupt, findings: &mut Findings);
}
