//! The interface as programs see it: the header says what the code does, the library exports
//! exactly that, and `abi.txt` shows every change. Lines of `abi.txt` may be added; one that goes
//! or changes breaks programs and needs a new soname. `UPDATE=1` rewrites it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::declarations;
use crate::toolchain::{DEBUG, built, compile, folder, here, succeed};

#[test]
fn the_header_declares_what_the_code_defines() {
    let header = declarations::of_header(&header());
    let code = declarations::of_code(&code());
    let only =
        |one: &BTreeSet<String>, other| -> Vec<String> { one.difference(other).cloned().collect() };
    assert_eq!(only(&header, &code), only(&code, &header));
    assert!(header.len() > 100, "the header was not read: {header:#?}");
}

#[test]
fn the_interface_is_the_one_on_record() {
    let golden = here().join("abi.txt");
    let mut lines: Vec<String> =
        declarations::of_header(&header()).into_iter().filter(|line| line.contains('(')).collect();
    lines.extend(numbers());
    let now = lines.join("\n") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&golden, &now).unwrap();
    }
    assert_eq!(now, fs::read_to_string(&golden).unwrap());
}

#[test]
fn the_library_exports_what_the_header_declares() {
    let symbols = succeed(Command::new("nm").args(["-D", "--defined-only"]).arg(built(LIBRARY)));
    let exported: BTreeSet<_> =
        symbols.lines().filter_map(|line| line.split(' ').nth(2)).map(String::from).collect();
    assert_eq!(exported, functions());
}

#[test]
fn the_library_needs_nothing_but_libc() {
    let dynamic = succeed(Command::new("readelf").arg("-d").arg(built(LIBRARY)));
    let named = |tag: &str| -> Vec<&str> {
        let lines = dynamic.lines().filter(|line| line.contains(tag));
        lines.filter_map(|line| line.split(['[', ']']).nth(1)).collect()
    };
    let needed = named("(NEEDED)").into_iter();
    let other: Vec<_> =
        needed.filter(|name| !name.starts_with("libc.so.") && !name.starts_with("ld-")).collect();
    assert_eq!(other, [""; 0]);
    assert_eq!(named("(SONAME)"), ["libesets.so.0"]);
}

#[test]
fn the_migration_note_names_what_exists() {
    let note = fs::read_to_string(here().join("../../docs/libclamav-migration.md")).unwrap();
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let names = note.split(|character| !is_part(character));
    let names: BTreeSet<_> =
        names.filter(|name| name.to_lowercase().starts_with("esets_")).collect();
    let header = header();
    let known: BTreeSet<_> = header.split(|character| !is_part(character)).collect();
    assert!(names.len() > 20, "{names:?}");
    assert_eq!(names.difference(&known).collect::<Vec<_>>(), [&""; 0]);
}

#[test]
fn perl_and_python_know_the_numbers_of_the_header() {
    let module = |path| fs::read_to_string(here().join("..").join(path)).unwrap();
    let (perl, python) = (module("perl/lib/ESETS.pm"), module("python/esets.py"));
    for (list, kind) in [
        ("STATUSES", "STATUS"),
        ("CLASSES", "CLASS"),
        ("SOURCES", "SOURCE"),
        ("REASONS", "REASON"),
        ("LIMITS", "LIMIT"),
        ("OPTIONS", "OPTION"),
        ("ACTIONS", "ACTION"),
    ] {
        let expected = words(kind);
        assert!(expected.len() > 1, "{kind}");
        assert_eq!(listed(&perl, &format!("our @{list} ")), expected, "{list} in Perl");
        // Python takes the other words from the JSON report.
        if ["STATUSES", "LIMITS", "OPTIONS", "ACTIONS"].contains(&list) {
            assert_eq!(listed(&python, &format!("_{list} ")), expected, "{list} in Python");
        }
    }
}

/// The constants `ESETS_<kind>_...` as words, in the order of their numbers.
fn words(kind: &str) -> Vec<String> {
    let prefix = format!("ESETS_{kind}_");
    let declared = declarations::of_header(&header()).into_iter();
    let constants = declared.filter_map(|line| line.strip_prefix(&prefix).map(String::from));
    let mut numbered: Vec<(u32, String)> = constants
        .filter_map(|line| {
            line.split_once(" = ")
                .map(|(word, number)| (number.parse().unwrap(), word.to_lowercase()))
        })
        .collect();
    numbered.sort();
    numbered.into_iter().map(|(_, word)| word).collect()
}

/// The words of the list that a statement gives.
fn listed(module: &str, start: &str) -> Vec<String> {
    let line = module.lines().find(|line| line.starts_with(start)).unwrap();
    let list = line.split_once('=').unwrap().1.replace("None", "undef");
    let words = list.split(|character: char| !(character.is_ascii_lowercase() || character == '_'));
    let words = words.filter(|word| !["", "undef", "qw"].contains(word));
    words.map(String::from).collect()
}

/// The names of all functions.
fn functions() -> BTreeSet<String> {
    let declared = declarations::of_header(&header()).into_iter();
    let declared = declared.filter(|line| line.contains('(') && !line.starts_with("typedef"));
    declared
        .map(|line| line.split('(').next().unwrap().rsplit([' ', '*']).next().unwrap().to_string())
        .collect()
}

/// The constants and the sizes of the types, as a C compiler understands them.
fn numbers() -> Vec<String> {
    let declared = declarations::of_header(&header());
    let names = declared.iter().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let types = declared.iter().filter_map(|line| line.strip_prefix("typedef int32_t "));
    let mut program = "#include <esets.h>\n#include <stdio.h>\nint main(void) {\n".to_string();
    for name in names {
        writeln!(program, "printf(\"{name} = %llu\\n\", (unsigned long long){name});").unwrap();
    }
    for name in types {
        writeln!(program, "printf(\"sizeof({name}) = %d\\n\", (int)sizeof({name}));").unwrap();
    }
    program += "return 0;\n}\n";
    let folder = folder("abi");
    let source = folder.join("numbers.c");
    fs::write(&source, program).unwrap();
    let printed = succeed(&mut Command::new(compile(DEBUG, &source, &folder)));
    printed.lines().map(String::from).collect()
}

fn header() -> String {
    fs::read_to_string(here().join("include/esets.h")).unwrap()
}

fn code() -> String {
    let files = fs::read_dir(here().join("src")).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

const LIBRARY: &str = "libesets.so";
