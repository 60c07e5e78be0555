//! What can go wrong, and with which file.

use std::io;
use std::path::{Path, PathBuf};

/// Why an operation on the quarantine failed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", path.display())]
pub struct QuarantineError {
    /// The file or folder concerned.
    pub path: PathBuf,
    /// What happened to it.
    pub cause: Cause,
}

/// What happened to a file of the quarantine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The file is not an entry, or not a whole one; the text says which part is wrong.
    #[error("damaged entry: {0}")]
    Damaged(&'static str),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There is no such entry.
    #[error("no such entry")]
    Missing,
}

impl QuarantineError {
    pub(crate) fn new(path: &Path, cause: impl Into<Cause>) -> Self {
        let cause = match cause.into() {
            Cause::Io(error) if error.kind() == io::ErrorKind::NotFound => Cause::Missing,
            cause => cause,
        };
        Self { path: path.to_path_buf(), cause }
    }
}
