//! The report that MailScanner and its kin read: paragraphs, and one line for each finding,
//! `name="…", threat="…", action="…", info="…"`.

use std::io::{self, Write};
use std::time::SystemTime;

use esets_policy::core::Verdict;

use super::{Count, Entry, Opening, Summary};
use crate::date;
use crate::print::{Names, quoted, reason, unreadable};

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
    let Entry { verdict, cleaning, problem, .. } = entry;
    let names = Names::of_locale();
    let mut is_clean = true;
    let mut previous = None;
    for (record, threat) in verdict.threats() {
        if previous == Some((record, &threat.name)) {
            continue;
        }
        previous = Some((record, &threat.name));
        is_clean = false;
        let line = Line { verdict, record, threat: &threat.name, action: cleaning.action() };
        line.write(out, names, "")?;
    }
    for (record, cause) in verdict.reasons() {
        is_clean = false;
        let info = match problem {
            Some(problem) => unreadable(problem),
            None => reason(cause),
        };
        Line { verdict, record, threat: "", action: "" }.write(out, names, &info)?;
    }
    if is_clean && all {
        Line { verdict, record: 0, threat: "is OK", action: "" }.write(out, names, "")?;
    }
    Ok(())
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

impl Line<'_> {
    fn write(&self, out: &mut dyn Write, names: Names, info: &str) -> io::Result<()> {
        let Self { verdict, record, threat, action } = self;
        out.write_all(b"name=\"")?;
        out.write_all(&names.path(verdict, *record))?;
        let threat = quoted(threat.as_bytes());
        writeln!(out, "\", threat=\"{threat}\", action=\"{action}\", info=\"{info}\"")
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSE: &str = env!("CARGO_PKG_LICENSE");
/// The module that is data; the others are code and have the version of the program.
const DATABASE: &str = "scanner";
const MODULES: &[&str] =
    &["loader", "engine", DATABASE, "archiver", "mail", "heuristics", "cleaner"];
