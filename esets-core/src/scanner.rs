//! The scanner: a database, options and limits, shared by any number of threads.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::budget::Limits;
use crate::carve::Carver;
use crate::database::Database;
use crate::heuristic::{HEURISTICS, Heuristic};
use crate::object::Object;
use crate::rules::RuleSet;
use crate::scan;
use crate::session::Session;
use crate::unpack::{UNPACKERS, Unpacker};
use crate::verdict::Verdict;

/// Scans objects. Cloning costs little, and a scanner may be shared between threads.
#[derive(Clone)]
pub struct Scanner {
    pub(crate) carver: Arc<Carver>,
    pub(crate) database: Database,
    pub(crate) heuristics: Cow<'static, [&'static dyn Heuristic]>,
    pub(crate) limits: Limits,
    pub(crate) options: Options,
    pub(crate) rules: Vec<Arc<dyn RuleSet>>,
    pub(crate) unpackers: Cow<'static, [&'static dyn Unpacker]>,
}

/// The carver of the usual unpackers: built once, as it costs more than a small scan.
static CARVER: LazyLock<Arc<Carver>> = LazyLock::new(|| Arc::new(Carver::new(UNPACKERS)));

/// What a scan looks for and what its verdict keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Options {
    /// Whether heuristics run.
    pub heuristics: bool,
    /// Which objects get a record.
    pub records: Records,
    /// Names of formats that are recognised but not opened; such an object is "not scanned".
    pub skipped_formats: Vec<Cow<'static, str>>,
    /// Whether potentially unsafe applications are looked for.
    pub unsafe_applications: bool,
    /// Whether potentially unwanted applications are looked for.
    pub unwanted_applications: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heuristics: true,
            records: Records::Notable,
            skipped_formats: Vec::new(),
            unsafe_applications: false,
            unwanted_applications: false,
        }
    }
}

/// Which objects get a record in the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Records {
    /// Every object.
    All,
    /// The scanned object, those with something to say, and the containers around them; the
    /// others are only counted.
    #[default]
    Notable,
}

impl Scanner {
    /// A scanner with default limits and options.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            carver: Arc::clone(&CARVER),
            database,
            heuristics: Cow::Borrowed(HEURISTICS),
            limits: Limits::default(),
            options: Options::default(),
            rules: Vec::new(),
            unpackers: Cow::Borrowed(UNPACKERS),
        }
    }

    /// The same scanner with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same scanner with other options.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// The same scanner with one more unpacker, asked after those it has.
    #[must_use]
    pub fn with_unpacker(self, unpacker: &'static dyn Unpacker) -> Self {
        let unpackers = [&self.unpackers[..], &[unpacker]].concat();
        self.with_unpackers(unpackers)
    }

    /// The same scanner with these unpackers only, for whoever looks at one format at a time.
    #[must_use]
    pub fn with_unpackers(self, unpackers: Vec<&'static dyn Unpacker>) -> Self {
        let carver = Arc::new(Carver::new(&unpackers));
        Self { carver, unpackers: Cow::Owned(unpackers), ..self }
    }

    /// The same scanner with one more heuristic, asked after those it has.
    #[must_use]
    pub fn with_heuristic(mut self, heuristic: &'static dyn Heuristic) -> Self {
        self.heuristics.to_mut().push(heuristic);
        self
    }

    /// The same scanner with rules of another language, asked after the signatures.
    #[must_use]
    pub fn with_rules(mut self, rules: Arc<dyn RuleSet>) -> Self {
        self.rules.push(rules);
        self
    }

    /// What it looks for and what its verdicts keep.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What one scan may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The signatures it looks for.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Scans an object and everything inside it.
    ///
    /// This never fails: what could not be looked at is part of the verdict.
    #[must_use]
    pub fn scan(&self, object: &Object<'_>) -> Verdict {
        self.scan_with(object, &mut Session::default())
    }

    /// The same with the caller's clock, observer and passwords.
    #[must_use]
    pub fn scan_with(&self, object: &Object<'_>, session: &mut Session<'_>) -> Verdict {
        scan::scan(self, object, session)
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("limits", &self.limits)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
