//! Golden cases in `testdata/signature/`: sources and objects in `CASE.case`, what is rejected and
//! what is found in `CASE.found`. `UPDATE=1` rewrites the latter.
//!
//! A case has lines `source NAME`, followed by the lines of that source; `text …` and `hex …` are
//! objects; what begins with `;` is a comment.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Object, Options, Scanner};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/signature");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    cases.sort();
    assert!(!cases.is_empty(), "no cases");
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Trial::test(name, move || check(&path))
    };
    let trials = cases.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn check(path: &Path) -> Result<(), Failed> {
    let found = run(&std::fs::read_to_string(path)?)?;
    let golden = path.with_extension("found");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, &found)?;
    }
    let expected = std::fs::read_to_string(&golden)?;
    if found == expected { Ok(()) } else { Err(format!("{found}\nexpected\n{expected}").into()) }
}

fn run(case: &str) -> Result<String, Failed> {
    let mut sources: Vec<(String, String)> = Vec::new();
    let mut objects = Vec::new();
    for line in case.lines().filter(|line| !line.starts_with(';')) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("source", name) => sources.push((name.into(), String::new())),
            ("text", text) => objects.push((line, text.as_bytes().to_vec())),
            ("hex", digits) => objects.push((line, unhex(digits)?)),
            _ => sources.last_mut().ok_or("no source")?.1.push_str(&format!("{line}\n")),
        }
    }
    let files = sources.iter().map(|(name, text)| SourceFile::new(name, text.as_bytes()));
    let (bytes, loaded) = compile("", files);
    let mut printed = format!("added {}\n", loaded.added);
    loaded.rejected.iter().try_for_each(|rejected| writeln!(printed, "{rejected}"))?;
    let mut options = Options::default();
    (options.unsafe_applications, options.unwanted_applications) = (true, true);
    let scanner = Scanner::new(Database::from_bytes(bytes)?).with_options(options);
    for (line, object) in objects {
        let verdict = scanner.scan(&Object::new(&object));
        let root = &verdict.records()[0];
        let names = root.detections.iter().map(|detection| match detection.offset {
            Some(offset) => format!("{}@{offset}", detection.name),
            None => detection.name.clone(),
        });
        let names = names.collect::<Vec<_>>().join(" ");
        writeln!(printed, "{line} -> {}", if names.is_empty() { "-" } else { &names })?;
    }
    Ok(printed)
}

fn unhex(digits: &str) -> Result<Vec<u8>, Failed> {
    let digits: String = digits.split_whitespace().collect();
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
    Ok(pairs.map(byte).collect::<Result<_, _>>()?)
}
