//! The Debian packages that the tests need, and how to get them.

use std::collections::BTreeSet;
use std::fs;

use crate::{Outcome, program, root, run};

/// Installs what is missing with apt-get, or says what a person has to install.
pub(crate) fn install() -> Outcome {
    let missing: Vec<String> = wanted()?.into_iter().filter(|package| !has(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(String::as_str).collect();
    let id = program("id", &["-u"]).output().map_err(|error| error.to_string())?;
    if id.stdout.trim_ascii() != b"0" {
        return Err(format!(
            "as root: apt-get install --no-install-recommends {}",
            names.join(" ")
        ));
    }
    run(&mut program("apt-get", &["update", "-qq"]))?;
    let mut install = program("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]);
    run(install.args(names).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The packages of the programs that tests run everywhere, and those named by the recipes in
/// `testdata/unpack/*/make`.
fn wanted() -> Result<BTreeSet<String>, String> {
    let mut packages: BTreeSet<String> = ALWAYS.iter().map(ToString::to_string).collect();
    let folder = root().join("testdata/unpack");
    let formats =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for format in formats.flatten() {
        let recipe = fs::read_to_string(format.path().join("make")).unwrap_or_default();
        let lines = recipe.lines().filter_map(|line| line.strip_prefix("# packages:"));
        packages.extend(lines.flat_map(str::split_whitespace).map(str::to_string));
    }
    Ok(packages)
}

fn has(package: &str) -> bool {
    let query = program("dpkg-query", &["-W", "-f", "${db:Status-Status}", package]).output();
    query.is_ok_and(|output| output.stdout == b"installed")
}

/// Compilers, interpreters and peers.
const ALWAYS: &[&str] = &[
    "clamav",
    "clamav-testfiles",
    "clang",
    "file",
    "g++",
    "gcc",
    "iproute2",
    "libc6-dev",
    "libclang-rt-dev",
    "libfaketime",
    "libperl-dev",
    "make",
    "openssl",
    "perl",
    "pkg-config",
    "procps",
    "prometheus",
    "python3",
    "systemd",
    "util-linux",
    "valgrind",
    "zip",
];
