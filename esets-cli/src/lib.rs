//! The programs `esets`, `esets_cli`, `esets_scan`, `esets_quar` and `esets_set`: read, call, print.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     esets_commands::esets_scan()
//! }
//! ```
//!
//! What a program can do is a row of [`command::COMMANDS`]; how it ends is a row of a table in
//! [`exit`]. Help, manual pages and completions are made from the same definitions, see
//! [`command::manuals`]. What is printed of an object is an interface too, see [`printed`].

pub mod command;
pub mod exit;
pub mod printed;

mod answers;
mod clean;
mod daemon;
mod date;
mod glob;
mod messages;
mod policy;
mod pool;
mod print;
mod progress;
mod report;
mod rules;
mod signatures;
mod target;
mod worker;

use std::process::ExitCode;

/// `esets`: one command for each task of an administrator.
#[must_use]
pub fn esets() -> ExitCode {
    worker::serve_if_asked().unwrap_or_else(command::run_any)
}

/// `esets_cli`: one decision per object.
#[must_use]
pub fn esets_cli() -> ExitCode {
    worker::serve_if_asked().unwrap_or_else(|| command::run(&command::decide::COMMAND))
}

/// `esets_quar`: what is in the quarantine.
#[must_use]
pub fn esets_quar() -> ExitCode {
    worker::serve_if_asked().unwrap_or_else(|| command::run(&command::quarantine::COMMAND))
}

/// `esets_set`: changes values of the configuration.
#[must_use]
pub fn esets_set() -> ExitCode {
    command::run(&command::set::COMMAND)
}

/// `esets_scan`: scans files and folders.
#[must_use]
pub fn esets_scan() -> ExitCode {
    worker::serve_if_asked().unwrap_or_else(|| command::run(&command::scan::COMMAND))
}
