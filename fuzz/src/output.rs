//! What the programs print, read as mail servers read it: no name may hide a threat or feign one.

use esets_core::{Database, Object, Scanner, Verdict};
use esets_policy::Action;
use fancy_regex::Regex;

/// A length and a name of up to 63 bytes, then the object.
pub(crate) fn run(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return };
    let (name, content) = rest.split_at(usize::from(length % 64).min(rest.len()));
    let scanner = Scanner::new(Database::embedded()).with_limits(super::limits());
    let verdict = scanner.scan(&Object::new(content).named(name));
    let threats = threats(&verdict);
    if threats.len() > MOST {
        return; // There is no room for all of them, which the output says.
    }
    for action in [Action::Accept, Action::Defer, Action::Discard, Action::Reject] {
        let found = amavis(&latin(&esets_commands::printed::by_esets_cli(&verdict, action)));
        if action == Action::Accept {
            assert!(found.is_empty(), "what passes is not blocked");
        } else if threats.is_empty() {
            assert!(found.iter().all(|name| name.is_empty() || name.starts_with(NOT_SCANNED)));
            assert_eq!(found.len(), 1, "what is blocked is blocked once");
        } else {
            assert_eq!(found, threats);
        }
    }
    // MailScanner splits names at commas and folders, which it does not give to files itself.
    if !name.iter().any(|byte| b",/".contains(byte)) {
        let found = mailscanner(&latin(&esets_commands::printed::by_esets_scan(verdict)));
        assert_eq!(found, threats);
    }
}

/// Every threat once for each object, as both programs print it.
fn threats(verdict: &Verdict) -> Vec<String> {
    let mut threats: Vec<_> =
        verdict.threats().map(|(record, threat)| (record, threat.name.to_string())).collect();
    threats.dedup();
    threats.into_iter().map(|(_, name)| name).collect()
}

/// The entry that amavisd-new has for esets_cli.
fn amavis(output: &str) -> Vec<String> {
    // Its `\s` are blanks here: classes of Unicode are not built in.
    let entry = Regex::new(r#"(?m):[ \t]*action="(?!accepted)[^"]*"\n.*:[ \t]*virus="([^"]*)""#);
    let entry = entry.expect("a valid pattern");
    let found = entry.captures_iter(output).map(|found| found.expect("few steps"));
    found.map(|found| found.get(1).map_or_else(String::new, |name| name.as_str().into())).collect()
}

/// The second field of each line that MailScanner 5 does not ignore.
fn mailscanner(output: &str) -> Vec<String> {
    let is_threat = |line: &&str| {
        let line = line.to_ascii_lowercase();
        line.contains("threat") && !IGNORED.iter().any(|phrase| line.contains(phrase))
    };
    let field = |line: &str| {
        let field = line.split(',').nth(1).unwrap_or_default();
        let inner = field.split_once('"').and_then(|(_, field)| field.rsplit_once('"'));
        inner.map_or_else(String::new, |(inner, _)| inner.to_owned())
    };
    output.split('\n').filter(is_threat).map(field).collect()
}

/// Bytes as Perl reads them.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

const IGNORED: [&str; 3] = ["protected", "archive damaged", "error reading archive"];
const NOT_SCANNED: &str = "not scanned: ";
/// Of some 2,400 bytes each there is room for so many.
const MOST: usize = 60;
