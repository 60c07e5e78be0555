//! `esets signature compile`: sources in, one compiled database out.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command as Definition};
use esets_policy::core::Database;

use super::{Outcome, path, sources, unsigned};
use crate::command::print;
use crate::exit::Managed;
use crate::messages::Messages;
use crate::signatures;

pub(super) fn define() -> Definition {
    Definition::new("compile")
        .about("Compile sources of signatures into one database")
        .arg(path("output").short('o').long("output").required(true).help("The database to write"))
        .arg(
            Arg::new("label")
                .long("label")
                .value_name("TEXT")
                .default_value("")
                .help("What the database calls its version"),
        )
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("End with 1 and write nothing if a signature is refused"),
        )
        .arg(unsigned())
        .arg(path("sources").required(true).num_args(1..).help("Sources, or folders of sources"))
}

pub(super) fn run(matches: &ArgMatches, messages: &mut Messages) -> Outcome {
    let output = matches.get_one::<PathBuf>("output").ok_or("no output")?;
    let label = matches.get_one::<String>("label").map_or("", String::as_str);
    let sources = sources(matches)?;
    let takes_unsigned = matches.get_flag("unsigned");
    let (bytes, loaded) = signatures::compile(label, &sources, takes_unsigned, messages);
    if loaded.added == 0 {
        return Err("there is no signature to compile".into());
    }
    if matches.get_flag("strict") && !loaded.rejected.is_empty() {
        return Ok(Managed::Mistakes);
    }
    Database::from_bytes(bytes.clone()).map_err(|error| error.to_string())?;
    install(output, &bytes).map_err(|error| format!("{}: {error}", output.display()))?;
    let summary = format!("{}: {} signatures\n", output.display(), loaded.added);
    print(summary.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Managed::Done)
}

/// Replaces a file in one step: whoever has the old one mapped keeps it.
fn install(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}", std::process::id()));
    let fresh = path.with_file_name(name);
    let written = write(&fresh, bytes).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        // The error that counts is the one before.
        let _ = fs::remove_file(&fresh);
    }
    written
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
