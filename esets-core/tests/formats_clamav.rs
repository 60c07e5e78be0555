//! ClamAV is the oracle for the formats of signatures that are not patterns: digests of sections
//! and imports, names to ignore, metadata of containers, passwords, containers of databases.
//!
//! It needs `clamscan` (Debian package `clamav`) and fails without it.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may panic"
)]
#![expect(clippy::disallowed_types, reason = "the oracle is a program")]

#[path = "clamav/pe.rs"]
mod pe;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use esets_core::signature::{SourceFile, compile};
use esets_core::{Database, Object, Options, Scanner};
use pe::Pe;
use sha2::Digest as _;

type Names = BTreeSet<String>;
type Sources<'a> = &'a [(&'a str, Vec<u8>)];

/// What both find in each object: ClamAV and we.
struct Found {
    theirs: Vec<Names>,
    ours: Vec<Names>,
}

fn scan(case: &str, sources: Sources<'_>, objects: &[Vec<u8>]) -> Found {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats").join(case);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("files")).unwrap();
    std::fs::create_dir_all(folder.join("db")).unwrap();
    for (name, content) in sources {
        std::fs::write(folder.join("db").join(name), content).unwrap();
    }
    for (number, object) in objects.iter().enumerate() {
        std::fs::write(folder.join("files").join(number.to_string()), object).unwrap();
    }
    let names = clamscan(&folder.join("files"), &folder.join("db"));
    let theirs = (0..objects.len()).map(|at| names.get(&at).cloned().unwrap_or_default());
    Found { theirs: theirs.collect(), ours: ours(sources, objects) }
}

fn clamscan(files: &Path, database: &PathBuf) -> BTreeMap<usize, Names> {
    let mut command = Command::new("clamscan");
    command.args(["--allmatch", "--no-summary", "--recursive", "--bytecode=no", "--detect-pua"]);
    let output = command.arg("--database").arg(database).arg(files).output();
    let output = output.expect("clamscan, of Debian's package clamav");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{errors}");
    let mut names: BTreeMap<usize, Names> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some((path, verdict)) = line.rsplit_once(": ") else { continue };
        let Some(name) = verdict.strip_suffix(" FOUND") else { continue };
        let number = path.rsplit('/').next().unwrap().parse().unwrap();
        let name = name.trim_end_matches(".UNOFFICIAL").to_string();
        names.entry(number).or_default().insert(name);
    }
    names
}

fn ours(sources: Sources<'_>, objects: &[Vec<u8>]) -> Vec<Names> {
    let files = sources.iter().map(|(name, content)| SourceFile::new(name, content));
    let (bytes, loaded) = compile("", files);
    assert_eq!(loaded.rejected, [], "ClamAV takes it");
    let mut options = Options::default();
    options.unwanted_applications = true;
    options.heuristics = false;
    let scanner = Scanner::new(Database::from_bytes(bytes).unwrap()).with_options(options);
    let names = |object: &Vec<u8>| {
        let verdict = scanner.scan(&Object::new(object));
        verdict.threats().map(|(_, threat)| threat.name.clone()).collect()
    };
    objects.iter().map(names).collect()
}

fn compare(case: &str, sources: Sources<'_>, objects: &[Vec<u8>], least: usize) {
    let found = scan(case, sources, objects);
    assert_eq!(found.ours, found.theirs, "{case}: ours, then ClamAV's");
    let hits: usize = found.ours.iter().map(BTreeSet::len).sum();
    assert!(hits >= least, "{case}: {hits} hits say little");
}

/// The same numbers in every run (Knuth's MMIX generator).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A PE file of sections that follow each other, its import directory at the start of the first.
fn pe(wide: bool, sections: &[Vec<u8>], imports: u32) -> Vec<u8> {
    Pe { wide, sections, imports, entry: 0x1000, resources: None }.build()
}

#[test]
fn digests_of_sections() {
    let mut random = Random(1);
    let (mut mdb, mut msb, mut mdu) = (String::new(), String::new(), String::new());
    let mut objects = Vec::new();
    for number in 0..40 {
        let sections: Vec<Vec<u8>> = (0..=random.below(4))
            .map(|_| {
                let size = 0x200 * (1 + random.below(8));
                random.bytes(size)
            })
            .collect();
        for (place, section) in sections.iter().enumerate() {
            let name = format!("S{number}.{place}");
            let size = section.len() + usize::from(random.below(6) == 0);
            match random.below(5) {
                0 => writeln!(mdb, "{size}:{}:{name}", hex(md5::Md5::digest(section))),
                1 => writeln!(msb, "{size}:{}:{name}", hex(sha1::Sha1::digest(section))),
                2 => writeln!(msb, "{size}:{}:{name}", hex(sha2::Sha256::digest(section))),
                3 => writeln!(mdb, "*:{}:{name}:73", hex(md5::Md5::digest(section))),
                _ => writeln!(mdu, "{size}:{}:PUA.{name}", hex(md5::Md5::digest(section))),
            }
            .unwrap();
        }
        objects.push(pe(number % 2 == 0, &sections, 0));
    }
    let sources = [("a.mdb", mdb.into()), ("a.msb", msb.into()), ("a.mdu", mdu.into())];
    compare("sections", &sources, &objects, 60);
}

/// An import directory at 0x1000 of two libraries, its size, and the text that is hashed.
fn imports(wide: bool, number: usize) -> (Vec<u8>, u32, String) {
    let libraries: [(&str, &[&str]); 2] =
        [("KERNEL32.dll", &["CreateFileA", "Sleep"]), ("b.ocx", &["Go"])];
    let mut section = vec![0_u8; 0x400];
    let mut text = Vec::new();
    let mut put = |at: usize, bytes: &[u8]| {
        section.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
    };
    let width = if wide { 8 } else { 4 };
    let (mut thunks, mut names) = (0x100, 0x200);
    for (place, (library, functions)) in libraries.iter().enumerate() {
        let at = place * 20;
        for field in [at, at + 16] {
            put(field, &u32::try_from(0x1000 + thunks).unwrap().to_le_bytes());
        }
        put(at + 12, &u32::try_from(0x1000 + names).unwrap().to_le_bytes());
        put(names, library.as_bytes());
        names += 0x20;
        for function in *functions {
            let function = format!("{function}{number}");
            put(thunks, &u32::try_from(0x1000 + names).unwrap().to_le_bytes());
            put(names + 2, function.as_bytes());
            let stem = library.split('.').next().unwrap();
            text.push(format!("{stem}.{function}").to_lowercase());
            names += 0x20;
            thunks += width;
        }
        thunks += width;
    }
    (section, 60, text.join(","))
}

#[test]
fn digests_of_imports_and_clamav_misses_those_of_pe32_plus() {
    let (mut imp, mut objects) = (String::new(), Vec::new());
    for number in 0..12 {
        let wide = number % 3 == 0;
        let (section, size, text) = imports(wide, number);
        let digest = hex(md5::Md5::digest(&text));
        let stated = if number == 7 { text.len() + 1 } else { text.len() };
        writeln!(imp, "{digest}:{stated}:I{number}").unwrap();
        objects.push(pe(wide, &[section], size));
    }
    let found = scan("imports", &[("a.imp", imp.into())], &objects);
    for number in 0..12 {
        let own = Names::from([format!("I{number}")]);
        let (both, wide) = (number != 7, number % 3 == 0);
        let expected = if both { own } else { Names::new() };
        assert_eq!(found.ours.get(number), Some(&expected), "{number}");
        let theirs = if wide { Names::new() } else { expected };
        assert_eq!(found.theirs.get(number), Some(&theirs), "{number}");
    }
}

#[test]
fn ignored_names_and_lines() {
    let mut random = Random(3);
    let (mut ndb, mut hdb) = (String::new(), String::new());
    // ClamAV refuses an `.ign2` in which a name alone follows one with a digest.
    let (mut ign, mut ign2, mut lines) = (String::new(), String::new(), String::new());
    let mut objects = Vec::new();
    for number in 0..60 {
        let object = random.bytes(64);
        let pattern = hex(object.get(8..24).unwrap());
        let line = format!("Name.Of-{number}:0:*:{pattern}");
        match random.below(6) {
            0 => writeln!(ign, "a.ndb:{number}:Name.Of-{number}").unwrap(),
            1 => writeln!(ign2, "Name.Of-{number}").unwrap(),
            2 => writeln!(lines, "Name.Of-{number}:{}", hex(md5::Md5::digest(&line))).unwrap(),
            3 => writeln!(lines, "Name.Of-{number}:{}", hex(md5::Md5::digest(&object))).unwrap(),
            _ => {}
        }
        writeln!(ndb, "{line}").unwrap();
        writeln!(hdb, "{}:64:Name.Of-{}", hex(md5::Md5::digest(&object)), number + 3).unwrap();
        objects.push(object);
    }
    let sources =
        [("a.ndb", ndb), ("a.hdb", hdb), ("a.ign", ign), ("a.ign2", ign2), ("b.ign2", lines)];
    let sources = sources.map(|(name, lines)| (name, lines.into_bytes()));
    compare("ignored", &sources, &objects, 40);
}

#[test]
fn the_oldest_format_of_patterns() {
    let mut random = Random(4);
    let objects: Vec<Vec<u8>> = (0..40).map(|_| random.bytes(80)).collect();
    let mut db = String::new();
    for (number, object) in objects.iter().enumerate() {
        let (front, back) = (hex(object.get(10..18).unwrap()), hex(object.get(20..30).unwrap()));
        let joint = ["??", "*", "{2}", "{3}", ""].get(random.below(5)).unwrap();
        writeln!(db, "Old.Name {number}={front}{joint}{back}").unwrap();
    }
    compare("old", &[("a.db", db.into())], &objects, 10);
}

#[test]
fn an_unsigned_container_that_sigtool_builds() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats/build");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("my.ndb"), "Nd:0:*:6465666768\n").unwrap();
    std::fs::write(folder.join("my.hdb"), "e80b5017098950fc58aad83c8c14978e:6:Whole\n").unwrap();
    std::fs::write(folder.join("COPYING"), "none\n").unwrap();
    let mut sigtool = Command::new("sigtool");
    sigtool.args(["--build=my.cud", "--unsigned", "--cvd-version=1", "--flevel=90"]);
    sigtool.args(["--max-bad-sigs=9"]).env("SIGNDUSER", "me").current_dir(&folder);
    let built = sigtool.output().expect("sigtool, of Debian's package clamav");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let container = std::fs::read(folder.join("my.cud")).unwrap();
    let source = SourceFile::new("my.cud", &container);
    let mut builder = esets_core::DatabaseBuilder::new();
    assert_eq!(builder.load(&source).rejected.len(), 1, "unsigned ones only when asked");
    builder.take_unsigned(true);
    let loaded = builder.load(&source);
    assert_eq!((loaded.added, loaded.rejected), (2, Vec::new()));
    let scanner = Scanner::new(Database::from_bytes(builder.build()).unwrap());
    let verdict = scanner.scan(&Object::new(b"abcdef gh defgh"));
    assert_eq!(verdict.threats().map(|(_, threat)| &*threat.name).collect::<Vec<_>>(), ["Nd"]);
    let verdict = scanner.scan(&Object::new(b"abcdef"));
    assert_eq!(verdict.threats().map(|(_, threat)| &*threat.name).collect::<Vec<_>>(), ["Whole"]);
}

#[test]
fn passwords_open_what_zip_encrypts() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats/zip");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), "what is in the encrypted archive").unwrap();
    let mut objects = Vec::new();
    for password in ["first", "second", "not listed"] {
        let name = format!("{password}.zip");
        let zip = Command::new("zip")
            .args(["-q", "-P", password, &name, "a.txt"])
            .current_dir(&folder)
            .status();
        assert!(zip.expect("zip, of Debian's package zip").success());
        objects.push(std::fs::read(folder.join(name)).unwrap());
    }
    let passwords = "A;Engine:81-255,Container:CL_TYPE_ZIP;0;first\n\
        B;Engine:81-255,Container:CL_TYPE_ZIP;1;7365636f6e64\n";
    let ndb = format!("In:0:*:{}\n", hex(b"in the encrypted archive"));
    let sources = [("a.pwdb", passwords.into()), ("a.ndb", ndb.into_bytes())];
    compare("passwords", &sources, &objects, 2);
}
