//! ClamAV's test files (Debian package `clamav-testfiles`): one tiny program in many wrappings.
//!
//! Each must be opened down to that program, byte for byte. Packers build another file around its
//! code; there an object must be met that has the code, which the packed file has not.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use esets_core::{Database, Object, Observer, Scanner, Session, Subject};

/// Whether the program, or at least its code, was met inside the scanned object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Met {
    program: bool,
    code: bool,
}

/// Looks for the program among all objects.
struct Witness<'p> {
    program: &'p [u8],
    met: Met,
}

impl Observer for Witness<'_> {
    fn enter(&mut self, subject: &Subject<'_>) {
        let code = &self.program[CODE];
        self.met.program |= subject.bytes() == self.program;
        let has_code = || subject.bytes().windows(code.len()).any(|window| window == code);
        self.met.code |= subject.depth() > 0 && has_code();
    }
}

#[test]
fn every_wrapping_of_the_test_program_is_opened() {
    let files = files();
    let program = &files["clam.exe"];
    let missed: Vec<String> = files
        .iter()
        .filter_map(|(name, bytes)| {
            let mut witness = Witness { program, met: Met::default() };
            let mut session = Session { observer: Some(&mut witness), ..Session::default() };
            let verdict = Scanner::new(Database::embedded())
                .scan_with(&Object::new(bytes).named(name), &mut session);
            let is_missed = match name.as_str() {
                name if REBUILT.contains(&name) => !witness.met.code,
                _ => !witness.met.program,
            };
            is_missed.then(|| format!("{:?}\n{verdict}", witness.met))
        })
        .collect();
    assert_eq!(files.len(), 44, "the package has other files");
    assert!(missed.is_empty(), "not as expected:\n{}", missed.join("\n"));
}

/// The files under their names.
fn files() -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(FOLDER);
    let entries = entries.unwrap_or_else(|_| panic!("it needs Debian's package clamav-testfiles"));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (name_of(&path), fs::read(&path).unwrap())).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_string()
}

const FOLDER: &str = "/usr/share/clamav-testfiles";

/// Where the code of the program is.
const CODE: std::ops::Range<usize> = 0x40..0x7e;

/// Made by packers.
const REBUILT: &[&str] = &[
    "clam-aspack.exe",
    "clam-fsg.exe",
    "clam-mew.exe",
    "clam-pespin.exe",
    "clam-petite.exe",
    "clam-upack.exe",
    "clam-upx.exe",
    "clam-wwpack.exe",
    "clam-yc.exe",
];
