//! The commands: one file each, one row of [`COMMANDS`] each.
//!
//! Each is defined once, with clap; help, manual pages and shell completions are made from that.

pub(crate) mod arguments;
mod completions;
mod config;
pub(crate) mod decide;
mod formats;
mod man;
mod policy;
pub(crate) mod quarantine;
mod release;
pub(crate) mod scan;
pub(crate) mod set;
mod signature;
mod switches;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command as Definition};

use crate::exit;

pub use man::manuals;

/// One command.
pub struct Command {
    /// The word after `esets`.
    pub name: &'static str,
    /// The program that does nothing else, if there is one.
    pub program: Option<&'static str>,
    /// What it is called with.
    pub define: fn() -> Definition,
    /// What it does.
    run: fn(&ArgMatches) -> ExitCode,
}

/// Every command, by name.
pub static COMMANDS: &[&Command] = &[
    &completions::COMMAND,
    &config::COMMAND,
    &decide::COMMAND,
    &formats::COMMAND,
    &man::COMMAND,
    &policy::COMMAND,
    &quarantine::COMMAND,
    &scan::COMMAND,
    &set::COMMAND,
    &signature::COMMAND,
];

/// Runs a command as a program of its own.
pub(crate) fn run(command: &Command) -> ExitCode {
    parse(definition(command)).map_or_else(|code| code, |matches| (command.run)(&matches))
}

/// Runs the command that the first argument names.
pub(crate) fn run_any() -> ExitCode {
    let matches = match parse(everything()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let chosen = matches.subcommand().and_then(|(name, matches)| {
        let command = COMMANDS.iter().find(|command| command.name == name)?;
        Some((command.run)(matches))
    });
    chosen.unwrap_or(ExitCode::from(exit::FAILED))
}

/// The definition of a command's own program.
pub(crate) fn definition(command: &Command) -> Definition {
    let name = command.program.unwrap_or(command.name);
    (command.define)().name(name).bin_name(name).version(VERSION)
}

/// The definition of `esets`.
pub(crate) fn everything() -> Definition {
    Definition::new("esets")
        .about("The ESETS scanner: configuration, signatures, scans")
        .version(VERSION)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(COMMANDS.iter().map(|command| (command.define)().name(command.name)))
}

fn parse(definition: Definition) -> Result<ArgMatches, ExitCode> {
    definition.try_get_matches().map_err(|error| {
        // Nobody is left to tell if the output is closed.
        let _ = error.print();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
            _ => ExitCode::from(exit::FAILED),
        }
    })
}

/// Writes to standard output; a reader that went away is no reason to panic.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)?;
    out.flush()
}

/// Parsers of other programs look for the last word, after a closing parenthesis.
const VERSION: &str = concat!("(ESETS) ", env!("CARGO_PKG_VERSION"));
