//! Why an object ends as it does, for people.

use std::fmt;

use crate::config::{Rule, Value};
use crate::disposition::{Disposition, strictest};
use crate::template::escape;

/// The whole reasoning about one object. Printed, its last line is `action: WORD`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// For each group of recipients that the policy treats alike.
    pub groups: Vec<Reasoning>,
}

/// The reasoning for one group of recipients.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reasoning {
    /// The recipients; none for an object that is no message.
    pub recipients: Vec<String>,
    /// The sections that hold for them, the nearest first.
    pub sections: Vec<Applied>,
    /// What was asked, in order.
    pub steps: Vec<Step>,
    /// What comes of it.
    pub disposition: Disposition,
}

/// A section, and whom it was found for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Applied {
    /// The section.
    pub section: String,
    /// `recipient`, `client`, `agent`, …
    pub because: String,
}

/// One question and the line that answers it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// What the policy was asked about: `infected: Eicar`.
    pub about: String,
    /// The line that answers.
    pub rule: Rule,
    /// The answer.
    pub value: Value,
    /// The section that inherits the line, if it stands in a parent.
    pub inherited_by: Option<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            writeln!(out, "{group}")?;
        }
        let dispositions = self.groups.iter().map(|group| &group.disposition);
        match strictest(dispositions) {
            Some(worst) => write!(out, "action: {}", worst.action),
            None => write!(out, "action: defer"),
        }
    }
}

impl fmt::Display for Reasoning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |text: &String| escape(text.as_bytes());
        let whom = self.recipients.iter().map(escaped).collect::<Vec<_>>().join(", ");
        writeln!(out, "for {}:", if whom.is_empty() { "the object" } else { &whom })?;
        for applied in &self.sections {
            writeln!(out, "  section [{}] ({})", escaped(&applied.section), applied.because)?;
        }
        for step in &self.steps {
            writeln!(out, "  {step}")?;
        }
        write!(out, "  therefore {}: {}", self.disposition.action, self.disposition.rule)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (about, key) = (escape(self.about.as_bytes()), &self.rule.key);
        write!(out, "{about}: {key} = {} (", self.value)?;
        if self.rule.is_default() {
            return out.write_str("default)");
        }
        write!(out, "[{}], {}:{}", self.rule.section, self.rule.file, self.rule.line)?;
        if let Some(section) = &self.inherited_by {
            write!(out, ", parent of [{}]", escape(section.as_bytes()))?;
        }
        out.write_str(")")
    }
}
