//! Signatures from other places than the embedded database.

use crate::harness::{EICAR, Folder, eicar};

#[test]
fn the_embedded_database_finds_the_test_file() {
    let folder = Folder::new();
    folder.file("test", eicar());
    let ended = folder.scan(&["."]);
    assert_eq!(ended.code, 50);
    let line = format!("name=\"./test\", threat=\"{EICAR}\", action=\"\", info=\"\"");
    assert_eq!(ended.results(), [line]);
}

#[test]
fn sources_in_a_folder_are_compiled_in_memory() {
    let folder = sources();
    let ended = folder.scan(&["--base-dir=db", "in"]);
    assert_eq!(ended.code, 50);
    let line = "name=\"in/file\", threat=\"Test.Body\", action=\"\", info=\"\"";
    assert_eq!(ended.results(), [line]);
    assert!(ended.out.contains("\nModule scanner, version compiled in memory, build 1\n"));
}

#[test]
fn a_wrong_line_costs_itself_and_is_told() {
    let folder = sources();
    folder.file("db/wrong.ndb", "Test.Wrong:0:*:xyz\nTest.Other:0:*:6f74686572206d61726b6572\n");
    let ended = folder.scan(&["--base-dir=db", "in"]);
    assert_eq!(ended.code, 50);
    let lines: Vec<_> = ended.err.lines().collect();
    assert!(lines[0].starts_with("esets_scan: db/wrong.ndb:1: bad"), "{}", ended.err);
    assert_eq!(lines[1..], ["esets_scan: 2 signatures are used, 1 are refused"]);
}

#[test]
fn a_compiled_database_is_used_by_every_program() {
    let folder = sources();
    let compiled = folder.esets(&["signature", "compile", "--label=7", "-o", "em002.dat", "db"]);
    assert_eq!((compiled.code, compiled.out.as_str()), (0, "em002.dat: 1 signatures\n"));
    assert_eq!(folder.scan(&["--database=em002.dat", "in"]).code, 50);
    assert_eq!(folder.scan(&["--base-dir=.", "in"]).code, 50);
    assert_eq!(folder.cli(&["--subdir", "--database=em002.dat", "in"]).code, 3);
    folder.file("esets.cfg", "[global]\nbase_dir = \".\"\n");
    assert_eq!(folder.cli(&["--subdir", "--config=esets.cfg", "in"]).code, 3);
    let shown = folder.esets(&["signature", "info", "em002.dat"]);
    assert!(shown.out.contains("version     7\n"), "{}", shown.out);
    assert!(shown.out.contains("signatures  1\n  body      1\n"), "{}", shown.out);
    let verified = folder.esets(&["signature", "verify", "em002.dat"]);
    assert_eq!((verified.code, verified.out.as_str()), (0, "em002.dat: whole\n"));
}

#[test]
fn a_damaged_database_is_noticed() {
    let folder = sources();
    assert_eq!(folder.esets(&["signature", "compile", "-o", "em002.dat", "db"]).code, 0);
    let mut bytes = std::fs::read(folder.path().join("em002.dat")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    folder.file("em002.dat", bytes);
    assert_eq!(folder.esets(&["signature", "verify", "em002.dat"]).code, 1);
}

#[test]
fn a_database_that_cannot_be_used_is_told() {
    let folder = sources();
    folder.file("foreign.dat", "this is no database at all");
    folder.file("empty.dat", "");
    folder.file("bad/only.ndb", "not a signature\n");
    folder.file("nothing/readme", "x");
    for (option, message) in [
        ("--database=missing.dat", "missing.dat: No such file"),
        ("--database=foreign.dat", "foreign.dat: "),
        ("--database=empty.dat", "empty.dat: the file is empty"),
        ("--database=db", "db: is a directory"),
        ("--base-dir=missing", "missing: No such file"),
        ("--base-dir=nothing", "nothing: neither em002.dat nor sources"),
        ("--base-dir=bad", "the database holds no signatures"),
    ] {
        for ended in [folder.scan(&[option, "in"]), folder.cli(&["--subdir", option, "in"])] {
            assert_eq!((ended.code, ended.out.as_str()), (100, ""), "{option}");
            assert!(ended.err.contains(message), "{option}: {}", ended.err);
        }
    }
}

#[test]
fn a_signature_is_tried_on_files() {
    let folder = sources();
    folder.file("in/other", "nothing here");
    let tried = |path| folder.esets(&["signature", "test", "--source=db/test.ndb", path]);
    let hit = tried("in/file");
    assert_eq!((hit.code, hit.out.as_str()), (0, "in/file: Test.Body at 4\n"));
    assert_eq!(tried("in").code, 1);
}

#[test]
fn strict_compilation_writes_nothing_that_is_not_whole() {
    let folder = sources();
    folder.file("db/wrong.ndb", "Test.Wrong:0:*:xyz\n");
    let compile = ["signature", "compile", "--strict", "-o", "em002.dat", "db"];
    assert_eq!(folder.esets(&compile).code, 1);
    assert!(!folder.path().join("em002.dat").exists());
    let mut lenient = compile.to_vec();
    lenient.remove(2);
    assert_eq!(folder.esets(&lenient).code, 0);
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 3, "db, in, em002.dat");
}

/// One signature and a file that it matches.
fn sources() -> Folder {
    let folder = Folder::new();
    folder.file("db/test.ndb", "Test.Body:0:*:61206d61726b657220746f2066696e64\n");
    folder.file("in/file", "and a marker to find in it");
    folder
}

#[test]
fn every_refused_line_is_told_counted_and_ignored_ones_are_left_out() {
    let folder = sources();
    folder.file("db/wrong.ndb", "No:0:*:xyz\n".repeat(2_000));
    folder.file("db/z.ndb", "Gone:0:*:61626364\nStays:0:*:62636465\n");
    folder.file("db/z.ign2", "Gone\n");
    let compiled = folder.esets(&["signature", "compile", "-o", "em002.dat", "db"]);
    assert_eq!(compiled.code, 0, "{}", compiled.err);
    assert_eq!(compiled.err.matches("wrong.ndb:").count(), 2_000);
    assert!(compiled.err.contains("1 signatures are left out by ignore lists"));
    let shown = folder.esets(&["signature", "info", "em002.dat"]);
    assert!(shown.out.ends_with("refused     2000\n"), "{}", shown.out);
    let found = folder.esets(&["signature", "find", "^(Gone|S)", "em002.dat", "db"]);
    assert_eq!(found.code, 0, "{}", found.err);
    let lines: Vec<_> = found.out.lines().collect();
    let expected = ["em002.dat: Stays", "db/z.ign2: Gone", "db/z.ndb: Gone:0:*:61626364"];
    assert_eq!(lines[..3], expected);
    assert_eq!(folder.esets(&["signature", "find", "Nothing", "db"]).code, 1);
    assert_eq!(folder.esets(&["signature", "find", "(", "db"]).code, 100);
}

#[test]
fn signatures_are_decoded_field_by_field() {
    let folder = Folder::new();
    folder.file("a.ndb", "Win.A:1:EP+0:4d5a??{2-4}00\n");
    let decoded = folder.esets(&["signature", "decode", "a.ndb"]);
    let shown = "name           Win.A\ntarget         1\noffset         EP+0\n\
        pattern        \"MZ\" ?? {2-4} \"\\x00\"\n\n";
    assert_eq!((decoded.code, decoded.out.as_str()), (0, shown));
}

#[test]
fn a_container_that_nobody_signed_is_taken_when_asked() {
    let folder = Folder::new();
    folder.file("in/file", "some marker here");
    folder.file("db/my.cud", unsigned(b"Test.Body:0:*:6d61726b6572\n"));
    let refused = folder.scan(&["--base-dir=db", "in"]);
    assert_eq!(refused.code, 100, "{}", refused.err);
    assert!(refused.err.contains("db/my.cud: not trusted: nobody signed it"), "{}", refused.err);
    assert!(refused.err.contains("--unsigned takes containers that nobody signed"));
    assert_eq!(folder.scan(&["--unsigned", "--base-dir=db", "in"]).code, 50);
    let tested = ["signature", "test", "--unsigned", "-s", "db/my.cud", "in/file"];
    assert_eq!(folder.esets(&tested).code, 0);
}

#[test]
fn a_source_must_be_as_the_info_beside_it_says() {
    let folder = Folder::new();
    let line = "Test.Body:0:*:6d61726b6572\n";
    folder.file("in/file", "some marker here");
    folder.file("db/my.ndb", line);
    folder.file("db/my.info", info(line.as_bytes()));
    folder.file("db/other.ndb", "Test.Other:0:*:6f74686572206d61726b6572\n");
    assert_eq!(folder.scan(&["--base-dir=db", "in"]).code, 50);
    folder.file("db/my.ndb", format!("{line}Test.More:0:*:6d6f7265206f66206974\n"));
    let refused = folder.scan(&["--base-dir=db", "in"]);
    assert_eq!(refused.code, 0, "{}", refused.err);
    assert!(refused.err.contains("my.ndb: not trusted: it is not as in .info"), "{}", refused.err);
}

/// A container of one source, which `.info` lists.
fn unsigned(source: &[u8]) -> Vec<u8> {
    use md5::Digest as _;

    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("my.info", info(source).as_bytes()), ("my.ndb", source)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content).unwrap();
    }
    let archive = archive.into_inner().unwrap();
    let digest: String = md5::Md5::digest(&archive).iter().map(|it| format!("{it:02x}")).collect();
    let head = format!("ClamAV-VDB:24 Nov 2026 10-00 +0000:1:1:90:{digest}:none:me:0");
    let mut container = format!("{head:512}").into_bytes();
    container.extend(archive);
    container
}

fn info(source: &[u8]) -> String {
    use sha2::Digest as _;

    let digest: String =
        sha2::Sha256::digest(source).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("my.ndb:{}:{digest}\n", source.len())
}
