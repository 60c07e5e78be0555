//! The reports of `esets_scan` in all styles.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Folder, SUSPICION, SUSPICIOUS};
use crate::schema;

#[test]
fn json_is_what_its_schema_says() {
    let folder = Folder::new();
    folder.file(SUSPICIOUS, "x");
    folder.file("clean", "x");
    folder.file("long", vec![b'x'; 9000]);
    folder.file("cut.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\x02");
    let ended = folder.scan(&["--json", "--max-object-size=8k", ".", "missing"]);
    assert_eq!(ended.code, 50);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("docs/report-schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    schema::check(&schema, &report).unwrap();
    assert_eq!(report["files"].as_array().unwrap().len(), 5);
    assert_eq!(report["summary"]["infected"]["files"], 1);
    let mut wrong = report.clone();
    wrong["files"][0]["status"] = "fine".into();
    assert!(schema::check(&schema, &wrong).is_err());
}

#[test]
fn json_of_nothing_is_still_a_document() {
    let folder = Folder::new();
    let report: Value = serde_json::from_str(&folder.scan(&["--json", "."]).out).unwrap();
    assert_eq!(report["files"], Value::Array(Vec::new()));
}

#[test]
fn a_tree_shows_every_object() {
    let folder = Folder::new();
    folder.file("clean", "x");
    folder.file(SUSPICIOUS, "x");
    let ended = folder.scan(&["--tree", "."]);
    assert_eq!(ended.out, format!("./clean [] 1\n./{SUSPICIOUS} [] 1 !{SUSPICION}\n"));
}

#[test]
fn a_log_file_is_continued_or_begun_anew() {
    let folder = Folder::new();
    folder.file("in/clean", "x");
    let written = |arguments: &[&str]| {
        let ended = folder.scan(&[&["--log-file=log"], arguments, &["in"]].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""));
        fs::read_to_string(folder.path().join("log")).unwrap().matches("Scan started at:").count()
    };
    assert_eq!(written(&["--json"]), 1);
    assert_eq!(written(&["--no-log-console"]), 2);
    assert_eq!(written(&["--log-rewrite"]), 1);
    assert_eq!(folder.scan(&["--log-file=in/clean/log", "in"]).code, 100);
}

#[test]
fn the_report_has_its_paragraphs() {
    let folder = Folder::new();
    folder.file("clean", "x");
    let ended = folder.scan(&["clean"]);
    let paragraphs: Vec<_> = ended.out.split("\n\n").collect();
    let [head, command_line, started, sums] = paragraphs[..] else { panic!("{}", ended.out) };
    assert!(head.starts_with("\nESETS command-line scanner, version "), "{head}");
    assert!(head.lines().skip(2).all(|line| line.starts_with("Module ")), "{head}");
    assert_eq!(command_line, "Command line: clean");
    assert!(started.starts_with("Scan started at:   "), "{started}");
    let sums: Vec<_> = sums.lines().collect();
    assert!(sums[0].starts_with("Scan completed at: "), "{sums:?}");
    let expected = [
        "Scan time:         0 sec (0:00:00)",
        "Total:             files - 1, objects 1",
        "Infected:          files - 0, objects 0",
        "Cleaned:           files - 0, objects 0",
    ];
    assert_eq!(sums[1..], expected);
}

#[test]
fn the_reasons_of_one_file_do_not_flood_the_report() {
    let folder = Folder::new();
    for number in 0..150_u32 {
        // The time in the header tells them apart: equal containers are opened once.
        let time = number.to_be_bytes();
        let file = [&b"\x1f\x8b\x08\0"[..], &time, b"\0\x03\x01\x02"].concat();
        folder.file(format!("in/{number:03}.gz"), &file);
    }
    assert!(folder.command("tar").args(["-cf", "a.tar", "in"]).status().unwrap().success());
    let ended = folder.scan(&["a.tar"]);
    assert_eq!((ended.code, ended.results().len()), (10, 101));
    let last = "name=\"a.tar\", threat=\"\", action=\"\", \
                info=\"error reading archive - 50 more reasons are left out\"";
    assert_eq!(ended.results()[100], last);
    let report: Value = serde_json::from_str(&folder.scan(&["--json", "a.tar"]).out).unwrap();
    assert_eq!(report["summary"]["not_scanned"]["objects"], 150);
}

#[test]
fn a_reader_that_goes_away_hides_no_threat() {
    let folder = Folder::new();
    folder.file(SUSPICIOUS, "x");
    let scan = env!("CARGO_BIN_EXE_esets_scan");
    let cli = env!("CARGO_BIN_EXE_esets_cli");
    for (program, code) in [(scan, 50), (cli, 3)] {
        let script = format!("{program} {SUSPICIOUS} >/dev/full 2>/dev/null; echo $?");
        let output = folder.command("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), code.to_string());
    }
}
