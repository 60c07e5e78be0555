//! `esets man`: the manual pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command as Definition, value_parser};
use clap_mangen::Man;
use esets_policy::config::document;

use super::{COMMANDS, Command, definition, everything};
use crate::exit::{Managed, manual_section};
use crate::messages::Messages;

pub(crate) static COMMAND: Command = Command { name: "man", program: None, define, run };

/// Every manual page: file name and roff.
///
/// # Errors
/// None but those of writing to memory.
pub fn manuals() -> io::Result<Vec<(String, Vec<u8>)>> {
    let programs = COMMANDS.iter().filter(|command| command.program.is_some());
    let mut pages = Vec::new();
    for program in programs.map(|command| definition(command)) {
        pages.push(page(program)?);
    }
    for command in COMMANDS {
        let name = format!("esets-{}", command.name);
        pages.push(page((command.define)().name(name))?);
    }
    pages.push(page(everything())?);
    let keys = document::keys_man(env!("CARGO_PKG_VERSION"));
    pages.push(("esets.cfg.5".into(), keys.into_bytes()));
    Ok(pages)
}

fn define() -> Definition {
    let folder = Arg::new("folder").required(true).value_parser(value_parser!(PathBuf));
    Definition::new("man")
        .about("Write the manual pages into a folder")
        .arg(folder.help("The folder; it is made if it is missing"))
}

fn run(matches: &ArgMatches) -> ExitCode {
    let Some(folder) = matches.get_one::<PathBuf>("folder") else { return Managed::Failed.into() };
    match write(folder) {
        Ok(()) => Managed::Done.into(),
        Err(error) => {
            Messages::new("esets man").say(&format!("{}: {error}", folder.display()));
            Managed::Failed.into()
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    manuals()?.into_iter().try_for_each(|(name, page)| fs::write(folder.join(name), page))
}

/// Synopsis and options by clap, the exit codes from their table.
fn page(definition: Definition) -> io::Result<(String, Vec<u8>)> {
    let definition = definition.version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    let name = definition.get_name().to_owned();
    let manual = Man::new(definition).manual("ESETS");
    let mut page = Vec::new();
    manual.render(&mut page)?;
    page.extend_from_slice(manual_section(&name).as_bytes());
    Ok((format!("{name}.1"), page))
}
