//! `esets_scan`: scans files and folders and reports what is in them.

use std::env;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, BufWriter};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use clap::{ArgMatches, Args, Command as Definition, FromArgMatches};
use esets_policy::core::{Options, Records};

use esets_quarantine::Quarantine;

use super::arguments::{DatabaseArguments, LimitArguments, MOST_JOBS, processors};
use super::{Command, switches};
use crate::clean::{CleanMode, Cleaning};
use crate::exit::Scanned as Ending;
use crate::glob::Glob;
use crate::messages::Messages;
use crate::policy;
use crate::pool::{self, Scanned};
use crate::progress::Progress;
use crate::report::{Entry, Opening, Report, Style, Summary};
use crate::signatures::Signatures;
use crate::target::Walk;
use crate::worker::Setup;

pub(crate) static COMMAND: Command =
    Command { name: "scan", program: Some("esets_scan"), define, run };

#[derive(Args, Debug)]
struct Arguments {
    /// Report as one JSON document
    #[arg(long, conflicts_with = "tree")]
    json: bool,
    /// Report what is in each file as a tree
    #[arg(long)]
    tree: bool,
    /// Write the report to a file too, as text
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Leave out a path, or a name anywhere, with * and ?; may be given several times
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<OsString>,
    /// Scan only files with these extensions, separated by colons
    #[arg(long, value_name = "LIST", value_delimiter = ':')]
    ext: Vec<String>,
    /// Leave out files with these extensions, separated by colons
    #[arg(long, value_name = "LIST", value_delimiter = ':')]
    ext_exclude: Vec<String>,
    /// Which infected files are deleted
    #[arg(long, value_name = "MODE", value_enum, ignore_case = true, default_value = "none")]
    clean_mode: CleanMode,
    /// The folder of the quarantine [default: as the configuration says]
    #[arg(long, value_name = "DIR")]
    quarantine_dir: Option<PathBuf>,
    /// An old name of --clean-mode
    #[arg(long, value_name = "MODE", value_enum, ignore_case = true, hide = true)]
    action: Option<CleanMode>,
    /// A password to try on encrypted archives; may be given several times
    #[arg(long, value_name = "PASSWORD")]
    password: Vec<String>,
    /// How many files are scanned at a time [default: the number of processors]
    #[arg(long, short, value_name = "COUNT")]
    jobs: Option<usize>,
    #[command(flatten)]
    database: DatabaseArguments,
    #[command(flatten)]
    limits: LimitArguments,
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

fn define() -> Definition {
    switches::define(Arguments::augment_args(Definition::new("scan")))
        .about("Scan files and folders and report what is in them")
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets_scan");
    let scanned = Arguments::from_arg_matches(matches)
        .map_err(|error| error.to_string())
        .and_then(|arguments| scan(&arguments, matches, &mut messages));
    let ending = scanned.unwrap_or_else(|error| {
        messages.say(&error);
        Ending::Failed
    });
    ending.into()
}

fn scan(
    arguments: &Arguments,
    matches: &ArgMatches,
    messages: &mut Messages,
) -> Result<Ending, String> {
    let quarantine = quarantine(arguments, matches)?;
    let quarantine = quarantine.as_ref();
    let signatures = Signatures::load(&arguments.database, None, messages)?;
    let mut reports = reports(arguments, matches)?;
    let started = Instant::now();
    let command_line = command_line();
    let opening =
        Opening { command_line, database: &signatures.database, started: SystemTime::now() };
    let scan = signatures.scan(setup(arguments, matches));
    let walk = walk(arguments, matches);
    let mut written = reports.iter_mut().try_for_each(|report| report.open(&opening));
    let progress = Progress::new(switches::is_on(matches, "progress"));
    let mut summary = Summary::default();
    let jobs = arguments.jobs.unwrap_or_else(processors).clamp(1, MOST_JOBS);
    pool::scan(scan.engines(), jobs, walk.targets(&arguments.paths), |scanned| {
        progress.advance(&scanned.path);
        let entry = progress.around(|| entry(scanned, arguments, quarantine, messages));
        summary.add(&entry);
        let write = || reports.iter_mut().try_for_each(|report| report.entry(&entry));
        if written.is_ok() {
            written = progress.around(write);
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    summary.took = started.elapsed();
    let close = |()| reports.iter_mut().try_for_each(|report| report.close(&summary));
    match written.and_then(close) {
        Ok(()) => Ok(summary.ending()),
        // A threat that was found is not hidden by a reader that went away.
        Err(_) if summary.ending() >= Ending::Cleaned => Ok(summary.ending()),
        Err(error) => Err(format!("the report cannot be written: {error}")),
    }
}

/// Cleans, and tells what a person has to know.
fn entry(
    scanned: Scanned,
    arguments: &Arguments,
    quarantine: Option<&Quarantine>,
    messages: &mut Messages,
) -> Entry {
    let Scanned { path, verdict, about, problem, notices, .. } = scanned;
    notices.iter().for_each(|notice| messages.say_once(notice));
    if let Some(problem) = &problem {
        messages.say(&format!("{}: {problem}", path.display()));
    }
    let mode = arguments.action.unwrap_or(arguments.clean_mode);
    let cleaning = about.map(|about| mode.apply(&path, &about, &verdict, quarantine));
    let cleaning = cleaning.unwrap_or_default();
    if let Cleaning::Failed(error) = &cleaning {
        messages.say(&format!("{}: {error}", path.display()));
    }
    Entry { path, verdict, cleaning, problem }
}

/// Where infected files are kept, if that is asked for.
fn quarantine(arguments: &Arguments, matches: &ArgMatches) -> Result<Option<Quarantine>, String> {
    if !switches::is_on(matches, "quarantine") {
        return Ok(None);
    }
    let folder = policy::quarantine(arguments.quarantine_dir.as_deref(), None)?;
    Quarantine::open(folder).map(Some).map_err(|error| error.to_string())
}

fn setup(arguments: &Arguments, matches: &ArgMatches) -> Setup {
    let is_on = |name| switches::is_on(matches, name);
    let mut options = Options::default();
    options.heuristics = is_on("heur");
    options.unsafe_applications = is_on("unsafe");
    options.unwanted_applications = is_on("unwanted") || is_on("adware");
    options.skipped_formats = switches::skipped_formats(matches).map(Into::into).collect();
    if arguments.tree || arguments.json {
        options.records = Records::All;
    }
    let limits = &arguments.limits;
    let passwords = arguments.password.clone();
    Setup { limits: limits.limits(), options, seconds: limits.seconds(), passwords }
}

fn walk(arguments: &Arguments, matches: &ArgMatches) -> Walk {
    Walk {
        subdir: switches::is_on(matches, "subdir"),
        follow: switches::is_on(matches, "symlink"),
        exclude: arguments.exclude.iter().map(|pattern| Glob::new(pattern)).collect(),
        extensions: arguments.ext.clone(),
        excluded_extensions: arguments.ext_exclude.clone(),
    }
}

fn reports(arguments: &Arguments, matches: &ArgMatches) -> Result<Vec<Report>, String> {
    let style = match (arguments.json, arguments.tree) {
        (true, _) => Style::Json,
        (_, true) => Style::Tree,
        _ => Style::Text,
    };
    let all = switches::is_on(matches, "log-all");
    let mut reports = Vec::new();
    if switches::is_on(matches, "log-console") {
        let out = BufWriter::new(io::stdout());
        reports.push(Report::new(Box::new(out), style, all || style == Style::Tree));
    }
    if let Some(path) = &arguments.log_file {
        let mut options = OpenOptions::new();
        let rewrite = switches::is_on(matches, "log-rewrite");
        options.create(true).write(true).append(!rewrite).truncate(rewrite);
        let file = options.open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        reports.push(Report::new(Box::new(BufWriter::new(file)), Style::Text, all));
    }
    Ok(reports)
}

/// The arguments, for the report.
fn command_line() -> String {
    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    arguments.collect::<Vec<_>>().join(" ")
}
