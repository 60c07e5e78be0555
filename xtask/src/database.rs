//! `cargo xtask database`: the database that every build carries, from `esets-core/signatures/`.

use std::fs;
use std::path::PathBuf;

use crate::{Chore, Outcome, root};

pub(crate) static CHORE: Chore = Chore {
    name: "database",
    about: "compile esets-core/signatures/ into the embedded database",
    run: |_| write(),
};

fn path() -> PathBuf {
    root().join("esets-core/src/database/default.dat")
}

fn write() -> Outcome {
    fs::write(path(), compiled()?).map_err(|error| format!("{}: {error}", path().display()))
}

/// Whether the embedded database is what its sources compile to.
pub(crate) fn check() -> Outcome {
    if fs::read(path()).unwrap_or_default() == compiled()? {
        return Ok(());
    }
    Err("the embedded database is out of date: cargo xtask database".into())
}

fn compiled() -> Result<Vec<u8>, String> {
    let (bytes, loaded) = esets_core::compile_default();
    match loaded.rejected.first() {
        None => Ok(bytes),
        Some(rejected) => Err(rejected.to_string()),
    }
}
