//! ClamAV as the oracle: what it says of objects, compared with what we say.
//!
//! It needs `clamscan` (Debian package `clamav`) and fails without it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Object, Scanner};

pub(crate) type Names = BTreeSet<String>;

/// What ClamAV says of the files of a folder, all names for each.
pub(crate) fn clamscan(folder: &Path, databases: &[PathBuf]) -> BTreeMap<String, Names> {
    let mut command = Command::new("clamscan");
    command.args(["--allmatch", "--no-summary", "--recursive", "--bytecode=no"]);
    for database in databases {
        command.arg("--database").arg(database);
    }
    let output = command.arg(folder).output().expect("clamscan, of Debian's package clamav");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{errors}");
    let mut names: BTreeMap<String, Names> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some((path, verdict)) = line.rsplit_once(": ") else { continue };
        let file = path.rsplit('/').next().unwrap().to_string();
        let found = names.entry(file).or_default();
        if let Some(name) = verdict.strip_suffix(" FOUND") {
            found.insert(name.trim_end_matches(".UNOFFICIAL").to_string());
        }
    }
    names
}

/// Compares both over all objects; the sources are (name, lines).
pub(crate) fn compare(case: &str, sources: &[(&str, String)], objects: &[Vec<u8>]) {
    let differences = differences(case, sources, objects);
    assert!(differences.is_empty(), "{case}\n{}", differences.join("\n"));
}

/// What only one of both finds, one line each.
pub(crate) fn differences(
    case: &str,
    sources: &[(&str, String)],
    objects: &[Vec<u8>],
) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(case);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("files")).unwrap();
    let mut databases = Vec::new();
    for (name, lines) in sources {
        databases.push(folder.join(name));
        std::fs::write(folder.join(name), lines).unwrap();
    }
    for (number, object) in objects.iter().enumerate() {
        std::fs::write(folder.join("files").join(number.to_string()), object).unwrap();
    }
    let theirs = clamscan(&folder.join("files"), &databases);
    let files = sources.iter().map(|(name, lines)| SourceFile::new(name, lines.as_bytes()));
    let (bytes, loaded) = compile("", files);
    assert_eq!(loaded.rejected, [], "ClamAV takes it");
    let scanner = Scanner::new(Database::from_bytes(bytes).unwrap());
    let mut differences = Vec::new();
    let mut hits = 0;
    for (number, object) in objects.iter().enumerate() {
        let verdict = scanner.scan(&Object::new(object));
        let ours: Names = verdict.threats().map(|(_, threat)| threat.name.clone()).collect();
        let theirs = theirs.get(&number.to_string()).cloned().unwrap_or_default();
        hits += ours.len();
        for name in ours.symmetric_difference(&theirs) {
            let line = sources.iter().flat_map(|(_, lines)| lines.lines());
            let line = line.filter(|line| line.split([':', ';']).any(|field| field == name));
            let who = if ours.contains(name) { "only we" } else { "only ClamAV" };
            let (line, text) = (line.collect::<Vec<_>>(), object.escape_ascii());
            differences.push(format!("{who}: {line:?} in {text}"));
        }
    }
    let least = objects.len() / 10;
    assert!(hits > least, "{case}: {hits} hits in {} objects say little", objects.len());
    differences
}

/// The same numbers in every run (Knuth's MMIX generator).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    pub(crate) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap();
        choices.get(at).unwrap()
    }

    pub(crate) fn letters(&mut self, alphabet: &str, length: u64) -> String {
        let bytes: Vec<&str> = alphabet.split("").filter(|letter| !letter.is_empty()).collect();
        (0..length).map(|_| self.pick(&bytes)).collect()
    }

    /// `low` to `high` letters from a to c, in hexadecimal digits.
    pub(crate) fn literal(&mut self, low: u64, high: u64) -> String {
        let length = low + self.below(high - low + 1);
        hex(self.letters("abc", length).as_bytes())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Text in which short words over few letters are met often.
pub(crate) fn texts(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let text = |random: &mut Random| {
        let length = 20 + random.below(60);
        random.letters("aaabbbccc.", length).into_bytes()
    };
    (0..count).map(|_| text(random)).collect()
}
