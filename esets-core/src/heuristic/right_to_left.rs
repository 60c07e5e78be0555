//! `invoice\u{202e}fdp.exe`, shown as `invoiceexe.pdf`: a name that turns its own direction.

use crate::heuristic::{Findings, Heuristic};
use crate::subject::Subject;
use crate::verdict::Detection;

/// A name with a right-to-left override (UAX #9).
pub(super) struct RightToLeft;

impl Heuristic for RightToLeft {
    fn name(&self) -> &'static str {
        "RightToLeftOverride"
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        if turns_direction(subject.name()) {
            findings.add(Detection::heuristic(self.name()));
        }
    }
}

/// The override U+202E, and U+202B, U+2067 that real names in right-to-left scripts do without.
fn turns_direction(name: &[u8]) -> bool {
    let marks = ["\u{202e}", "\u{202b}", "\u{2067}"];
    marks.iter().any(|mark| memchr::memmem::find(name, mark.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_is_seen_and_hebrew_is_not() {
        assert!(turns_direction("invoice\u{202e}fdp.exe".as_bytes()));
        assert!(!turns_direction("חשבונית.pdf".as_bytes()));
    }
}
