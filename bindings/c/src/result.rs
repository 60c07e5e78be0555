//! What a call answers with: numbers that never change.

use std::ffi::{CStr, c_char};
use std::io;
use std::path::Path;

use crate::border::ask;

/// How a call ended.
pub type esets_result = i32;

/// It did what it says.
pub const ESETS_OK: esets_result = 0;
/// A pointer is NULL that must not be.
pub const ESETS_ERROR_NULL: esets_result = 1;
/// A key is unknown, or a value is not one that it takes.
pub const ESETS_ERROR_ARGUMENT: esets_result = 2;
/// A file or descriptor cannot be opened or read; `errno` says why.
pub const ESETS_ERROR_IO: esets_result = 3;
/// The path leads to something that is not a regular file.
pub const ESETS_ERROR_FILE_TYPE: esets_result = 4;
/// The file is not a signature database, or is damaged.
pub const ESETS_ERROR_DATABASE: esets_result = 5;
/// The configuration has mistakes.
pub const ESETS_ERROR_CONFIG: esets_result = 6;
/// A defect in this library.
pub const ESETS_ERROR_FAULT: esets_result = 7;
/// The daemon cannot be reached, refuses, or broke off; `errno` says what the system said.
pub const ESETS_ERROR_DAEMON: esets_result = 8;
/// A part of the message cannot be taken out; it must not pass.
pub const ESETS_ERROR_REWRITE: esets_result = 9;

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: esets_result,
    pub(crate) errno: Option<i32>,
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(code: esets_result) -> Self {
        Self { code, errno: None, text: describe(code).to_string_lossy().into_owned() }
    }

    pub(crate) fn with_text(code: esets_result, text: impl ToString) -> Self {
        Self { code, errno: None, text: text.to_string() }
    }

    /// A file cannot be read.
    pub(crate) fn about(path: &Path, error: io::Error) -> Self {
        let failure = Self::from(error);
        Self { text: format!("{}: {}", path.display(), failure.text), ..failure }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let number = error.raw_os_error().filter(|number| *number != 0);
        let (code, errno) = match (number, error.kind()) {
            // Ours, see `esets_sys::open_regular`.
            (None, io::ErrorKind::InvalidInput) => (ESETS_ERROR_FILE_TYPE, None),
            (number, _) => (ESETS_ERROR_IO, number.or(Some(libc::EIO))),
        };
        Self { code, errno, text: error.to_string() }
    }
}

/// A result in words.
#[unsafe(no_mangle)]
pub extern "C" fn esets_result_text(result: esets_result) -> *const c_char {
    ask(c"fault".as_ptr(), || Some(describe(result).as_ptr()))
}

fn describe(result: esets_result) -> &'static CStr {
    match result {
        ESETS_OK => c"success",
        ESETS_ERROR_NULL => c"a pointer is NULL that must not be",
        ESETS_ERROR_ARGUMENT => c"unknown key or unsuitable value",
        ESETS_ERROR_IO => c"cannot be read",
        ESETS_ERROR_FILE_TYPE => c"not a regular file",
        ESETS_ERROR_DATABASE => c"not a signature database, or a damaged one",
        ESETS_ERROR_CONFIG => c"the configuration has mistakes",
        ESETS_ERROR_FAULT => c"a defect in libesets",
        ESETS_ERROR_DAEMON => c"no answer from the daemon",
        ESETS_ERROR_REWRITE => c"a part of the message cannot be taken out",
        _ => c"unknown result",
    }
}
