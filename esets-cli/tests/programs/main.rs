//! The programs as their callers meet them: arguments in, lines and exit codes out.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails"
)]

mod bad_input;
mod cleaning;
mod consumers;
mod definitions;
mod harness;
mod hostile_names;
mod many_files;
mod quarantine;
mod remote;
mod reports;
mod resident;
mod schema;
mod setting;
mod signatures;
mod workers;
mod yara;
