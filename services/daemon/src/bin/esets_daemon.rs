//! The resident scanner.

use std::process::ExitCode;

fn main() -> ExitCode {
    esets_resident::run()
}
