//! What the programs print of one object: an interface, because mail servers parse it.

use std::path::PathBuf;

use esets_policy::Action;
use esets_policy::core::Verdict;

use crate::answers::Answers;
use crate::clean::Cleaning;
use crate::report::{self, Entry};

/// The lines of `esets_cli`.
#[must_use]
pub fn by_esets_cli(verdict: &Verdict, action: Action) -> Vec<u8> {
    let mut answers = Answers::default();
    answers.add(verdict, action);
    answers.finish()
}

/// The lines of `esets_scan`, without those before the first file and behind the last.
#[must_use]
pub fn by_esets_scan(verdict: Verdict) -> Vec<u8> {
    let cleaning = Cleaning::default();
    report::lines(&Entry { path: PathBuf::new(), verdict, cleaning, problem: None })
}
