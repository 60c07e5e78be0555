//! `esets config`: what `esets.cfg` says, and whether it can be used.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command as Definition, value_parser};
use esets_policy::config::{Config, document};

use super::{Command, print};
use crate::exit::Managed;
use crate::messages::Messages;
use crate::policy;

pub(crate) static COMMAND: Command = Command { name: "config", program: None, define, run };

fn define() -> Definition {
    let file = || {
        let file = Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf));
        file.default_value(policy::default_file()).help("The configuration file")
    };
    let check = Definition::new("check").about("Print every mistake in a configuration");
    let show = Definition::new("show").about("Print every key that a configuration sets");
    Definition::new("config")
        .about("Check or show a configuration, or print a default one")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(check.arg(file()))
        .subcommand(Definition::new("default").about("Print a file with every key at its default"))
        .subcommand(show.arg(file()))
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets config");
    let Some((action, matches)) = matches.subcommand() else { return Managed::Failed.into() };
    if action == "default" {
        let written = print(document::default_file().as_bytes());
        return written.map_or(Managed::Failed, |()| Managed::Done).into();
    }
    let Some(file) = matches.get_one::<PathBuf>("file") else { return Managed::Failed.into() };
    let (config, policy) = match policy::read(file) {
        Ok(read) => read,
        Err(mistakes) => {
            mistakes.iter().for_each(|mistake| messages.say(mistake));
            return Managed::Mistakes.into();
        }
    };
    policy.warnings().iter().for_each(|warning| messages.say(&warning.to_string()));
    let text = match action {
        "show" => settings(&config),
        _ => format!("{}: no mistakes\n", file.display()),
    };
    print(text.as_bytes()).map_or(Managed::Failed, |()| Managed::Done).into()
}

fn settings(config: &Config) -> String {
    let mut text = String::new();
    for section in config.sections() {
        let _ = writeln!(text, "[{}]", section.name);
        for setting in &section.settings {
            let (key, line) = (setting.key.name, setting.rule.line);
            let _ = writeln!(text, "{key} = {}  # line {line}", setting.value);
        }
    }
    text
}
