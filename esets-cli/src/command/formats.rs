//! `esets formats`: what is opened.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{ArgMatches, Command as Definition};
use esets_policy::core::UNPACKERS;

use super::{Command, print};
use crate::exit::Managed;

pub(crate) static COMMAND: Command = Command { name: "formats", program: None, define, run };

fn define() -> Definition {
    Definition::new("formats").about("List the formats that are opened")
}

fn run(_: &ArgMatches) -> ExitCode {
    let mut list = String::new();
    for unpacker in UNPACKERS {
        let format = unpacker.format();
        let _ = writeln!(list, "{:<12} {}", format.name, format.about);
    }
    print(list.as_bytes()).map_or(Managed::Failed, |()| Managed::Done).into()
}
