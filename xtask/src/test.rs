//! `cargo xtask test`: everything that must hold, on a machine that has only Rust.

use std::fs;

use crate::{Chore, Outcome, cargo, check, fuzz, package, packages, program, root, run};

pub(crate) static CHORE: Chore = Chore {
    name: "test",
    about: "install what the tests need and run all of them",
    run: |_| test(),
};

fn test() -> Outcome {
    packages::install()?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--all-targets", "--", "-D", "warnings"]))?;
    check::check()?;
    package::package(true)?;
    deny()?;
    run(&mut cargo(&["build", "--all-targets"]))?;
    if has_nextest() {
        run(&mut cargo(&["nextest", "run", "--no-fail-fast"]))?;
        run(&mut cargo(&["test", "--doc", "--quiet"]))?;
    } else {
        run(&mut cargo(&["test", "--no-fail-fast"]))?;
    }
    let mut docs = cargo(&["doc", "--no-deps", "--quiet"]);
    run(docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    replay()?;
    fuzz::smoke()?;
    labs()
}

fn has_nextest() -> bool {
    cargo(&["nextest", "--version"]).output().is_ok_and(|output| output.status.success())
}

/// Licences and bans. The advisory database is not asked: it lies on a server that a build
/// machine may not reach.
fn deny() -> Outcome {
    if !cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        run(&mut cargo(&["install", "cargo-deny", "--locked", "--quiet"]))?;
    }
    run(&mut cargo(&["deny", "check", "licenses", "bans", "sources"]))
}

/// The bodies of the fuzz targets over their corpora, on stable Rust.
fn replay() -> Outcome {
    let manifest = root().join("fuzz/Cargo.toml");
    run(cargo(&["test", "--quiet", "--manifest-path"]).arg(manifest))
}

/// Real mail programs before our programs.
fn labs() -> Outcome {
    let folder = root().join("testdata/mta");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut labs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    labs.retain(|path| {
        path.extension().is_some_and(|end| end == "sh") && !path.ends_with("lab.sh")
    });
    labs.sort();
    for lab in labs {
        let programs = root().join("target/debug");
        let mut command = program("bash", &[]);
        command.arg(lab).env("ESETS_CLI", programs.join("esets_cli"));
        run(command.env("ESETS_DAEMON", programs.join("esets_daemon")))?;
    }
    Ok(())
}
