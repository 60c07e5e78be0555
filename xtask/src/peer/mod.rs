//! `cargo xtask bench peer [DATABASE] [FILES]`: the same files and signatures for `clamscan` and for
//! us, one table, into `docs/performance.md`.
//!
//! DATABASE is a folder of ClamAV signatures, measured besides those that are generated. FILES has
//! folders `mail`, `documents`, `elf`, `pe`; without it they are generated, the programs taken from
//! this machine.

mod clamscan;
mod databases;
mod inputs;
mod ours;
mod report;

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Outcome, cargo, root, run};

/// The kinds of files that are told apart.
const KINDS: &[&str] = &["mail", "documents", "elf", "pe"];

/// What follows `bench`: `peer`, or what that starts.
pub(crate) fn bench(words: &[String]) -> Option<Outcome> {
    match words {
        [kind, rest @ ..] if kind == "peer" => Some(build(rest)),
        [kind, database, files] if kind == "ours" => Some(ours::main(database, files)),
        [kind, rest @ ..] if kind == "measured" => Some(measured(rest)),
        _ => None,
    }
}

/// Builds what is measured with all its optimisations, and lines to count by, and runs that.
fn build(words: &[String]) -> Outcome {
    let mut command =
        cargo(&["run", "--quiet", "--release", "-p", "xtask", "--", "bench", "measured"]);
    run(command.args(words).env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only"))
}

fn measured(words: &[String]) -> Outcome {
    let folder = root().join("target/bench");
    fs::create_dir_all(&folder).map_err(text)?;
    let files = match words.get(1) {
        Some(files) => PathBuf::from(files),
        None => inputs::generate(&folder.join("files"))?,
    };
    let mut sets = Vec::new();
    for shape in databases::SHAPES {
        sets.push(databases::generate(shape, &folder.join(shape.name))?);
    }
    if let Some(official) = words.first() {
        sets.push(databases::given(Path::new(official), &folder.join("given"))?);
    }
    let mut measures = Vec::new();
    for set in &sets {
        let theirs = clamscan::measure(set, &files)?;
        let ours = ours::measure(set, &files)?;
        measures.push((set, theirs, ours));
    }
    let costs = ours::costs(&sets[sets.len() - 1], &files)?;
    let page = report::page(&measures, &costs);
    print!("{page}");
    fs::write(root().join("docs/performance.md"), page).map_err(text)
}

/// What one engine needs.
#[derive(Debug, Default)]
struct Measure {
    /// Seconds of CPU to open the signatures.
    open: f64,
    /// Bytes of memory of its own after opening.
    memory: f64,
    /// Seconds of CPU for one object of 200 bytes.
    tiny: f64,
    /// Megabytes per second of CPU, for each of [`KINDS`].
    rates: Vec<f64>,
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// All files below a folder, in order.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// The same numbers in every run (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }
}
