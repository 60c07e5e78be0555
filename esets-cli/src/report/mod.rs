//! What `esets_scan` says, in three styles over the same entries.

mod json;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use esets_policy::core::{Database, Status, Verdict};

use crate::clean::Cleaning;
use crate::exit::Scanned;

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// One document, see `docs/report-schema.json`.
    Json,
    /// The lines that mail servers read.
    Text,
    /// The verdict of each file as a tree.
    Tree,
}

/// What is said before the first file.
#[derive(Debug)]
pub(crate) struct Opening<'o> {
    pub(crate) command_line: String,
    pub(crate) database: &'o Database,
    pub(crate) started: SystemTime,
}

/// One file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) verdict: Verdict,
    pub(crate) cleaning: Cleaning,
    /// Why it could not be opened.
    pub(crate) problem: Option<String>,
}

/// The sums.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) total: Count,
    pub(crate) infected: Count,
    pub(crate) cleaned: Count,
    pub(crate) not_scanned: Count,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

/// Files, and objects in them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) files: u64,
    pub(crate) objects: u64,
}

impl Count {
    fn add(&mut self, objects: u64) {
        self.files = self.files.saturating_add(1);
        self.objects = self.objects.saturating_add(objects);
    }
}

impl Summary {
    /// Adds one file.
    pub(crate) fn add(&mut self, entry: &Entry) {
        let verdict = &entry.verdict;
        self.total.add(verdict.objects());
        self.bytes = self.bytes.saturating_add(verdict.bytes());
        let mut infected: Vec<usize> = verdict.threats().map(|(record, _)| record).collect();
        infected.dedup();
        if !infected.is_empty() {
            let objects = infected.len() as u64;
            let is_gone = entry.cleaning == Cleaning::Deleted;
            let count = if is_gone { &mut self.cleaned } else { &mut self.infected };
            count.add(objects);
        }
        let skipped =
            verdict.records().iter().filter(|record| !record.not_scanned.is_empty()).count();
        if skipped > 0 {
            self.not_scanned.add(skipped as u64);
        }
    }

    /// How the program ends.
    pub(crate) fn ending(&self) -> Scanned {
        if self.infected.files > 0 {
            Scanned::Infected
        } else if self.cleaned.files > 0 {
            Scanned::Cleaned
        } else if self.not_scanned.files > 0 {
            Scanned::NotScanned
        } else {
            Scanned::Clean
        }
    }
}

/// What a report in [`Style::Text`] says of a file that is not clean.
pub(crate) fn lines(entry: &Entry) -> Vec<u8> {
    let mut out = Vec::new();
    // A vector takes all that is written to it.
    let _ = text::entry(&mut out, entry, false);
    out
}

/// Writes a report in one style to one place.
pub(crate) struct Report {
    out: Box<dyn Write>,
    style: Style,
    /// Whether clean files are shown too.
    all: bool,
    entries: u64,
}

impl Report {
    pub(crate) fn new(out: Box<dyn Write>, style: Style, all: bool) -> Self {
        Self { out, style, all, entries: 0 }
    }

    pub(crate) fn open(&mut self, opening: &Opening<'_>) -> io::Result<()> {
        match self.style {
            Style::Json => json::open(&mut self.out, opening),
            Style::Text => text::open(&mut self.out, opening),
            Style::Tree => Ok(()),
        }
    }

    pub(crate) fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        let shown = self.all || entry.verdict.status() > Status::Clean;
        match self.style {
            Style::Json => {
                let is_first = self.entries == 0;
                self.entries = self.entries.saturating_add(1);
                json::entry(&mut self.out, entry, is_first)
            }
            Style::Text => text::entry(&mut self.out, entry, self.all),
            Style::Tree if shown => write!(self.out, "{}", entry.verdict),
            Style::Tree => Ok(()),
        }?;
        if shown { self.out.flush() } else { Ok(()) }
    }

    pub(crate) fn close(&mut self, summary: &Summary) -> io::Result<()> {
        match self.style {
            Style::Json => json::close(&mut self.out, summary),
            Style::Text => text::close(&mut self.out, summary),
            Style::Tree => Ok(()),
        }?;
        self.out.flush()
    }
}
