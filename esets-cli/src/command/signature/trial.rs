//! `esets signature test`: what some signatures find in some files.

use std::ops::ControlFlow;

use clap::{ArgMatches, Command as Definition};
use esets_policy::core::{Limits, Options, Source, Verdict};

use super::{Outcome, path, paths, unsigned};
use crate::command::print;
use crate::exit::Managed;
use crate::messages::Messages;
use crate::pool;
use crate::print::{Names, quoted};
use crate::signatures::Signatures;
use crate::target::Walk;
use crate::worker::Setup;

pub(super) fn define() -> Definition {
    Definition::new("test")
        .about("Show where signatures match in files; end with 1 if one file has no match")
        .arg(
            path("source")
                .short('s')
                .long("source")
                .required(true)
                .num_args(1)
                .action(clap::ArgAction::Append)
                .help("A source of signatures; may be given several times"),
        )
        .arg(unsigned())
        .arg(path("files").required(true).num_args(1..).help("Files and folders to scan"))
}

pub(super) fn run(matches: &ArgMatches, messages: &mut Messages) -> Outcome {
    let signatures =
        Signatures::compile(&paths(matches, "source"), matches.get_flag("unsigned"), messages)?;
    let mut options = Options::default();
    options.heuristics = false;
    options.unsafe_applications = true;
    options.unwanted_applications = true;
    let (limits, seconds) = (Limits::default(), Some(120));
    let setup = Setup { limits, options, seconds, passwords: Vec::new() };
    let scan = signatures.scan(setup);
    let walk = Walk { subdir: true, ..Walk::default() };
    let files = paths(matches, "files");
    let mut ending = Managed::Done;
    let mut written = Ok(());
    pool::scan(scan.engines(), 1, walk.targets(&files), |scanned| {
        scanned.notices.iter().for_each(|notice| messages.say_once(notice));
        if let Some(problem) = &scanned.problem {
            messages.say(&format!("{}: {problem}", scanned.path.display()));
        }
        let matches = matches_of(&scanned.verdict);
        if matches.is_empty() {
            ending = ending.max(Managed::Mistakes);
        }
        written = print(&matches);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    written.map_err(|error| error.to_string())?;
    Ok(ending)
}

/// A line for each match.
fn matches_of(verdict: &Verdict) -> Vec<u8> {
    let names = Names::of_locale();
    let mut lines = Vec::new();
    for (record, detection) in verdict.threats() {
        if detection.source != Source::Signature {
            continue;
        }
        lines.extend_from_slice(&names.path(verdict, record));
        let place = detection.offset.map(|offset| format!(" at {offset}")).unwrap_or_default();
        let name = quoted(detection.name.as_bytes());
        lines.extend_from_slice(format!(": {name}{place}\n").as_bytes());
    }
    lines
}
