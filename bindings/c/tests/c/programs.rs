//! C programs over the library: compiled by gcc and clang as C and as C++, run alone, under the
//! sanitizers and under valgrind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon;
use crate::toolchain::{
    COMPILERS, Compiler, DEBUG, SANITIZERS, built, compile, folder, here, link, run, succeed,
    valgrind,
};

#[test]
fn misuse_is_answered() {
    survives("misuse");
}

#[test]
fn every_way_in_gives_the_same_verdict() {
    survives("verdict");
}

#[test]
fn databases_are_opened_and_reloaded() {
    survives("database");
}

#[test]
fn eight_threads_share_one_database() {
    survives("threads");
}

#[test]
fn a_policy_decides() {
    survives("policy");
}

#[test]
fn messages_are_handled_and_rewritten() {
    survives("message");
}

#[test]
fn a_client_brings_the_decisions_of_a_daemon() {
    survives_in("client", |folder| {
        fs::write(folder.join("content"), "from a file").unwrap();
        daemon::play(&folder.join("sock"));
    });
}

#[test]
fn a_program_links_the_static_library() {
    let folder = folder("static");
    let libraries = [built("libesets.a").into_os_string(), "-lgcc_s".into(), "-lm".into()];
    let program = link(DEBUG, &source("verdict"), &folder, &libraries);
    succeed(Command::new(&program).current_dir(&folder));
}

#[test]
fn the_example_scan_prints_trees_and_answers_as_esets_scan() {
    each_example("scan", |program, folder| {
        fs::write(folder.join("a.txt"), "text").unwrap();
        fs::write(folder.join("b.pdf.exe"), "text").unwrap();
        let scan = |paths: &[&str]| {
            let output = run(Command::new(program).args(paths).current_dir(folder));
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
        };
        let found = "b.pdf.exe [] 4 !Heur.DoubleExtension\n";
        assert_eq!(scan(&["a.txt"]), (0, "a.txt [] 4\n".into(), String::new()));
        assert_eq!(scan(&["b.pdf.exe", "a.txt"]), (50, format!("{found}a.txt [] 4\n"), "".into()));
        let missing = "none: No such file or directory\n";
        assert_eq!(scan(&["b.pdf.exe", "none"]), (100, found.into(), missing.into()));
    });
}

#[test]
fn the_example_walk_reads_a_stream() {
    each_example("walk", |program, folder| {
        fs::write(folder.join("in"), "text").unwrap();
        let mut command = Command::new(program);
        command.arg("a\n.pdf.exe").stdin(fs::File::open(folder.join("in")).unwrap());
        assert_eq!(succeed(&mut command), "a\\x0a.pdf.exe: 4 bytes; found Heur.DoubleExtension\n");
    });
}

#[test]
fn the_example_watch_reports_every_object() {
    each_example("watch", |program, folder| {
        fs::write(folder.join("a.txt"), "text").unwrap();
        let printed = succeed(Command::new(program).arg("a.txt").current_dir(folder));
        assert_eq!(
            printed,
            "1: 4 bytes, status 0\n\
             {\"status\":\"clean\",\"records\":[{\"parent\":null,\"name\":\"a.txt\",\"formats\":[],\
             \"size\":4,\"detections\":[],\"not_scanned\":[],\"defects\":[]}],\
             \"objects\":1,\"bytes\":4}\n"
        );
    });
}

#[test]
fn the_example_policy_decides_for_every_recipient() {
    each_example("policy", |program, folder| {
        let config = "[smtp]\naction_av_infected = \"discard\"\nuser_config = \"users.cfg\"\n";
        fs::write(folder.join("esets.cfg"), config).unwrap();
        fs::write(folder.join("users.cfg"), "[bob@example.org]\naction_av = \"accept\"\n").unwrap();
        fs::write(folder.join("mail.pdf.exe"), "text").unwrap();
        let mut command = Command::new(program);
        command.args(["esets.cfg", "mail.pdf.exe", "", "bob@example.org", "carol@example.org"]);
        let output = run(command.current_dir(folder));
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "accept because of action_av in [bob@example.org], users.cfg:2\n  \
             for bob@example.org\n\
             discard because of action_av_infected in [smtp], esets.cfg:2\n  \
             for carol@example.org\n"
        );
        assert_eq!(output.status.code(), Some(2));
    });
}

#[test]
fn the_example_clean_lets_the_rest_of_a_mail_pass() {
    let mails = here().join("../../examples/mails");
    each_example("clean", |program, folder| {
        let config = "[smtp]\nav_clean_mode = \"delete\"\naction_av_deleted = \"accept\"\n";
        fs::write(folder.join("esets.cfg"), config).unwrap();
        let clean = |mail: &str| {
            let mut command = Command::new(program);
            command.args(["esets.cfg", "alice@example.org", "bob@example.org"]);
            let mail = fs::File::open(mails.join(mail)).unwrap();
            let output = run(command.current_dir(folder).stdin(mail));
            (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
        };
        let (action, passed) = clean("invoice.eml");
        assert_eq!(action, 0);
        assert!(passed.contains("Please find the invoice attached."), "{passed}");
        assert!(passed.contains("invoice.zip") && !passed.contains("UEsDBB"), "{passed}");
        assert!(passed.contains("X-Esets-Result: clean (deleted), "), "{passed}");
    });
}

#[test]
fn the_fuzz_harness_runs() {
    let folder = folder("fuzz");
    let flags = &["-std=c99", "-g", "-O1", "-fsanitize=fuzzer,address,undefined"];
    let fuzzer = Compiler { program: "clang", flags };
    let program = compile(fuzzer, &here().join("../../fuzz/c/harness.c"), &folder);
    let output = run(Command::new(&program).args(["-runs=3000", "-seed=1"]).current_dir(&folder));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("DONE"), "{told}");
}

#[test]
fn the_pkg_config_file_leads_to_the_library() {
    let folder = folder("pkg-config");
    for name in ["include", "lib"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    fs::copy(here().join("include/esets.h"), folder.join("include/esets.h")).unwrap();
    fs::rename(folder.join("libesets.so"), folder.join("lib/libesets.so")).unwrap();
    let template = fs::read_to_string(here().join("esets.pc.in")).unwrap();
    let prefix = folder.display().to_string();
    let filled = template.replace("@PREFIX@", &prefix).replace("@VERSION@", "0.1.0");
    fs::write(folder.join("esets.pc"), filled).unwrap();
    let mut ask = Command::new("pkg-config");
    ask.args(["--cflags", "--libs", "esets"]).env("PKG_CONFIG_PATH", &folder);
    let flags = succeed(&mut ask);
    let mut compiler = Command::new("gcc");
    compiler.arg(here().join("../../examples/c/scan.c")).args(flags.split_whitespace());
    succeed(compiler.args(["-Wl,-rpath,$ORIGIN", "-o", "scan"]).current_dir(&folder));
    succeed(Command::new(folder.join("scan")).arg("esets.pc").current_dir(&folder));
}

/// Runs one of the test programs in every way.
fn survives(name: &str) {
    survives_in(name, |_| ());
}

/// The same in a folder that is made ready first.
fn survives_in(name: &str, prepare: impl Fn(&Path)) {
    let source = source(name);
    for compiler in COMPILERS.iter().chain(SANITIZERS) {
        let folder = folder(name);
        prepare(&folder);
        let program = compile(*compiler, &source, &folder);
        succeed(Command::new(&program).current_dir(&folder));
    }
    let folder = folder(name);
    prepare(&folder);
    let program = compile(DEBUG, &source, &folder);
    succeed(valgrind(&program).current_dir(&folder));
}

/// Compiles an example in every way and looks at what it does.
fn each_example(name: &str, look: impl Fn(&Path, &Path)) {
    let source = here().join("../../examples/c").join(name).with_extension("c");
    for compiler in COMPILERS.iter().chain(SANITIZERS) {
        let folder = folder(name);
        look(&compile(*compiler, &source, &folder), &folder);
    }
}

fn source(name: &str) -> PathBuf {
    here().join("tests").join(name).with_extension("c")
}
