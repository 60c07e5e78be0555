//! How the programs end: one table for each of them, from the best to the worst.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How `esets_cli` ends; of several paths, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Decided {
    /// Every object may pass.
    Accepted,
    /// An object shall be tried again later.
    Deferred,
    /// The program could not do its work.
    Failed,
    /// An object shall vanish.
    Discarded,
    /// An object shall be refused.
    Rejected,
}

/// How `esets_scan` ends; of several files, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scanned {
    /// Everything was looked at and nothing was found.
    Clean,
    /// Something was not looked at.
    NotScanned,
    /// Threats were found, and all of them removed.
    Cleaned,
    /// A threat is still there.
    Infected,
    /// The program could not do its work.
    Failed,
}

/// How the other commands of `esets` end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Managed {
    /// It is done.
    Done,
    /// What was looked at has mistakes.
    Mistakes,
    /// The program could not do its work.
    Failed,
}

/// One way to end.
struct Row<E> {
    ending: E,
    code: u8,
    about: &'static str,
}

static DECIDED: &[Row<Decided>] = &[
    Row { ending: Decided::Accepted, code: 0, about: "accepted: every object may pass" },
    Row { ending: Decided::Deferred, code: 1, about: "deferred: an object shall be tried later" },
    Row {
        ending: Decided::Failed,
        code: 100,
        about: "failed: wrong usage, configuration or database, or a path that cannot be read",
    },
    Row { ending: Decided::Discarded, code: 2, about: "discarded: an object shall vanish" },
    Row { ending: Decided::Rejected, code: 3, about: "rejected: an object shall be refused" },
];

static SCANNED: &[Row<Scanned>] = &[
    Row { ending: Scanned::Clean, code: 0, about: "clean: everything was looked at" },
    Row {
        ending: Scanned::NotScanned,
        code: 10,
        about: "not all scanned: a path cannot be read, or a part of an object was not looked at",
    },
    Row { ending: Scanned::Cleaned, code: 1, about: "cleaned: every threat found was removed" },
    Row { ending: Scanned::Infected, code: 50, about: "infected: a threat was found" },
    Row {
        ending: Scanned::Failed,
        code: 100,
        about: "failed: wrong usage, a database that cannot be read, a report that cannot be written",
    },
];

static MANAGED: &[Row<Managed>] = &[
    Row { ending: Managed::Done, code: 0, about: "done" },
    Row { ending: Managed::Mistakes, code: 1, about: "what was looked at has mistakes" },
    Row { ending: Managed::Failed, code: 100, about: "failed" },
];

impl From<Decided> for ExitCode {
    fn from(ending: Decided) -> Self {
        Self::from(code(DECIDED, ending))
    }
}

impl From<Scanned> for ExitCode {
    fn from(ending: Scanned) -> Self {
        Self::from(code(SCANNED, ending))
    }
}

impl From<Managed> for ExitCode {
    fn from(ending: Managed) -> Self {
        Self::from(code(MANAGED, ending))
    }
}

/// The page `docs/exit-codes.md`.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    chapter(&mut page, "esets_cli", DECIDED);
    chapter(&mut page, "esets_scan, and esets scan", SCANNED);
    chapter(&mut page, "esets_quar, esets_set, and all other commands of esets", MANAGED);
    page
}

/// The part of a manual page that lists the codes, as roff.
pub(crate) fn manual_section(program: &str) -> String {
    match program {
        "esets_cli" => roff(DECIDED),
        "esets_scan" | "esets-scan" => roff(SCANNED),
        _ => roff(MANAGED),
    }
}

fn code<E: PartialEq + Copy>(rows: &[Row<E>], ending: E) -> u8 {
    rows.iter().find(|row| row.ending == ending).map_or(FAILED, |row| row.code)
}

fn chapter<E>(page: &mut String, title: &str, rows: &[Row<E>]) {
    let _ = write!(page, "\n## {title}\n\n| code | meaning |\n|---|---|\n");
    for Row { code, about, .. } in rows {
        let _ = writeln!(page, "| {code} | {about} |");
    }
}

fn roff<E>(rows: &[Row<E>]) -> String {
    let mut section = String::from(".SH \"EXIT STATUS\"\nThe worst counts, from best to worst:\n");
    for Row { code, about, .. } in rows {
        let _ = write!(section, ".TP\n{code}\n{about}\n");
    }
    section
}

/// What no caller takes for a decision.
pub(crate) const FAILED: u8 = 100;

const INTRODUCTION: &str = "# Exit codes

Made by `cargo xtask docs` from the tables of `esets-cli/src/exit.rs`. Each table goes from the best
to the worst; where a program looks at several objects, the worst ending counts. A threat that was
found is never hidden by a failure beside it.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_go_from_the_best_to_the_worst_and_are_complete() {
        assert!(DECIDED.is_sorted_by_key(|row| row.ending) && DECIDED.len() == 5);
        assert!(SCANNED.is_sorted_by_key(|row| row.ending) && SCANNED.len() == 5);
        assert!(MANAGED.is_sorted_by_key(|row| row.ending) && MANAGED.len() == 3);
    }
}
