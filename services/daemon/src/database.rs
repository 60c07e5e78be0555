//! The compiled database: found, opened, read in place.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytes::Bytes;
use esets_policy::core::Database;

/// The file with the signatures, opened once and mapped by every worker.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    /// `None` for the database that the program carries.
    pub(crate) file: Option<File>,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// What tells it apart from one that is installed later.
    pub(crate) identity: (u64, u64, i64, i64),
    /// Its version, once a worker has read it.
    pub(crate) version: OnceLock<String>,
}

impl DatabaseFile {
    /// Opens `em002.dat` in this folder; without one, the signatures of the program itself are
    /// used.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = path(folder);
        match File::open(&path) {
            Ok(file) => {
                let about = file.metadata()?;
                let identity = (about.dev(), about.ino(), about.mtime(), about.mtime_nsec());
                let version = OnceLock::new();
                Ok(Self { size: about.len(), file: Some(file), identity, version })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let version = OnceLock::new();
                Ok(Self { file: None, size: 0, identity: (0, 0, 0, 0), version })
            }
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    /// Its version as the log has it: the number that it begins with, or 0.
    pub(crate) fn number(&self) -> u64 {
        let version = self.version.get().map(String::as_str).unwrap_or_default();
        let digits = version.split(|letter: char| !letter.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).unwrap_or_default()
    }
}

/// Where the database of a folder lies.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("em002.dat")
}

/// The database in a mapped file.
pub(crate) fn read(bytes: Bytes) -> io::Result<Database> {
    Database::from_bytes(bytes).map_err(io::Error::other)
}
