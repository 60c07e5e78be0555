//! Compiled rules, asked about each object.

use std::fmt;
use std::time::Duration;

use esets_core::signature::class_of;
use esets_core::{Detection, Findings, Interrupt, Limit, Reason, RuleSet, Subject};
use thiserror::Error;
use yara_x::errors::ScanError;
use yara_x::{Rule, Scanner};

/// Rules that were compiled.
pub struct Rules {
    rules: yara_x::Rules,
    timeout: Option<Duration>,
}

/// Rules that cannot be read or written.
#[derive(Debug, Error)]
#[error("compiled YARA rules: {0}")]
pub struct RulesError(#[from] yara_x::errors::SerializationError);

impl Rules {
    pub(crate) fn new(rules: yara_x::Rules) -> Self {
        Self { rules, timeout: None }
    }

    /// Rules as [`Rules::to_bytes`] of the same version wrote them. The bytes must come from there:
    /// they are not checked against forgery.
    ///
    /// # Errors
    /// If another version wrote them or they are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RulesError> {
        Ok(Self::new(yara_x::Rules::deserialize(bytes)?))
    }

    /// The same rules with a limit, in whole seconds, of the time that they take for one object.
    ///
    /// A thread of this process watches it, which is started at the first scan: a process that may
    /// start none needs another watchman.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// The rules for another process.
    ///
    /// # Errors
    /// If they do not fit into memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RulesError> {
        Ok(self.rules.serialize()?)
    }

    /// How many rules there are, private ones included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rules.iter().len()
    }

    fn scanner(&self) -> Scanner<'_> {
        let mut scanner = Scanner::new(&self.rules);
        if let Some(timeout) = self.timeout {
            scanner.set_timeout(timeout);
        }
        scanner
    }
}

impl RuleSet for Rules {
    fn inspect(&self, subject: &Subject<'_>, interrupt: &dyn Interrupt, findings: &mut Findings) {
        if let Some(interruption) = interrupt.check() {
            findings.not_scanned(interruption.into());
            return;
        }
        let mut scanner = self.scanner();
        for (name, value) in EXTERNALS.iter().zip(externals(subject)) {
            let defined = scanner.set_global(name, value.as_str());
            debug_assert!(defined.is_ok(), "the compiler has defined {name}");
        }
        match scanner.scan(subject.bytes()) {
            Ok(results) => results.matching_rules().for_each(|rule| findings.add(detection(&rule))),
            Err(ScanError::Timeout) => findings.not_scanned(Reason::Limit(Limit::Time)),
            Err(error) => findings.not_scanned(Reason::Fault(format!("YARA: {error}").into())),
        }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// A match, at the first place where a pattern of the rule matched. What the name `PUA_…` or a tag
/// `pua` says of the class is believed.
fn detection(rule: &Rule<'_, '_>) -> Detection {
    let unwanted = rule.tags().any(|tag| tag.identifier().eq_ignore_ascii_case("pua"));
    let name = rule.identifier();
    let class = class_of(if unwanted { "PUA." } else { name });
    let matches = rule.patterns().flat_map(|pattern| pattern.matches());
    let offset = matches.map(|place| place.range().start as u64).min();
    let detection = Detection::signature(name, class);
    offset.map_or(detection.clone(), |offset| detection.at(offset))
}

/// The values of [`EXTERNALS`] for an object.
fn externals(subject: &Subject<'_>) -> [String; 4] {
    let path = String::from_utf8_lossy(subject.name()).into_owned();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let extension = name.rfind('.').and_then(|dot| name.get(dot..)).unwrap_or_default().to_owned();
    let format = subject.formats().first().map_or("", |format| format.name).to_owned();
    [extension, name, path, format]
}

/// External variables that public rules use, sorted: texts about the object.
pub(crate) const EXTERNALS: [&str; 4] = ["extension", "filename", "filepath", "filetype"];
