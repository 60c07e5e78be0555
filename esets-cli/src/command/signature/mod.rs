//! `esets signature`: compiles, decodes, finds, shows, checks and tries signatures.

mod compile;
mod decode;
mod find;
mod inspect;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command as Definition, value_parser};

use super::Command;
use crate::exit::Managed;
use crate::messages::Messages;
use crate::signatures;

pub(crate) static COMMAND: Command = Command { name: "signature", program: None, define, run };

/// What an action ends with; an error is a message for a person.
type Outcome = Result<Managed, String>;

fn define() -> Definition {
    Definition::new("signature")
        .about("Compile, decode, find, show, verify and try signatures")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([compile::define(), decode::define(), find::define()])
        .subcommands([inspect::define_info(), trial::define()])
        .subcommand(inspect::define_verify())
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::all("esets signature");
    let outcome = match matches.subcommand() {
        Some(("compile", matches)) => compile::run(matches, &mut messages),
        Some(("decode", matches)) => decode::run(matches),
        Some(("find", matches)) => find::run(matches, &mut messages),
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

/// Whether containers that nobody signed are taken.
fn unsigned() -> Arg {
    Arg::new("unsigned")
        .long("unsigned")
        .action(ArgAction::SetTrue)
        .help("Take containers that nobody signed (.cud) too")
}

/// The named sources, and those in the named folders.
fn sources(matches: &ArgMatches) -> Result<Vec<PathBuf>, String> {
    let mut sources = Vec::new();
    for path in paths(matches, "sources") {
        if path.is_dir() {
            sources.extend(signatures::sources(&path)?);
        } else {
            sources.push(path);
        }
    }
    Ok(sources)
}
