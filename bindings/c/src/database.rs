//! Signatures: opened once, shared by scanners and threads, replaced while scans run.

use std::ffi::c_char;
use std::sync::{Arc, PoisonError, RwLock};

use esets_core::Database;

use crate::border::{Out, fence, free};
use crate::result::esets_result;

/// A signature database.
pub struct esets_database {
    pub(crate) shared: Arc<Shared>,
}

/// What a database and the scanners over it have in common.
pub(crate) struct Shared {
    current: RwLock<Database>,
}

impl Shared {
    /// The signatures as they are now; a reload does not change what is returned.
    pub(crate) fn current(&self) -> Database {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl esets_database {
    fn new(database: Database) -> Self {
        Self { shared: Arc::new(Shared { current: RwLock::new(database) }) }
    }
}

/// The version of the library, `0.1.0`.
#[unsafe(no_mangle)]
pub extern "C" fn esets_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Opens the database that every build carries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_embedded(out: *mut *mut esets_database) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        out.give(esets_database::new(Database::embedded()));
        Ok(())
    })
}

/// Closes a database; scanners keep what they need of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_free(database: *mut esets_database) {
    // SAFETY: the caller promises that it is NULL or a database that is used no more.
    unsafe { free(database) }
}
