//! Replays what the fuzzers found and the data of the tests, on stable Rust.

use std::collections::BTreeSet;
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

/// The sources in the cases of the tests, to the target of their loader; `UPDATE=1` writes them
/// into the corpus.
#[test]
fn the_sources_of_the_tests_are_seeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut met = BTreeSet::new();
    for path in files(&root.join("../testdata/signature")) {
        if path.extension().is_none_or(|extension| extension != "case") {
            continue;
        }
        let case = path.file_stem().unwrap().to_string_lossy().into_owned();
        for (number, (name, lines)) in sources(&fs::read_to_string(&path).unwrap()).enumerate() {
            let extension = name.rsplit('.').next().unwrap();
            let mut loaders = esets_fuzz::loaders();
            let Some((target, _)) = loaders.find(|(_, known)| known.contains(&extension)) else {
                continue;
            };
            let seed = root.join("corpus").join(&target).join(format!("{case}-{number}"));
            if std::env::var_os("UPDATE").is_some() {
                fs::create_dir_all(seed.parent().unwrap()).unwrap();
                fs::write(&seed, &lines).unwrap();
            }
            let there = fs::read_to_string(&seed).unwrap_or_default();
            assert!(there == lines, "{}: UPDATE=1 cargo test", seed.display());
            met.insert(target);
        }
    }
    let missing: Vec<_> =
        esets_fuzz::loaders().map(|(target, _)| target).filter(|it| !met.contains(it)).collect();
    // These are no text.
    assert!(missing.iter().all(|target| target == "signature_cld"), "{missing:?}");
}

/// The sources in a case: lines behind `source NAME`, up to the first object.
fn sources(case: &str) -> impl Iterator<Item = (&str, String)> {
    let blocks = case.split("\nsource ").skip(1);
    blocks.map(|block| {
        let (name, lines) = block.split_once('\n').unwrap_or((block, ""));
        let is_line = |line: &&str| !line.starts_with("text ") && !line.starts_with("hex ");
        let lines = lines.lines().take_while(is_line).filter(|line| !line.starts_with(';'));
        (name, lines.map(|line| format!("{line}\n")).collect())
    })
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
