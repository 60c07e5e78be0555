//! Signatures: opened once, shared by scanners and threads, replaced while scans run.

use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use esets_core::{Database, Scanner};

use crate::border::{Out, ask, borrow, fence, fence_with_text, free, text};
use crate::result::{ESETS_ERROR_DATABASE, Failure, esets_result};
use crate::signatures::{self, Opened};

/// A signature database.
pub struct esets_database {
    /// `None` for the embedded one.
    path: Option<PathBuf>,
    pub(crate) shared: Arc<Shared>,
}

/// What a database and the scanners over it have in common.
pub(crate) struct Shared(RwLock<Current>);

struct Current {
    /// Kept because it costs more to make than a small object costs to scan.
    scanner: Scanner,
    warnings: String,
}

impl Shared {
    /// A scanner over the signatures as they are now; a reload does not change what is returned.
    pub(crate) fn scanner(&self) -> Scanner {
        self.0.read().unwrap_or_else(PoisonError::into_inner).scanner.clone()
    }

    fn current(&self) -> Database {
        self.scanner().database().clone()
    }

    fn warnings(&self) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).warnings.clone()
    }
}

impl From<Opened> for Current {
    fn from(opened: Opened) -> Self {
        Self { scanner: Scanner::new(opened.database), warnings: opened.warnings }
    }
}

impl esets_database {
    fn new(path: Option<PathBuf>, opened: Opened) -> Self {
        Self { path, shared: Arc::new(Shared(RwLock::new(opened.into()))) }
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
        let opened = Opened { database: Database::embedded(), warnings: String::new() };
        out.give(esets_database::new(None, opened));
        Ok(())
    })
}

/// Opens a compiled database, a source, or a folder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_open(
    path: *const c_char,
    out: *mut *mut esets_database,
    error: *mut *mut c_char,
) -> esets_result {
    let body = || {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a string or NULL.
        let path = PathBuf::from(OsStr::from_bytes(unsafe { text(path) }?));
        let opened = signatures::open(&path)?;
        out.give(esets_database::new(Some(path), opened));
        Ok(())
    };
    // SAFETY: the caller promises that `error` is NULL or may be written to.
    unsafe { fence_with_text(error, body) }
}

/// Opens the same path again; after a failure the database is what it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_reload(
    database: *mut esets_database,
    error: *mut *mut c_char,
) -> esets_result {
    let body = || {
        // SAFETY: the caller promises a database or NULL.
        let database = unsafe { borrow(database) }?;
        let Some(path) = &database.path else { return Ok(()) };
        let fresh = Current::from(signatures::open(path)?);
        *database.shared.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    };
    // SAFETY: the caller promises that `error` is NULL or may be written to.
    unsafe { fence_with_text(error, body) }
}

/// Compares the whole database with its digest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_verify(database: *const esets_database) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises a database or NULL.
        let database = unsafe { borrow(database) }?.shared.current();
        database.verify().map_err(|error| Failure::with_text(ESETS_ERROR_DATABASE, error))
    })
}

/// The version of the signatures in words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_version(
    database: *const esets_database,
    out: *mut *mut c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a database or NULL.
        out.give_text(unsafe { borrow(database) }?.shared.current().version());
        Ok(())
    })
}

/// How many signatures there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_signatures(database: *const esets_database) -> u64 {
    // SAFETY: the caller promises a database or NULL.
    ask(0, || Some(unsafe { database.as_ref() }?.shared.current().counts().total()))
}

/// What of the sources is not used, one line each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_warnings(
    database: *const esets_database,
    out: *mut *mut c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a database or NULL.
        out.give_text(unsafe { borrow(database) }?.shared.warnings());
        Ok(())
    })
}

/// Closes a database; scanners keep what they need of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_database_free(database: *mut esets_database) {
    // SAFETY: the caller promises that it is NULL or a database that is used no more.
    unsafe { free(database) }
}
