//! Names of files are other people's: none may end its field or forge a line.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::harness::Folder;

const FORGERIES: &[&[u8]] = &[
    b"x\nname=\"y\", threat=\"Forged\", action=\"\", info=\"\"",
    b"x: action=\"rejected\"\nx: virus=\"Forged\"",
    b"x\", threat=\"Forged\", action=\"\", info=\"",
    b"x\r\x1b[2Jvirus=\"Forged\"",
    b"\xff\xfe\xc3virus=\"Forged\"",
    "x\u{2028}virus=\"Forged\"".as_bytes(),
    b"--json",
];

#[test]
fn no_name_forges_a_line_of_esets_cli() {
    let folder = forged();
    let ended = folder.cli(&["--subdir", "."]);
    assert_eq!(ended.code, 0);
    let lines: Vec<_> = ended.out.lines().collect();
    assert_eq!(lines.len(), 2 * FORGERIES.len());
    for pair in lines.chunks(2) {
        assert!(pair[0].ends_with(": action=\"accepted\""), "{pair:?}");
        assert!(pair[1].ends_with(": virus=\"\""), "{pair:?}");
        assert_eq!((pair[0].matches('"').count(), pair[1].matches('"').count()), (2, 2));
        assert!(!pair.concat().contains(char::is_control), "{pair:?}");
    }
}

#[test]
fn no_name_forges_a_line_of_esets_scan() {
    let folder = forged();
    let ended = folder.scan(&["--log-all", "."]);
    assert_eq!(ended.code, 0);
    assert_eq!(ended.results().len(), FORGERIES.len());
    for line in ended.out.lines().filter(|line| line.contains("Forged")) {
        assert!(line.starts_with("name=\"./"), "{line}");
        assert!(line.ends_with("\", threat=\"is OK\", action=\"\", info=\"\""), "{line}");
        assert_eq!(line.matches('"').count(), 8, "{line}");
    }
}

#[test]
fn no_name_forges_a_message() {
    let folder = Folder::new();
    let ended = folder.cli(&["missing\nx: action=\"rejected\"\nx: virus=\"Forged\""]);
    assert_eq!((ended.code, ended.out.as_str()), (100, ""));
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert!(!ended.err.contains("virus=\""), "{}", ended.err);
}

#[test]
fn json_keeps_every_name() {
    let folder = forged();
    let ended = folder.scan(&["--json", "."]);
    let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let mut names: Vec<Vec<u8>> = report["files"].as_array().unwrap().iter().map(name).collect();
    let mut expected: Vec<Vec<u8>> =
        FORGERIES.iter().map(|forgery| [b"./", *forgery].concat()).collect();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
}

fn name(file: &serde_json::Value) -> Vec<u8> {
    match &file["path"] {
        serde_json::Value::String(text) => text.clone().into_bytes(),
        bytes => serde_json::from_value(bytes.clone()).unwrap(),
    }
}

fn forged() -> Folder {
    let folder = Folder::new();
    for forgery in FORGERIES {
        folder.file(OsStr::from_bytes(forgery), "x");
    }
    folder
}
