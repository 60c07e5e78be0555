//! Object in, verdict out: the heart of the ESETS scanning SDK.
//!
//! Two types carry the whole crate: a [`Scanner`] holds a [`Database`] of signatures, and
//! [`Scanner::scan`] turns an [`Object`] (bytes with a name) into a [`Verdict`], a tree with one
//! [`Record`] for each object met inside it. Scanning never fails: whatever could not be looked at
//! is a [`Reason`] in the verdict, and a verdict with a reason is never [`Status::Clean`].
//!
//! ```
//! use esets_core::{Database, Object, Scanner, Status};
//!
//! let scanner = Scanner::new(Database::embedded());
//! let verdict = scanner.scan(&Object::new(b"nothing to see here").named(b"note.txt"));
//! assert_eq!(verdict.status(), Status::Clean);
//! ```
//!
//! The crate is pure: no files, sockets, threads, clocks or global state. A caller who wants a
//! time limit, progress or a log passes a [`Session`].

mod budget;
mod carve;
mod children;
mod cursor;
mod database;
mod decode;
mod emulator;
mod executable;
mod heuristic;
mod matcher;
mod object;
mod open;
mod pieces;
mod rules;
mod scan;
mod scanner;
mod session;
pub mod signature;
mod subject;
mod unpack;
mod verdict;

pub use budget::{Lease, Limits, Stop};
pub use children::Children;
pub use cursor::{Chain, Cursor, Truncated};
pub use database::{
    Counts, Database, DatabaseBuilder, DatabaseError, SignatureKind, compile_default,
};
pub use executable::{
    EntryPoint, Executable, ExecutableKind, Import, ImportName, Resource, ResourceId, Section,
    VersionString,
};
pub use heuristic::{Findings, HEURISTICS, Heuristic};
pub use object::{Member, Object};
pub use pieces::Piece;
pub use rules::RuleSet;
pub use scanner::{Options, Records, Scanner};
pub use session::{Interrupt, Interruption, Observer, Session};
pub use subject::{Algorithm, Digest, Subject};
pub use unpack::{Format, Magic, UNPACKERS, UnpackError, Unpacker};
pub use verdict::{
    Class, Detection, Limit, ObjectId, Printable, Reason, Record, Source, Status, Text, Verdict,
};
