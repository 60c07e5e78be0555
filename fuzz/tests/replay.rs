//! Replays what the fuzzers found and the data of the tests, on stable Rust.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder, sorted; none if the folder does not exist.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(|entry| entry.path());
    let paths = entries.iter().map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_corpus_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut replayed = 0;
    for name in esets_fuzz::names() {
        for file in files(&root.join("corpus").join(&name)) {
            esets_fuzz::run(&name, &fs::read(&file).unwrap());
            replayed += 1;
        }
    }
    assert!(replayed > 0, "the corpora are missing");
}

#[test]
fn the_data_of_the_tests_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let inputs: Vec<_> = files(&root).iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(inputs.len() > 10, "the data of the tests is missing");
    for target in esets_fuzz::TARGETS {
        inputs.iter().for_each(|input| (target.run)(input));
    }
}

/// The manifest lists each target; `UPDATE=1` writes the list.
#[test]
fn every_target_of_the_tables_is_built() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    let (head, _) = manifest.split_once(MARK).unwrap();
    let targets: String = esets_fuzz::names().map(|name| TARGET.replace("NAME", &name)).collect();
    let expected = format!("{head}{MARK}{targets}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(manifest == expected, "the targets have changed: UPDATE=1 cargo test");
    }
}

const MARK: &str = "# Below: one target each, written by `UPDATE=1 cargo test`.\n";

const TARGET: &str = "
[[bin]]
name = \"NAME\"
path = \"fuzz_targets/target.rs\"
required-features = [\"libfuzzer\"]
test = false
doc = false
";
