//! `cargo xtask install` puts in place what others build on: all of it is used from there.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn what_is_installed_works_from_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("usr");
    let install = format!("--prefix={}", prefix.display());
    succeed(Command::new(env!("CARGO_BIN_EXE_xtask")).args(["install", &install, "--profile=dev"]));
    fs::write(folder.path().join("a.pdf.exe"), "text").unwrap();
    let scan = Command::new(prefix.join("bin/esets_scan"))
        .args(["--tree", "a.pdf.exe"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let tree = "a.pdf.exe [] 4 !Heur.DoubleExtension\n";
    assert_eq!(
        (scan.status.code(), String::from_utf8(scan.stdout).unwrap().as_str()),
        (Some(50), tree)
    );
    for name in
        ["bin/esets", "bin/esets_cli", "bin/esets_quar", "bin/esets_set", "sbin/esets_daemon"]
    {
        succeed(Command::new(prefix.join(name)).arg("--version"));
    }
    for page in ["man1/esets_cli.1", "man1/esets_quar.1", "man1/esets_set.1", "man5/esets.cfg.5"] {
        let text = fs::read_to_string(prefix.join("share/man").join(page)).unwrap();
        assert!(text.contains(".SH"), "{page}");
    }
    c_programs_build_and_run(&prefix, folder.path(), tree);
}

/// An example in C, linked with the shared library and with the static one, as pkg-config says.
fn c_programs_build_and_run(prefix: &Path, folder: &Path, tree: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/c/scan.c");
    let ask = |arguments: &[&str]| {
        let pages = prefix.join("lib/pkgconfig");
        let flags = succeed(
            Command::new("pkg-config").args(arguments).arg("esets").env("PKG_CONFIG_PATH", pages),
        );
        flags.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ask(&["--modversion"]), [env!("CARGO_PKG_VERSION")]);
    for (program, mut flags) in [
        ("shared", ask(&["--cflags", "--libs"])),
        ("static", ask(&["--static", "--cflags", "--libs"])),
    ] {
        if program == "static" {
            let library = prefix.join("lib/libesets.a").display().to_string();
            let named = flags.iter_mut().find(|flag| flag.as_str() == "-lesets").unwrap();
            *named = library;
        }
        let mut compiler = Command::new("cc");
        compiler.arg(&source).args(&flags).args(["-o", program]).current_dir(folder);
        succeed(&mut compiler);
        let mut scan = Command::new(folder.join(program));
        scan.arg("a.pdf.exe").current_dir(folder);
        if program == "shared" {
            scan.env("LD_LIBRARY_PATH", prefix.join("lib"));
        }
        let scanned = scan.output().unwrap();
        assert_eq!(scanned.status.code(), Some(50), "{program}: {scanned:?}");
        assert_eq!(String::from_utf8(scanned.stdout).unwrap(), tree);
    }
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
