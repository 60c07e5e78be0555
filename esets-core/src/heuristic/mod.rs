//! Heuristics: one file each, one row each in [`HEURISTICS`].

mod double_extension;
mod right_to_left;

use crate::signature::Kinds;
use crate::subject::Subject;
use crate::verdict::{Detection, Reason};

/// Every heuristic, in the order they run.
pub static HEURISTICS: &[&dyn Heuristic] =
    &[&double_extension::DoubleExtension, &right_to_left::RightToLeft];

/// Looks at one object without a signature.
pub trait Heuristic: Sync {
    /// The name after `Heur.` in its detections.
    fn name(&self) -> &'static str;

    /// Adds to `findings` what speaks against the object.
    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings);
}

/// What signatures and heuristics say of one object.
#[derive(Debug, Default)]
pub struct Findings {
    pub(crate) detections: Vec<Detection>,
    /// As what else the object is to be scanned.
    pub(crate) kinds: Kinds,
    pub(crate) reasons: Vec<Reason>,
}

impl Findings {
    /// Adds a detection, once per name.
    pub fn add(&mut self, detection: Detection) {
        if !self.detections.iter().any(|known| known.name == detection.name) {
            self.detections.push(detection);
        }
    }

    /// Says why the object was not looked at completely.
    pub fn not_scanned(&mut self, reason: Reason) {
        self.reasons.push(reason);
    }
}
