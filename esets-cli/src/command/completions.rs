//! `esets completions`: what a shell completes.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command as Definition, value_parser};
use clap_complete::{Shell, generate};

use super::{COMMANDS, Command, definition, everything, print};
use crate::exit::Managed;

pub(crate) static COMMAND: Command = Command { name: "completions", program: None, define, run };

fn define() -> Definition {
    let shell = Arg::new("shell").required(true).value_parser(value_parser!(Shell));
    Definition::new("completions")
        .about("Print the completions of all programs for a shell")
        .arg(shell.help("The shell"))
}

fn run(matches: &ArgMatches) -> ExitCode {
    let Some(shell) = matches.get_one::<Shell>("shell") else { return Managed::Failed.into() };
    let mut script = Vec::new();
    let programs = COMMANDS.iter().filter(|command| command.program.is_some());
    for mut program in programs.map(|command| definition(command)).chain([everything()]) {
        let name = program.get_name().to_owned();
        generate(*shell, &mut program, name, &mut script);
    }
    print(&script).map_or(Managed::Failed, |()| Managed::Done).into()
}
