//! `esets_cli`: one decision per object, for mail servers and scripts.

use std::process::ExitCode;

fn main() -> ExitCode {
    esets_commands::esets_cli()
}
