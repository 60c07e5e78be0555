//! The Perl module over the library: built as an administrator would, tested by its own tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::toolchain::{folder, here, succeed};

#[test]
fn the_perl_module_passes_its_tests() {
    let module = built();
    let mut prove = Command::new("prove");
    succeed(prove.args(["--blib", "--verbose", "t"]).current_dir(module.join("perl")));
}

/// The module, built in a folder of its own against a prefix of its own.
pub(crate) fn built() -> std::path::PathBuf {
    let folder = folder("perl");
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
