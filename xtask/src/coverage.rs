//! `cargo xtask coverage CORPUS`: how much of a corpus is found.
//!
//! A corpus is a folder with `manifest.jsonl`, one object a line, the objects in `files/` and
//! signatures in `db/`. Each object hides a payload. It is found strictly if a whole object
//! with the payload's digest was met (or, for payloads without one, a member that shows it), and
//! found at all if any object shows it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Object, Scanner, Verdict};
use serde_json::Value;

use crate::{Chore, Outcome, root};

pub(crate) static CHORE: Chore = Chore {
    name: "coverage",
    about: "CORPUS [--missed]: scan a corpus with a manifest, write docs/coverage.md",
    run: coverage,
};

/// What is found of one group of objects.
#[derive(Default)]
struct Group {
    files: usize,
    infected: Tally,
    must: Tally,
    alarms: usize,
    slowest: Duration,
}

/// How many objects there are, and how many of them were found.
#[derive(Default)]
struct Tally {
    all: usize,
    strict: usize,
    any: usize,
}

impl Tally {
    fn add(&mut self, found: Found) {
        self.all += 1;
        self.strict += usize::from(found == Found::Strictly);
        self.any += usize::from(found != Found::Not);
    }

    fn shown(&self) -> String {
        format!("{} / {} / {}", self.all, self.strict, self.any)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Found {
    Not,
    Visibly,
    Strictly,
}

fn coverage(arguments: &[String]) -> Outcome {
    let corpus = Path::new(arguments.first().ok_or("which corpus?")?);
    let shows_missed = arguments.iter().any(|argument| argument == "--missed");
    let scanner = Scanner::new(database(&corpus.join("db"))?);
    let manifest = read(&corpus.join("manifest.jsonl"))?;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for line in String::from_utf8_lossy(&manifest).lines() {
        let entry: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let group = groups.entry(text(&entry, "group").into()).or_default();
        scan(&scanner, corpus, &entry, group, shows_missed)?;
    }
    let table = table(&groups);
    print(&table);
    let path = root().join("docs/coverage.md");
    fs::write(&path, format!("{HEAD}{table}")).map_err(|error| error.to_string())
}

fn scan(
    scanner: &Scanner,
    corpus: &Path,
    entry: &Value,
    group: &mut Group,
    shows_missed: bool,
) -> Outcome {
    let path = text(entry, "path");
    let bytes = read(&corpus.join("files").join(path))?;
    let start = Instant::now();
    let verdict = scanner.scan(&Object::new(&bytes).named(path));
    group.slowest = group.slowest.max(start.elapsed());
    group.files += 1;
    let found = found(&verdict, entry);
    match text(entry, "expect") {
        "infected" => group.infected.add(found),
        "clean" => group.alarms += usize::from(found != Found::Not),
        _ => {}
    }
    let is_must = entry["accept"] == serde_json::json!(["infected"]);
    if is_must {
        group.must.add(found);
    }
    if shows_missed && found != Found::Strictly && (is_must || text(entry, "expect") == "infected")
    {
        let kind = if found == Found::Not { "missed " } else { "visible" };
        let must = if is_must { "must" } else { "    " };
        print(&format!(
            "{kind} {must} {path} ({}): {}\n",
            text(entry, "options"),
            reasons(&verdict)
        ));
    }
    Ok(())
}

fn found(verdict: &Verdict, entry: &Value) -> Found {
    let is_raw = entry["raw"] == Value::Bool(true);
    let has_digest = text(entry, "payload") != "marker";
    let of_payload = |name: &str| name.starts_with("Test.");
    let mut found = Found::Not;
    for (at, detection) in verdict.threats().filter(|(_, found)| of_payload(&found.name)) {
        let is_exact = detection.name.ends_with(".Exact");
        if is_exact || (!has_digest && (at > 0 || !is_raw)) {
            return Found::Strictly;
        }
        found = Found::Visibly;
    }
    found
}

fn reasons(verdict: &Verdict) -> String {
    let formats = verdict.records().iter().flat_map(|record| &record.formats);
    let mut shown: Vec<_> = formats.map(ToString::to_string).collect();
    shown.extend(verdict.reasons().map(|(_, reason)| reason.to_string()));
    shown.dedup();
    shown.truncate(8);
    shown.join(", ")
}

fn database(folder: &Path) -> Result<Database, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut sources = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.push((name, read(&path)?));
    }
    let files = sources.iter().map(|(name, bytes)| SourceFile::new(name, bytes));
    let (bytes, _) = compile("coverage", files);
    Database::from_bytes(bytes).map_err(|error| error.to_string())
}

fn table(groups: &BTreeMap<String, Group>) -> String {
    let mut lines = String::from(
        "| group | files | infected: all / strict / any | must: all / strict / any | \
         false alarms | slowest |\n|---|---|---|---|---|---|\n",
    );
    let mut sum = Group::default();
    for (name, group) in groups {
        lines += &row(name, group);
        sum.files += group.files;
        sum.alarms += group.alarms;
        sum.slowest = sum.slowest.max(group.slowest);
        for (sum, tally) in [(&mut sum.infected, &group.infected), (&mut sum.must, &group.must)] {
            sum.all += tally.all;
            sum.strict += tally.strict;
            sum.any += tally.any;
        }
    }
    lines + &row("**all**", &sum)
}

fn row(name: &str, group: &Group) -> String {
    let Group { files, infected, must, alarms, slowest } = group;
    let (infected, must) = (infected.shown(), must.shown());
    format!(
        "| {name} | {files} | {infected} | {must} | {alarms} | {:.1} s |\n",
        slowest.as_secs_f32()
    )
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn text<'v>(entry: &'v Value, key: &str) -> &'v str {
    entry[key].as_str().unwrap_or_default()
}

fn print(text: &str) {
    print!("{text}");
}

const HEAD: &str = "# Coverage

What is found of a corpus of generated files, made by `cargo xtask coverage CORPUS`. Each infected
file hides a harmless payload. *Strict*: the payload was met as an object of its own, byte for byte.
*Any*: it was seen at all. *Must*: files for which nothing but \"infected\" is right. Beside it, as
measured on the same files: ClamAV 1.4.6 with libclamunrar finds 521 strictly and 600 at all of the
682 that are a must.

";
