//! YARA rules, in builds that have them and in those that do not.

use crate::harness::{Ended, Folder};

/// A file that a rule finds, scanned with rules of which one is wrong.
fn scanned(arguments: &[&str]) -> Ended {
    let folder = Folder::new();
    folder.file("in/file", "some marker here");
    folder.file(
        "rules/a.yar",
        "rule Marker { strings: $a = \"marker\" condition: $a and filename == \"file\" }\n\
         rule Wrong { condition: nothing }\n",
    );
    folder.file("db/a.ndb", "Test.Body:0:*:736f6d65206d61726b6572\n");
    folder.file("db/b.yara", "rule Other { condition: filesize > 3 }\n");
    folder.scan(arguments)
}

#[cfg(feature = "yara")]
#[test]
fn rules_find_in_a_confined_worker() {
    let ended = scanned(&["--yara=rules", "in"]);
    assert_eq!(ended.code, 50, "{}", ended.err);
    let line = "name=\"in/file\", threat=\"Marker\", action=\"\", info=\"\"";
    assert_eq!(ended.results(), [line]);
    let wrong = "esets_scan: rules/a.yar:2: unknown identifier `nothing`";
    assert!(ended.err.starts_with(wrong), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "every protection holds: {}", ended.err);
}

#[cfg(feature = "yara")]
#[test]
fn rules_lie_beside_signatures() {
    let ended = scanned(&["--base-dir=db", "in"]);
    assert_eq!(ended.code, 50, "{}", ended.err);
    let line = |name| format!("name=\"in/file\", threat=\"{name}\", action=\"\", info=\"\"");
    assert_eq!(ended.results(), [line("Test.Body"), line("Other")]);
}

#[cfg(not(feature = "yara"))]
#[test]
fn a_build_without_them_says_so() {
    let ended = scanned(&["--yara=rules", "in"]);
    assert_eq!(ended.code, 100);
    assert!(ended.err.contains("rules/a.yar: this program was built without YARA"));
    let ended = scanned(&["--base-dir=db", "in"]);
    assert_eq!(ended.code, 50, "{}", ended.err);
    assert!(ended.err.contains("db/b.yara: not used: this program was built without YARA"));
}
