//! What must hold for the rows of every table: complete, unique, documented, with data.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use esets_core::{Format, HEURISTICS, UNPACKERS};

fn formats() -> impl Iterator<Item = &'static Format> {
    UNPACKERS.iter().map(|unpacker| unpacker.format())
}

/// The modules in a folder of the sources, without `mod.rs`.
fn modules(folder: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let names = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string());
    names.filter(|name| name != "mod").collect()
}

/// How a module must be called that has the row `name`.
fn module_of(name: &str) -> String {
    let renamed = RENAMED.iter().find(|(row, _)| *row == name);
    renamed.map_or(name, |(_, module)| module).replace('-', "_")
}

#[test]
fn each_unpacker_has_a_module_of_its_name_and_each_module_a_row() {
    let shared = SHARED.iter().map(ToString::to_string);
    let rows: BTreeSet<_> = formats().map(|format| module_of(format.name)).chain(shared).collect();
    assert_eq!(rows, modules("unpack"));
}

#[test]
fn each_heuristic_has_a_module_of_its_name_and_each_module_a_row() {
    let rows: BTreeSet<_> =
        HEURISTICS.iter().map(|row| module_of(&snake_case(row.name()))).collect();
    assert_eq!(rows, modules("heuristic"));
}

/// `DoubleExtension` is `double_extension`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[test]
fn names_are_unique_and_one_lower_case_word() {
    let mut seen = BTreeSet::new();
    for format in formats() {
        let is_word = format
            .name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        assert!(is_word && !format.name.is_empty(), "{}", format.name);
        assert!(seen.insert(format.name), "{} twice", format.name);
    }
    let names: BTreeSet<_> = HEURISTICS.iter().map(|row| row.name()).collect();
    assert_eq!(names.len(), HEURISTICS.len());
}

#[test]
fn each_format_says_what_it_is_and_what_defines_it() {
    for format in formats() {
        assert!(!format.about.is_empty(), "{}: about", format.name);
        assert!(!format.specification.is_empty(), "{}: specification", format.name);
        let lines = format.specification.iter().chain(format.limitations);
        let empty = lines.filter(|line| line.trim().is_empty()).count();
        assert_eq!(empty, 0, "{}: an empty line", format.name);
        let extensions = format.extensions.iter();
        let strange = extensions.filter(|extension| {
            extension.starts_with('.') || extension.bytes().any(|byte| byte.is_ascii_uppercase())
        });
        assert_eq!(strange.count(), 0, "{}: extensions", format.name);
    }
}

#[test]
fn no_two_formats_have_the_same_magic() {
    let all: Vec<_> = formats().collect();
    for (at, format) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            let shared = format.magic.iter().any(|magic| other.magic.contains(magic));
            let listed = SHARED_MAGIC.contains(&(format.name, other.name));
            assert_eq!(shared, listed, "{} and {}", format.name, other.name);
        }
    }
}

#[test]
fn each_format_has_a_recipe_and_cases_and_each_folder_a_format() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/unpack");
    let formats = formats().map(|format| format.name.to_string());
    let names: BTreeSet<_> = formats.filter(|name| !AWAITED.contains(&name.as_str())).collect();
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries.filter(|path| path.is_dir());
    let folders: BTreeSet<_> =
        folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_string()).collect();
    assert_eq!(names, folders);
    for name in &names {
        let has_recipe = folder.join(name).join("make").is_file();
        let excused = WITHOUT_RECIPE.iter().any(|(format, why)| format == name && !why.is_empty());
        assert_ne!(has_recipe, excused, "{name}: a make file, or the reason why there is none");
        let files = fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path());
        let goldens = files.filter(|path| path.extension().is_some_and(|end| end == "verdict"));
        assert!(goldens.count() > 0, "{name}: no golden case");
    }
}

/// Rows whose name is not that of a module: the row, the module.
const RENAMED: &[(&str, &str)] = &[
    ("7z", "sevenz"),
    ("flatodf", "xmldocument"),
    ("flatopc", "xmldocument"),
    ("hwpml", "xmldocument"),
    ("right_to_left_override", "right_to_left"),
    ("wordml", "xmldocument"),
];

/// Modules beside the unpackers that several of them share.
const SHARED: &[&str] = &["embedded"];

/// Formats whose cases are still to come. Such a list only ever shrinks.
const AWAITED: &[&str] = &[];

/// Formats that no free program writes: the row, why there is no `make`.
const WITHOUT_RECIPE: &[(&str, &str)] = &[
    ("dmg", "no tool of Debian writes them, dmg2img only reads"),
    ("autoit", "only Aut2Exe, which is not free, writes them"),
    ("ace", "only WinACE wrote them"),
    ("alz", "only ALZip writes them"),
    ("egg", "only ALZip writes them"),
    ("installshield", "only InstallShield writes them"),
    ("iscab", "only InstallShield writes them, unshield only reads"),
    ("macho", "no tool of Debian links programs for macOS"),
    ("officecrypt", "only whole office suites encrypt documents"),
    ("sis", "Debian has no program that writes them"),
    ("zoo", "Debian has no program that writes them any more"),
];

/// Formats that begin alike, in the order of the table, and are told apart by more.
const SHARED_MAGIC: &[(&str, &str)] = &[];
