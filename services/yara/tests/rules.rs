//! Rules of every kind, through the scanner.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use esets_core::{Class, Database, Limit, Object, Options, Reason, Scanner, Status, Verdict};
use esets_yara::{Compiled, Rules, SourceFile, compile};

fn compiled(sources: &[(&str, &str)]) -> Compiled {
    let sources: Vec<_> = sources
        .iter()
        .map(|(path, text)| SourceFile { path: Path::new(path), bytes: text.as_bytes() })
        .collect();
    compile(&sources)
}

fn scan(rules: Rules, name: &str, bytes: &[u8]) -> Verdict {
    let scanner = Scanner::new(Database::embedded()).with_rules(Arc::new(rules));
    scanner.scan(&Object::new(bytes).named(name.as_bytes()))
}

fn names(verdict: &Verdict) -> Vec<&str> {
    let records = verdict.records().iter();
    records.flat_map(|record| &record.detections).map(|found| found.name.as_str()).collect()
}

/// The names that one file of rules finds in an object.
#[track_caller]
fn found(rules: &str, name: &str, bytes: &[u8]) -> String {
    let Compiled { rules, rejected } = compiled(&[("a.yar", rules)]);
    assert_eq!(rejected, []);
    names(&scan(rules, name, bytes)).join(" ")
}

#[test]
fn a_rule_finds_by_its_name_and_at_its_place() {
    let Compiled { rules, .. } =
        compiled(&[("a.yar", "rule Marker { strings: $a = \"mark\" condition: $a }")]);
    let verdict = scan(rules, "x", b"no mark, mark");
    assert_eq!(verdict.status(), Status::Infected);
    assert_eq!(names(&verdict), ["Marker"]);
    assert_eq!(verdict.records()[0].detections[0].offset, Some(3));
    assert_eq!(verdict.records()[0].detections[0].class, Class::Malware);
}

#[test]
fn members_are_asked_too() {
    let rules = "rule Inner { strings: $a = \"a payload\" condition: $a and filesize < 12 }";
    let message = b"From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nYSBwYXlsb2Fk\r\n";
    assert_eq!(found(rules, "x.eml", message), "Inner");
}

#[test]
fn modules_are_there() {
    let hash = "import \"hash\" rule Hash { condition:
        hash.md5(0, filesize) == \"900150983cd24fb0d6963f7d28e17f72\" }";
    assert_eq!(found(hash, "x", b"abc"), "Hash");
    let math = "import \"math\" rule Even { condition: math.entropy(0, filesize) == 0.0 }";
    assert_eq!(found(math, "x", b"aaaa"), "Even");
    let program = fs::read("/bin/sh").unwrap();
    let elf = "import \"elf\" rule Elf { condition: elf.machine == elf.EM_X86_64 }";
    #[cfg(target_arch = "x86_64")]
    assert_eq!(found(elf, "x", &program), "Elf");
    let _ = (elf, program);
    for module in ["pe", "dotnet", "macho", "lnk", "dex", "string", "time", "console", "cuckoo"] {
        let rule = format!("import \"{module}\" rule Known {{ condition: true }}");
        assert_eq!(found(&rule, "x", b"abc"), "Known", "{module}");
    }
}

#[test]
fn externals_tell_about_the_object() {
    let rules = "
        rule Name { condition: filename == \"b.js\" }
        rule Path { condition: filepath == \"dir/b.js\" }
        rule Extension { condition: extension == \".js\" }
        rule Type { condition: filetype == \"script\" }";
    assert_eq!(found(rules, "dir/b.js", b"abc"), "Name Path Extension Type");
}

#[test]
fn a_private_rule_is_not_told_and_a_global_one_rules_its_file() {
    let first = "
        global private rule Small { condition: filesize < 4 }
        private rule Hidden { condition: true }
        rule Shown { condition: Hidden }";
    let second = "rule Shown { condition: filesize > 4 }";
    for (bytes, expected) in [(&b"abc"[..], vec!["Shown"]), (b"abcd", vec![])] {
        let Compiled { rules, rejected } = compiled(&[("a.yar", first), ("b.yar", second)]);
        assert_eq!(rejected, []);
        assert_eq!(names(&scan(rules, "x", bytes)), expected);
    }
}

#[test]
fn a_file_may_include_another() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("base.yar"), "private rule Base { condition: true }").unwrap();
    let path = folder.path().join("top.yar");
    let bytes = b"include \"base.yar\" rule Top { condition: Base }";
    let Compiled { rules, rejected } = compile(&[SourceFile { path: &path, bytes }]);
    assert_eq!(rejected, []);
    assert_eq!(names(&scan(rules, "x", b"abc")), ["Top"]);
}

#[test]
fn what_does_not_compile_costs_itself_only() {
    let broken = "rule Good { condition: true }\nrule Bad { condition: unknown_name }\n\
        rule Needs { condition: Bad }\n";
    let all = "global rule All { condition: unknown_name }\nrule Lost { condition: true }";
    let last = "rule Last { condition: true }";
    let sources = [("a.yar", broken), ("b.yar", all), ("c.yar", "rule {"), ("d.yar", last)];
    let Compiled { rules, rejected } = compiled(&sources);
    let places: Vec<_> = rejected.iter().map(|error| (error.file.as_str(), error.line)).collect();
    assert_eq!(places, [("a.yar", 2), ("a.yar", 3), ("b.yar", 1), ("c.yar", 1)]);
    assert!(rejected[0].to_string().contains("unknown identifier"), "{}", rejected[0]);
    assert_eq!(names(&scan(rules, "x", b"abc")), ["Good", "Last"]);
}

#[test]
fn rules_that_another_process_compiled_find_the_same() {
    let Compiled { rules, .. } = compiled(&[("a.yar", "rule Any { condition: true }")]);
    let bytes = rules.to_bytes().unwrap();
    let rules = Rules::from_bytes(&bytes).unwrap();
    assert_eq!(rules.count(), 1);
    assert_eq!(names(&scan(rules, "x", b"abc")), ["Any"]);
    let cut = bytes.get(..bytes.len() / 2).unwrap();
    assert!(Rules::from_bytes(cut).is_err());
    assert!(Rules::from_bytes(b"").is_err());
}

#[test]
fn an_unwanted_application_is_looked_for_when_asked() {
    let source = "rule Tool : pua { condition: true }";
    let scan = |unwanted| {
        let Compiled { rules, .. } = compiled(&[("a.yar", source)]);
        let mut options = Options::default();
        options.unwanted_applications = unwanted;
        let scanner = Scanner::new(Database::embedded()).with_options(options);
        scanner.with_rules(Arc::new(rules)).scan(&Object::new(b"abc")).status()
    };
    assert_eq!((scan(false), scan(true)), (Status::Clean, Status::Infected));
}

#[test]
fn a_rule_that_takes_too_long_leaves_the_object_unscanned() {
    let source = "rule Slow { condition: for all i in (0..9999999) : ( for all j in (0..9999) : (
        uint8(i % filesize) + j >= 0 ) ) }";
    let Compiled { rules, .. } = compiled(&[("a.yar", source)]);
    let verdict = scan(rules.with_timeout(Duration::from_secs(1)), "x", b"abc");
    assert_eq!(verdict.status(), Status::NotScanned);
    assert_eq!(verdict.records()[0].not_scanned, [Reason::Limit(Limit::Time)]);
}
