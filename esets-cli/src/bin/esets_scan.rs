//! `esets_scan`: scans files and folders, for people and mail servers.

use std::process::ExitCode;

fn main() -> ExitCode {
    esets_commands::esets_scan()
}
