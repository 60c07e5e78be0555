//! `esets_quar`: what is in the quarantine, and what becomes of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    esets_commands::esets_quar()
}
