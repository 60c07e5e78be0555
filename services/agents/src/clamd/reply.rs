//! What clients are told: clamd's words for our decisions.

use std::fmt::Display;

use esets_policy::core::{Reason, Verdict};
use esets_policy::{Action, Outcome};

/// What is behind the name of the object: `OK`, one `NAME FOUND` for each threat, or `… ERROR`.
///
/// The policy decides: what it accepts is `OK`, what it defers is an error, and what it refuses is
/// found, also if it is not a threat but could not be scanned.
pub(super) fn replies(outcome: &Outcome) -> Vec<String> {
    let nothing = Verdict::default();
    let verdict = outcome.verdict.as_ref().unwrap_or(&nothing);
    let decision = outcome.decision();
    match decision.action {
        Action::Accept => vec!["OK".to_owned()],
        Action::Discard | Action::Reject => {
            let mut names: Vec<_> =
                verdict.threats().map(|(_, threat)| threat.name.clone()).collect();
            names.sort();
            names.dedup();
            if names.is_empty() {
                let reason = verdict.reasons().next();
                let policy = format!("Policy.{}", decision.rule.key);
                names.push(reason.map_or(policy, |(_, reason)| not_scanned(reason)));
            }
            names.iter().map(|name| format!("{} FOUND", word(name))).collect()
        }
        _ => {
            let why = verdict.reasons().next().map(|(_, reason)| reason.to_string());
            let why = why.unwrap_or_else(|| decision.rule.key.to_string());
            vec![error(&why)]
        }
    }
}

/// What went wrong, on one line.
pub(super) fn error(why: &dyn Display) -> String {
    let why = why.to_string().replace(|letter: char| letter.is_control(), " ");
    format!("{why} ERROR")
}

/// A reason as the name of a threat.
fn not_scanned(reason: &Reason) -> String {
    let cause = match reason {
        Reason::Cancelled => "Cancelled",
        Reason::Corrupt(_) => "Corrupt",
        Reason::Encrypted => "Encrypted",
        Reason::Fault(_) => "Fault",
        Reason::Limit(limit) => return format!("NotScanned.Limit.{limit}"),
        Reason::Truncated => "Truncated",
        Reason::Unsupported(_) => "Unsupported",
        _ => "Other",
    };
    format!("NotScanned.{cause}")
}

/// A name without what would end it.
fn word(name: &str) -> String {
    name.replace(|letter: char| letter.is_whitespace() || letter.is_control(), "_")
}
