//! `cargo xtask database`: the database that every build carries, from `esets-core/signatures/`.

use std::fs;
use std::path::PathBuf;

use esets_core::compile_default;

use crate::{Chore, Outcome, root};

pub(crate) static CHORE: Chore = Chore {
    name: "database",
    about: "compile esets-core/signatures/ into the embedded database",
    run: |_| write(),
};

fn write() -> Outcome {
    fs::write(path(), compiled()?).map_err(|error| error.to_string())
}

/// Whether the embedded database is what its sources compile to.
pub(crate) fn check() -> Outcome {
    let committed = fs::read(path()).map_err(|error| error.to_string())?;
    if committed == compiled()? {
        Ok(())
    } else {
        Err("default.dat is not current: run `cargo xtask database`".to_owned())
    }
}

fn compiled() -> Result<Vec<u8>, String> {
    let (bytes, loaded) = compile_default();
    match loaded.rejected.first() {
        None => Ok(bytes),
        Some(rejected) => Err(rejected.to_string()),
    }
}

fn path() -> PathBuf {
    root().join("esets-core/src/database/default.dat")
}
