//! `esets signature`: compiles, shows, checks and tries signatures.

mod compile;
mod inspect;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command as Definition, value_parser};

use super::Command;
use crate::exit::Managed;
use crate::messages::Messages;

pub(crate) static COMMAND: Command = Command { name: "signature", program: None, define, run };

/// What an action ends with; an error is a message for a person.
type Outcome = Result<Managed, String>;

fn define() -> Definition {
    Definition::new("signature")
        .about("Compile, show, verify and try signatures")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([compile::define(), inspect::define_info(), trial::define()])
        .subcommand(inspect::define_verify())
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets signature");
    let outcome = match matches.subcommand() {
        Some(("compile", matches)) => compile::run(matches, &mut messages),
        Some(("info", matches)) => inspect::info(matches),
        Some(("test", matches)) => trial::run(matches, &mut messages),
        Some(("verify", matches)) => inspect::verify(matches),
        _ => Err("no such action".into()),
    };
    let ending = outcome.unwrap_or_else(|error| {
        messages.say(&error);
        Managed::Failed
    });
    ending.into()
}

/// An argument that is a path.
fn path(name: &'static str) -> Arg {
    Arg::new(name).value_name("FILE").value_parser(value_parser!(PathBuf))
}

fn paths(matches: &ArgMatches, name: &str) -> Vec<PathBuf> {
    matches.get_many::<PathBuf>(name).unwrap_or_default().cloned().collect()
}
