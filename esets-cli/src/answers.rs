//! The lines of `esets_cli`, as amavisd-new and its kin read them.

use esets_policy::Action;
use esets_policy::core::Verdict;

use crate::print::{Names, quoted, reason};

/// The answers so far. amavisd-new keeps 200 KiB of output, so what blocks or is infected comes
/// first, and what does not fit is only counted.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    important: Lines,
    others: Lines,
}

/// Answers until there is no more room.
#[derive(Debug, Default)]
struct Lines {
    answers: Vec<Vec<u8>>,
    length: usize,
    left_out: u64,
}

impl Answers {
    /// One object: a pair of adjacent lines for each threat in it, or one without a name.
    pub(crate) fn add(&mut self, verdict: &Verdict, action: Action) {
        let names = Names::of_locale();
        let mut previous = None;
        for (record, threat) in verdict.threats() {
            if previous != Some((record, &threat.name)) {
                let path = names.path(verdict, record);
                self.important.add(pair(&path, action, &threat.name));
            }
            previous = Some((record, &threat.name));
        }
        if previous.is_some() {
            return;
        }
        let cause = verdict.reasons().next().map(|(_, cause)| reason(cause));
        // Where a caller shows nothing but a name, this says why an object is blocked.
        let blocks = matches!(action, Action::Discard | Action::Reject);
        let shown = cause.as_ref().filter(|_| blocks).map(|cause| format!("not scanned: {cause}"));
        let path = names.path(verdict, 0);
        let mut lines = pair(&path, action, &shown.unwrap_or_default());
        if let Some(cause) = cause {
            lines.extend_from_slice(&path);
            lines.extend_from_slice(format!(": info=\"{cause}\"\n").as_bytes());
        }
        let passes = action == Action::Accept;
        if passes { &mut self.others } else { &mut self.important }.add(lines);
    }

    /// All lines, the important ones first, and how many had no room.
    pub(crate) fn finish(self) -> Vec<u8> {
        let Self { important, others } = self;
        let mut text = important.answers.concat();
        let mut left_out = important.left_out.saturating_add(others.left_out);
        for answer in others.answers {
            if text.len().saturating_add(answer.len()) <= ROOM {
                text.extend_from_slice(&answer);
            } else {
                left_out = left_out.saturating_add(1);
            }
        }
        if left_out > 0 {
            text.extend_from_slice(format!("{left_out} more answers are left out\n").as_bytes());
        }
        text
    }
}

impl Lines {
    fn add(&mut self, answer: Vec<u8>) {
        let length = self.length.saturating_add(answer.len());
        if length <= ROOM {
            self.length = length;
            self.answers.push(answer);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }
}

fn pair(path: &[u8], action: Action, threat: &str) -> Vec<u8> {
    let action = format!(": action=\"{}\"\n", action.participle());
    let virus = format!(": virus=\"{}\"\n", quoted(threat.as_bytes()));
    [path, action.as_bytes(), path, virus.as_bytes()].concat()
}

/// Bytes of answers; what is left of 200 KiB is for messages.
const ROOM: usize = 160 << 10;
