//! `esets_set`: changes values of a configuration in place.

use std::process::ExitCode;

fn main() -> ExitCode {
    esets_commands::esets_set()
}
