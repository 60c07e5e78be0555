//! `esets signature info` and `verify`: what is in a compiled database, and whether it is whole.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command as Definition};

use super::{Outcome, path};
use crate::command::print;
use crate::exit::Managed;
use crate::print::quoted;
use crate::signatures::Signatures;

pub(super) fn define_info() -> Definition {
    let file = path("database").required(true).help("A compiled database");
    Definition::new("info").about("Show what is in a compiled database").arg(file)
}

pub(super) fn define_verify() -> Definition {
    let file = path("database").required(true).help("A compiled database");
    Definition::new("verify").about("Read a compiled database and check its digest").arg(file)
}

pub(super) fn info(matches: &ArgMatches) -> Outcome {
    let database = open(matches)?.database;
    let mut text = String::new();
    let _ = writeln!(text, "version     {}", quoted(database.version().as_bytes()));
    let _ = writeln!(text, "format      {}", database.format_version());
    let _ = writeln!(text, "bytes       {}", database.size());
    let counts = database.counts();
    let _ = writeln!(text, "signatures  {}", counts.total());
    for (kind, count) in counts.iter() {
        let _ = writeln!(text, "  {:<9} {count}", kind.name());
    }
    let _ = writeln!(text, "refused     {}", counts.refused());
    print(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Managed::Done)
}

pub(super) fn verify(matches: &ArgMatches) -> Outcome {
    let database = open(matches)?.database;
    let path = file(matches)?.display();
    let (text, ending) = match database.verify() {
        Ok(()) => (format!("{path}: whole\n"), Managed::Done),
        Err(error) => (format!("{path}: {error}\n"), Managed::Mistakes),
    };
    print(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(ending)
}

fn open(matches: &ArgMatches) -> Result<Signatures, String> {
    Signatures::open(file(matches)?)
}

fn file(matches: &ArgMatches) -> Result<&Path, String> {
    matches.get_one::<PathBuf>("database").map(PathBuf::as_path).ok_or("no database".into())
}
