//! The signatures of a scanner.

use crate::heuristic::Findings;
use crate::session::{Interrupt, Interruption};
use crate::subject::Subject;

/// Signatures, compiled and read in place. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Database {}

impl Database {
    /// The default database that every build carries.
    #[must_use]
    pub fn embedded() -> Self {
        Self::default()
    }

    pub(crate) fn search(
        &self,
        _subject: &Subject<'_>,
        _interrupt: &dyn Interrupt,
        _findings: &mut Findings,
    ) -> Result<(), Interruption> {
        Ok(())
    }

    pub(crate) fn allows(&self, _subject: &Subject<'_>) -> bool {
        false
    }
}
