//! `cargo xtask check`: what no compiler checks: generated files, sizes, the edges between crates.

use std::collections::BTreeMap;
use std::fs;

use crate::{Chore, Outcome, cargo, database, docs, program, root};

pub(crate) static CHORE: Chore = Chore {
    name: "check",
    about: "generated files are current, files are short, crates keep to their edges",
    run: |_| check(),
};

pub(crate) fn check() -> Outcome {
    docs::check()?;
    database::check()?;
    lengths()?;
    edges()
}

/// No source file is longer than 500 lines.
fn lengths() -> Outcome {
    let listed =
        program("git", &["ls-files", "*.rs"]).output().map_err(|error| error.to_string())?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let lines =
        |name: &&str| fs::read_to_string(root().join(name)).unwrap_or_default().lines().count();
    let long: Vec<_> = names.lines().filter(|name| lines(name) > 500).collect();
    if long.is_empty() {
        Ok(())
    } else {
        Err(format!("longer than 500 lines: {}", long.join(", ")))
    }
}

/// A crate of ours depends only on those that ARCHITECTURE.md allows it.
fn edges() -> Outcome {
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps"]).output();
    let metadata = metadata.map_err(|error| error.to_string())?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata.stdout).map_err(|error| error.to_string())?;
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = allowed.get(name) else { continue };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let is_ours = to.starts_with("esets-") && dependency["kind"].is_null();
            if is_ours && !allowed.contains(&to) {
                return Err(format!("{name} may not depend on {to}"));
            }
        }
    }
    Ok(())
}

/// Which of our crates each of them may use; the others may use any.
const EDGES: &[(&str, &[&str])] = &[
    ("esets-mime", &[]),
    ("esets-core", &["esets-mime"]),
    ("esets-policy", &["esets-core", "esets-mime"]),
    ("esets-sys", &[]),
    ("esets-agents", &["esets-policy", "esets-client", "esets-sys"]),
    ("esets-quarantine", &["esets-core", "esets-sys"]),
    ("esets-client", &["esets-policy", "esets-sys"]),
    ("esets-yara", &["esets-core"]),
    (
        "esets-cli",
        &[
            "esets-policy",
            "esets-core",
            "esets-client",
            "esets-quarantine",
            "esets-sys",
            "esets-yara",
        ],
    ),
    ("esets-capi", &["esets-policy", "esets-core", "esets-client", "esets-sys"]),
];
