//! Where objects are kept that must not be delivered.
//!
//! A [`Quarantine`] is a folder with one file per [`Entry`]. A file is written beside its place,
//! synced and renamed, so a crash or a full disk leaves either the whole entry or none; a damaged
//! one costs itself only. Contents are masked, so that other scanners leave them alone.
//!
//! ```
//! use std::time::SystemTime;
//! use esets_core::{Database, Object, Scanner};
//! use esets_quarantine::{Note, Quarantine};
//!
//! let folder = tempfile::tempdir()?;
//! let quarantine = Quarantine::open(folder.path())?;
//! let verdict = Scanner::new(Database::embedded()).scan(&Object::new(b"bad").named("a.exe"));
//! let note = Note { agent: "smtp".into(), ..Note::new("a.exe", verdict) };
//! let id = quarantine.put(b"bad", note, SystemTime::now())?;
//! assert_eq!(quarantine.release(&id)?, b"bad");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod entry;
mod error;
mod file;
mod purge;
mod store;

pub use entry::{Entry, Id, Note};
pub use error::{Cause, QuarantineError};
pub use purge::{Purge, Purged};
pub use store::Quarantine;
