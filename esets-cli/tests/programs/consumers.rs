//! What other programs make of the output, with their own regular expressions, run by a real perl.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{EICAR, Folder, SUSPICION, SUSPICIOUS, eicar};

#[test]
fn amavisd_new_finds_the_names_of_threats() {
    let folder = parts();
    let ended = folder.cli(&["--subdir", folder.path().to_str().unwrap()]);
    assert_eq!(ended.code, 3);
    // It reads standard error and standard output through one pipe.
    for merged in [format!("{}{}", ended.err, ended.out), format!("{}{}", ended.out, ended.err)] {
        assert_eq!(perl(AMAVIS_3_0, &merged), format!("[{SUSPICION}][{EICAR}]"));
        assert_eq!(perl(AMAVIS_2_71, &merged), format!("[{SUSPICION}][{EICAR}]"));
    }
}

#[test]
fn a_raw_message_among_the_parts_is_decoded() {
    let folder = Folder::new();
    folder.file("test", eicar());
    folder.file("parts/p002", "Subject: inner\nContent-Transfer-Encoding: base64\n\n");
    let encode = ["-c", "base64 test >>parts/p002"];
    assert!(folder.command("sh").args(encode).status().unwrap().success());
    let ended = folder.cli(&["--subdir", folder.path().join("parts").to_str().unwrap()]);
    assert_eq!(ended.code, 3, "{}", ended.out);
    assert_eq!(perl(AMAVIS_3_0, &ended.out), format!("[{EICAR}]"));
}

#[test]
fn amavisd_new_finds_no_name_in_what_passes() {
    let folder = Folder::new();
    folder.file("p001", "clean");
    folder.file("p002", "clean too");
    let ended = folder.cli(&["--subdir", folder.path().to_str().unwrap()]);
    assert_eq!(ended.code, 0);
    for program in [AMAVIS_3_0, AMAVIS_2_71] {
        assert_eq!(perl(program, &ended.out), "");
    }
}

#[test]
fn what_blocks_unscanned_has_a_name_for_amavisd_new() {
    let folder = Folder::new();
    folder
        .file("esets.cfg", "[cli]\naction_av_notscanned = \"reject\"\nav_limit_object_size = 1\n");
    folder.file("p001", "longer");
    let ended = folder.cli(&["--config=esets.cfg", "p001"]);
    assert_eq!(ended.code, 3);
    let expected = "[not scanned: error reading archive - limit reached: ObjectSize]";
    assert_eq!(perl(AMAVIS_3_0, &ended.out), expected);
}

#[test]
fn haraka_and_mimedefang_find_the_name_of_a_threat() {
    let folder = parts();
    let ended = folder.cli(&[SUSPICIOUS]);
    assert_eq!(ended.code, 3);
    assert_eq!(perl(FIRST_VIRUS, &ended.out), format!("[{SUSPICION}]"));
    let clean = folder.cli(&["p001"]);
    assert_eq!((clean.code, perl(FIRST_VIRUS, &clean.out).as_str()), (0, ""));
}

#[test]
fn mailscanner_4_finds_file_and_threat() {
    let folder = Folder::new();
    tar(&folder, "1/archive.tar");
    folder.file(format!("2/{SUSPICIOUS}"), "x");
    folder.file("2/clean", "x");
    let mut scan = folder.command(env!("CARGO_BIN_EXE_esets_scan"));
    let scan = scan.args(["--arch", "--subdir", "--action", "none", "."]).env("LC_ALL", "C");
    let output = scan.output().unwrap().stdout;
    let expected = format!("[./1/archive.tar|{SUSPICION}][./2/{SUSPICIOUS}|{SUSPICION}]");
    assert_eq!(perl_bytes(MAILSCANNER_4, &output), expected);
}

#[test]
fn mailscanner_5_counts_threats_and_nothing_else() {
    let folder = Folder::new();
    tar(&folder, "1/narchive.tar");
    folder.file("1/nlong", vec![b'x'; 200_000]);
    folder.file(format!("2/n{SUSPICIOUS}"), "x");
    folder.file("2/nclean", "x");
    let ended = folder.scan(&["--max-object-size=100k", "."]);
    assert_eq!(ended.code, 50);
    assert!(ended.out.contains("./1/nlong"), "{}", ended.out);
    let member = format!("narchive.tar » TAR » {SUSPICIOUS}");
    let expected = format!("[1|{member}|{SUSPICION}][2|n{SUSPICIOUS}|{SUSPICION}]");
    assert_eq!(perl(MAILSCANNER_5, &ended.out), expected);
}

#[test]
fn mailscanner_5_is_not_misled_by_names_of_members() {
    let folder = Folder::new();
    folder.file("in/protected, really.pdf.exe", "x");
    let made = folder.command("tar").args(["-cf", "a.tar", "-C", "in", "."]).status().unwrap();
    assert!(made.success());
    let ended = folder.scan(&["./a.tar"]);
    assert!(ended.out.contains("\\u{70}rotected\\u{2c} really.pdf.exe"), "{}", ended.out);
    assert_ne!(perl(MAILSCANNER_5, &ended.out), "");
}

#[test]
fn mailscanner_5_does_not_overlook_a_file_by_its_name() {
    let folder = Folder::new();
    folder.file("1/nProtected.txt.exe", "x");
    let ended = folder.scan(&["."]);
    assert_eq!(ended.code, 50);
    let expected = format!("[1|n\\u{{50}}rotected.txt.exe|{SUSPICION}]");
    assert_eq!(perl(MAILSCANNER_5, &ended.out), expected);
}

#[test]
fn irma_finds_file_threat_and_version() {
    let folder = parts();
    let path = folder.path().join(SUSPICIOUS);
    let path = path.to_str().unwrap();
    let ended = folder.scan(&["--clean-mode=NONE", "--no-log-all", path]);
    assert_eq!(ended.code, 50);
    assert_eq!(perl(IRMA, &ended.out), format!("[{path}|{SUSPICION}]"));
    assert_eq!(perl(IRMA_VERSION, &folder.scan(&["--version"]).out), format!("[{VERSION}]"));
}

#[test]
fn armadito_finds_lines_sums_and_version() {
    let folder = parts();
    let ended = folder.scan(&["."]);
    let expected =
        format!("[./{SUSPICIOUS}|{SUSPICION}||][./p003|{EICAR}||][files 4][infected 2][cleaned 0]");
    assert_eq!(perl(ARMADITO, &ended.out), expected);
    assert_eq!(perl(ARMADITO_VERSION, &folder.scan(&["--version"]).out), format!("[{VERSION}]"));
}

#[test]
fn multiav_finds_file_and_threat() {
    let folder = parts();
    let mut scan = folder.command(env!("CARGO_BIN_EXE_esets_scan"));
    let output = scan.arg(SUSPICIOUS).env("LC_ALL", "").env("LANG", "C").output().unwrap().stdout;
    assert_eq!(perl_bytes(MULTIAV, &output), format!("[{SUSPICIOUS}|{SUSPICION}]"));
}

#[test]
fn plaguescanner_finds_version_and_threat_at_their_lines() {
    let folder = parts();
    let arguments = ["--clean-mode=none", "--no-quarantine", SUSPICIOUS];
    let ended = folder.scan(&arguments);
    let lines: Vec<_> = ended.out.lines().collect();
    let version = format!("command-line scanner, version {VERSION},");
    assert!(lines[0].is_empty() && lines[1].contains(&version), "{}", ended.out);
    assert!(lines[13].contains(&format!("threat=\"{SUSPICION}\"")), "{}", ended.out);
}

#[test]
fn esetbackend_finds_time_and_sum() {
    let folder = parts();
    let ended = folder.scan(&["--clean-mode=none", "."]);
    assert_eq!(ended.code, 50);
    assert_eq!(perl(ESETBACKEND, &ended.out), "[0][2]");
    assert_eq!(folder.scan(&["--clean-mode=none", "missing"]).code, 10);
}

#[test]
fn triage_scripts_find_their_options_and_the_scanner_module() {
    let folder = parts();
    let arguments = [
        "--no-sfx",
        "--adware",
        "--unsafe",
        "--unwanted",
        "--no-mail",
        "--no-mailbox",
        "--clean-mode=none",
        SUSPICIOUS,
    ];
    let ended = folder.scan(&arguments);
    assert_eq!(ended.code, 50, "{}", ended.err);
    let found = perl(SCANNER_MODULE, &ended.out);
    assert!(found.starts_with('[') && found.contains('|'), "{found}");
}

/// What amavisd-new hands over: parts without names, beside one that has one.
fn parts() -> Folder {
    let folder = Folder::new();
    folder.file("p001", "clean");
    folder.file("p002", "From: a\nTo: b\n\nclean");
    folder.file("p003", eicar());
    folder.file(SUSPICIOUS, "x");
    folder
}

/// A tar archive with a suspicious member.
fn tar(folder: &Folder, name: &str) {
    let path = folder.file(name, "");
    let source = Folder::new();
    source.file(SUSPICIOUS, "x");
    let mut command = source.command("tar");
    assert!(command.arg("-cf").arg(path).arg(SUSPICIOUS).status().unwrap().success());
}

fn perl(program: &str, input: &str) -> String {
    perl_bytes(program, input.as_bytes())
}

/// Runs a perl program over `$_`, which holds all of the input, and returns what it prints.
fn perl_bytes(program: &str, input: &[u8]) -> String {
    let mut command = Command::new("perl");
    command.args(["-0777", "-n", "-e", program]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("perl, of which every Debian has one");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The active entry of amavisd.conf.
const AMAVIS_3_0: &str =
    r#"print "[$_]" for /:\s*action="(?!accepted)[^"]*"\n.*:\s*virus="([^"]*)"/mg"#;
/// The entry before it, commented out.
const AMAVIS_2_71: &str = r#"print "[$_]" for /virus="([^"]+)"/mg"#;
const FIRST_VIRUS: &str = r#"print "[$1]" if /virus="([^"]+)"/"#;
const MAILSCANNER_4: &str = r#"for (split /\n/) {
    next unless /^\s*name="([^"]+)",\s*threat="([^"]+)"/;
    my ($file, $threat) = ($1, $2);
    $file =~ s/ \xbb .*$//;
    print "[$file|$threat]";
}"#;
const MAILSCANNER_5: &str = r#"for (split /\n/) {
    next if !/threat/i || /protected/i || /archive damaged/i || /error reading archive/i;
    my @field = map { /"(.*)"/ ? $1 : "" } split /,/;
    my (undef, $id, $part) = split m{/}, $field[0], 3;
    print "[$id|$part|$field[1]]";
}"#;
const IRMA: &str = r#"print "[$+{file}|$+{name}]"
    while /name="(?P<file>.*)", threat="(?P<name>.*)", action=.*/g"#;
const IRMA_VERSION: &str = r#"print "[$&]" if /\d+(\.\d+)+/"#;
const ARMADITO: &str = r#"for (split /\n/) {
    print "[$1|$2|$3|$4]" if /^name="(.*?)", threat="(.*?)", action="(.*?)", info="(.*?)"/
        && !/threat="is OK",/ && !/threat="",/ && !/threat="multiple threats",/;
    print "[files $1]" if /^Total:\s+files - (\d+)/;
    print "[infected $1]" if /^Infected:\s+files - (\d+)/;
    print "[cleaned $1]" if /^Cleaned:\s+files - (\d+)/;
}"#;
const ARMADITO_VERSION: &str = r#"print "[$1]" if /\)\s+([0-9\.]+)$/"#;
const MULTIAV: &str = r#"while (/name="(.*)", threat="(.*)",/g) {
    my ($file, $threat) = ($1, $2);
    $threat =~ s/", .*//;
    print "[$file|$threat]";
}"#;
const ESETBACKEND: &str = r#"print "[$1]" if /^.*Scan time:\s*(\S+)/m;
    print "[$1]" if /^.*Infected:\s*files\s*-\s*(\d+)/m"#;
const SCANNER_MODULE: &str =
    r#"print "[$1|$2]" if /Module scanner, version ([^\n]*), build ([^\n]*)/"#;
