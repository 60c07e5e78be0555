//! `esets`: everything for administrators, one command each.

use std::process::ExitCode;

fn main() -> ExitCode {
    esets_commands::esets()
}
