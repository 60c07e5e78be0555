//! What happens to an object, for whom, and which line said so.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::config::Rule;

/// What happens to an object for some of its recipients.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Disposition {
    /// Positions in [`Context::recipients`](crate::Context::recipients); none if there are none.
    pub recipients: Vec<usize>,
    /// What happens to it.
    pub action: Action,
    /// What is changed before it passes; nothing unless it does.
    pub edits: Edits,
    /// Whether it is stored in the quarantine first.
    pub quarantine: bool,
    /// The line that decided.
    pub rule: Rule,
}

/// Changes to a message that passes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Edits {
    /// Parts to take out: positions of direct members of the message in
    /// [`Verdict::records`](esets_core::Verdict::records). Who cannot take out all of them asks
    /// [`ScanPlan::decide`](crate::ScanPlan::decide) again
    /// [without cleaning](crate::ScanPlan::without_cleaning).
    pub remove: Vec<usize>,
    /// What stands in the place of each of them: a template with `%FILENAME%` and `%VIRUSNAME%`.
    #[serde(default)]
    pub part_notice: String,
    /// Header fields to add, `Name: value`, one line each, not yet folded or encoded.
    pub headers: Vec<String>,
    /// To be put before the subject; empty for nothing.
    pub subject_prefix: String,
    /// To be put below the text; empty for nothing.
    pub footnote: String,
}

/// What happens to an object as a whole, for those who cannot treat recipients apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decision {
    /// The strictest action for any recipient.
    pub action: Action,
    /// The line that decided.
    pub rule: Rule,
    /// What happens for whom.
    pub dispositions: Vec<Disposition>,
}

impl Edits {
    /// Whether the message passes as it is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Decision {
    /// The strictest of the dispositions; without any, the object is deferred.
    pub fn of(dispositions: Vec<Disposition>) -> Self {
        let worst = strictest(&dispositions);
        let action = worst.map_or(Action::Defer, |worst| worst.action);
        let rule = worst.map_or_else(|| Rule::default_of("action_av_failed"), |w| w.rule.clone());
        Self { action, rule, dispositions }
    }
}

/// The first of the strictest.
pub(crate) fn strictest<'d>(
    dispositions: impl IntoIterator<Item = &'d Disposition>,
) -> Option<&'d Disposition> {
    dispositions
        .into_iter()
        .reduce(|worst, next| if next.action > worst.action { next } else { worst })
}
