//! The Perl module over the library: built as an administrator would, tested by its own tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::daemon;
use crate::toolchain::{folder, here, run, succeed};

#[test]
fn the_perl_module_passes_its_tests() {
    let module = built("perl").join("perl");
    daemon::play(&module.join("sock"));
    let mut prove = Command::new("prove");
    prove.args(["--blib", "--verbose", "t"]).env("ESETS_TEST_SOCKET", "sock");
    succeed(prove.current_dir(&module));
}

#[test]
fn the_perl_example_answers_as_esets_scan() {
    let module = built("perl-example").join("perl");
    fs::write(module.join("a.txt"), "text").unwrap();
    fs::write(module.join("b.pdf.exe"), "text").unwrap();
    let mut command = Command::new("perl");
    command.arg("-Mblib").arg(here().join("../../examples/perl/scan.pl"));
    let output = run(command.args(["a.txt", "b.pdf.exe"]).current_dir(&module));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, "a.txt [] 4\nb.pdf.exe [] 4 !Heur.DoubleExtension\n");
    assert_eq!(output.status.code(), Some(50));
}

/// The module, built in a folder of its own against a prefix of its own.
pub(crate) fn built(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    let prefix = folder.join("prefix");
    fs::create_dir_all(prefix.join("lib")).unwrap();
    std::os::unix::fs::symlink(here().join("include"), prefix.join("include")).unwrap();
    for name in ["libesets.so", "libesets.so.0"] {
        fs::rename(folder.join(name), prefix.join("lib").join(name)).unwrap();
    }
    copy(&here().join("../perl"), &folder.join("perl"));
    let mut configure = Command::new("perl");
    let prefix = format!("ESETS={}", prefix.display());
    succeed(configure.args(["Makefile.PL", &prefix]).current_dir(folder.join("perl")));
    succeed(Command::new("make").current_dir(folder.join("perl")));
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
