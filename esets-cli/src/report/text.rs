//! The report that MailScanner and its kin read: paragraphs, and one line for each finding,
//! `name="…", threat="…", action="…", info="…"`.

use std::io::{self, Write};
use std::time::SystemTime;

use esets_policy::core::{Status, Verdict};

use super::{Count, Entry, Opening, Summary};
use crate::date;
use crate::print::{Names, heeded, quoted, reason, unreadable};

pub(super) fn open(out: &mut dyn Write, opening: &Opening<'_>) -> io::Result<()> {
    writeln!(out, "\nESETS command-line scanner, version {VERSION}, open source, {LICENSE}")?;
    let Opening { database, .. } = opening;
    for module in MODULES {
        if *module == DATABASE {
            let (version, count) = (database.version(), database.counts().total());
            writeln!(
                out,
                "Module {module}, version {}, build {count}",
                quoted(version.as_bytes())
            )?;
        } else {
            writeln!(out, "Module {module}, version {VERSION}, build 1")?;
        }
    }
    writeln!(out, "\nCommand line: {}\n", quoted(opening.command_line.as_bytes()))?;
    writeln!(out, "Scan started at:   {}", date::long(opening.started))
}

pub(super) fn entry(out: &mut dyn Write, entry: &Entry, all: bool) -> io::Result<()> {
    let names = Names::of_locale();
    threats(out, entry, names)?;
    reasons(out, entry, names)?;
    if all && entry.verdict.status() == Status::Clean {
        Line { threat: "is OK", ..Line::of(&entry.verdict) }.write(out, names, "")?;
    }
    Ok(())
}

/// A line for each threat.
fn threats(out: &mut dyn Write, entry: &Entry, names: Names) -> io::Result<()> {
    let action = entry.cleaning.action();
    let mut previous = None;
    for (record, threat) in entry.verdict.threats() {
        let threat = threat.name.as_str();
        if previous != Some((record, threat)) {
            Line { record, threat, action, ..Line::of(&entry.verdict) }.write(out, names, "")?;
        }
        previous = Some((record, threat));
    }
    Ok(())
}

/// A line for each reason why something was not looked at, up to [`MOST_REASONS`].
fn reasons(out: &mut dyn Write, entry: &Entry, names: Names) -> io::Result<()> {
    let verdict = &entry.verdict;
    for (record, cause) in verdict.reasons().take(MOST_REASONS) {
        let info = match &entry.problem {
            Some(problem) => unreadable(problem),
            None => reason(cause),
        };
        Line { record, ..Line::of(verdict) }.write(out, names, &info)?;
    }
    match verdict.reasons().skip(MOST_REASONS).count() {
        0 => Ok(()),
        more => {
            let info = unreadable(&format!("{more} more reasons are left out"));
            Line::of(verdict).write(out, names, &info)
        }
    }
}

pub(super) fn close(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "\nScan completed at: {}", date::long(SystemTime::now()))?;
    writeln!(out, "Scan time:         {}", date::span(summary.took))?;
    let counts =
        [("Total:", summary.total), ("Infected:", summary.infected), ("Cleaned:", summary.cleaned)];
    for (title, Count { files, objects }) in counts {
        writeln!(out, "{title:<18} files - {files}, objects {objects}")?;
    }
    Ok(())
}

/// One finding.
struct Line<'l> {
    verdict: &'l Verdict,
    record: usize,
    threat: &'l str,
    action: &'l str,
}

impl<'l> Line<'l> {
    /// A line about the file itself that says nothing yet.
    fn of(verdict: &'l Verdict) -> Self {
        Self { verdict, record: 0, threat: "", action: "" }
    }

    fn write(&self, out: &mut dyn Write, names: Names, info: &str) -> io::Result<()> {
        let Self { verdict, record, threat, action } = self;
        out.write_all(b"name=\"")?;
        let (path, threat) = (names.path(verdict, *record), quoted(threat.as_bytes()));
        let is_about_threat = !threat.is_empty();
        out.write_all(&if is_about_threat { heeded(&path) } else { path })?;
        out.write_all(b"\", threat=\"")?;
        out.write_all(&heeded(threat.as_bytes()))?;
        writeln!(out, "\", action=\"{action}\", info=\"{info}\"")
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSE: &str = env!("CARGO_PKG_LICENSE");
/// Reasons that are printed for one file; the other reports have all of them.
const MOST_REASONS: usize = 100;
/// The module that is data; the others are code and have the version of the program.
const DATABASE: &str = "scanner";
const MODULES: &[&str] =
    &["loader", "engine", DATABASE, "archiver", "mail", "heuristics", "cleaner"];
