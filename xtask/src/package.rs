//! `cargo xtask package`: every crate can be published, with its licences and its read-me.

use crate::{Chore, Outcome, cargo, run};

pub(crate) static CHORE: Chore = Chore {
    name: "package",
    about: "[--no-verify]: pack every crate, and build each from its pack",
    run: |arguments| package(arguments.iter().any(|argument| argument == "--no-verify")),
};

/// Packs every crate; `quick` leaves out to build them from their packs.
pub(crate) fn package(quick: bool) -> Outcome {
    let arguments = ["package", "--workspace", "--allow-dirty", "--quiet"];
    let mut command = cargo(&arguments);
    command.args(LOCAL.iter().flat_map(|package| ["--exclude", package]));
    if quick {
        command.arg("--no-verify");
    }
    run(&mut command)?;
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps"]).output();
    let metadata = metadata.map_err(|error| error.to_string())?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata.stdout).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let names = packages.filter_map(|package| package["name"].as_str());
    names.filter(|name| !LOCAL.contains(name)).try_for_each(is_complete)
}

fn is_complete(name: &str) -> Outcome {
    let listed = cargo(&["package", "--list", "--allow-dirty", "-p", name]).output();
    let listed = listed.map_err(|error| error.to_string())?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let lacks = |file: &&&str| !listed.lines().any(|line| line == **file);
    match FILES.iter().find(lacks) {
        Some(file) => Err(format!("{name} is packed without {file}")),
        None => Ok(()),
    }
}

/// Crates that are not published.
const LOCAL: &[&str] = &["esets-examples", "xtask"];

/// What every pack holds.
const FILES: &[&str] = &["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];
