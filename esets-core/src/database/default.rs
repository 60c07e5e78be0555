//! The database that every build carries: `default.dat`, compiled from `esets-core/signatures/`.

use crate::signature::{Loaded, SourceFile, compile};

/// The compiled form, as it is committed.
pub(super) static COMPILED: &[u8] = include_bytes!("default.dat");

/// Compiles the sources of the embedded database: what `src/database/default.dat` must hold, and
/// what came of the sources. `cargo xtask database` writes it.
#[must_use]
pub fn compile_default() -> (Vec<u8>, Loaded) {
    let sources = SOURCES.iter().map(|(name, bytes)| SourceFile::new(name, bytes));
    compile(concat!("default ", env!("CARGO_PKG_VERSION")), sources)
}

static SOURCES: &[(&str, &[u8])] = &[
    ("default.hdb", include_bytes!("../../signatures/default.hdb")),
    ("default.ndb", include_bytes!("../../signatures/default.ndb")),
];
