//! `esets_quar`: what is in the quarantine, and what becomes of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{ArgMatches, Args, Command as Definition, FromArgMatches, Parser, Subcommand};
use esets_policy::core::{Limits, Options};
use esets_quarantine::{Entry, Id, Note, Purge, Quarantine};

use super::arguments::{DatabaseArguments, size};
use super::release::Release;
use super::{Command, print};
use crate::clean::content;
use crate::exit::Managed;
use crate::messages::Messages;
use crate::print::quoted;
use crate::signatures::Signatures;
use crate::worker::{Scan, Setup};
use crate::{date, policy, pool};

pub(crate) static COMMAND: Command =
    Command { name: "quarantine", program: Some("esets_quar"), define, run };

#[derive(Parser, Debug)]
struct Arguments {
    /// The folder of the quarantine [default: as the configuration says]
    #[arg(long, value_name = "DIR", global = true)]
    folder: Option<PathBuf>,
    #[arg(long, help = policy::help(), value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Remove objects, damaged or not
    Delete {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<Id>,
    },
    /// List what is there, the oldest first
    List,
    /// Remove the old, then the oldest until the rest is small enough
    Purge {
        /// Days after which an object is old
        #[arg(long, value_name = "DAYS", required_unless_present = "max_size")]
        older_than: Option<u64>,
        /// Bytes that may stay; k, M and G are understood
        #[arg(long, value_name = "SIZE", value_parser = size)]
        max_size: Option<u64>,
    },
    /// Scan files and store them
    Put(Put),
    /// Give back the content of an object, which stays
    Release(Release),
    /// Say what is known of an object
    Show {
        #[arg(value_name = "ID")]
        id: Id,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
struct Put {
    /// Remove each file once it is stored
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn define() -> Definition {
    Arguments::augment_args(Definition::new("quarantine"))
        .about("List, show, release and remove what is in the quarantine")
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets_quar");
    let arguments = Arguments::from_arg_matches(matches).map_err(|error| error.to_string());
    let done = arguments.and_then(|arguments| {
        let folder = policy::quarantine(arguments.folder.as_deref(), arguments.config.as_deref())?;
        let quarantine = Quarantine::open(folder).map_err(|error| error.to_string())?;
        act(&quarantine, &arguments.action, &mut messages)
    });
    match done {
        Ok(ending) => ending,
        Err(error) => {
            messages.say(&error);
            Managed::Failed
        }
    }
    .into()
}

fn act(
    quarantine: &Quarantine,
    action: &Action,
    messages: &mut Messages,
) -> Result<Managed, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    match action {
        Action::Delete { ids } => {
            let deleted = ids.iter().map(|id| quarantine.delete(id).map_err(|e| failed(&e)));
            Ok(all(deleted, messages))
        }
        Action::List => list(quarantine, messages),
        Action::Purge { older_than, max_size } => {
            let age = older_than.map(|days| Duration::from_secs(days.saturating_mul(DAY)));
            let purge = Purge { age, size: *max_size };
            let purged = quarantine.purge(purge, SystemTime::now()).map_err(|e| failed(&e))?;
            let removed: String = purged.removed.iter().map(|id| format!("{id}\n")).collect();
            print(removed.as_bytes()).map_err(|error| error.to_string())?;
            Ok(all(purged.errors.iter().map(|error| Err(failed(error))), messages))
        }
        Action::Put(put) => store(quarantine, put, messages),
        Action::Release(release) => release.run(quarantine).map(|()| Managed::Done),
        Action::Show { id, json } => {
            let entry = quarantine.show(id).map_err(|error| failed(&error))?;
            let text = if *json {
                serde_json::to_string(&entry).map_err(|error| failed(&error))? + "\n"
            } else {
                shown(id, &entry)
            };
            print(text.as_bytes()).map_err(|error| failed(&error))?;
            Ok(Managed::Done)
        }
    }
}

fn all(results: impl Iterator<Item = Result<(), String>>, messages: &mut Messages) -> Managed {
    let mut ending = Managed::Done;
    for error in results.filter_map(Result::err) {
        messages.say(&error);
        ending = Managed::Mistakes;
    }
    ending
}

/// One line for each entry; a damaged one is told and costs only its line.
fn list(quarantine: &Quarantine, messages: &mut Messages) -> Result<Managed, String> {
    let mut lines = String::new();
    let mut damaged = Vec::new();
    for id in quarantine.ids().map_err(|error| error.to_string())? {
        match quarantine.show(&id) {
            Ok(entry) => {
                let (size, name) = (entry.size, quoted(entry.note.name.as_bytes()));
                let threat = quoted(threat(&entry).as_bytes());
                let _ = writeln!(
                    lines,
                    "{id} date=\"{}\" size={size} name=\"{name}\" threat=\"{threat}\"",
                    date::long(entry.time())
                );
            }
            Err(error) => damaged.push(Err(error.to_string())),
        }
    }
    print(lines.as_bytes()).map_err(|error| error.to_string())?;
    Ok(all(damaged.into_iter(), messages))
}

fn threat(entry: &Entry) -> String {
    let first = entry.note.verdict.threats().next();
    first.map(|(_, threat)| threat.name.clone()).unwrap_or_default()
}

fn shown(id: &Id, entry: &Entry) -> String {
    let Entry { digest, note, size, .. } = entry;
    let fields = [
        ("date", date::long(entry.time())),
        ("name", note.name.clone()),
        ("agent", note.agent.clone()),
        ("sender", note.sender.clone().unwrap_or_default()),
        ("recipients", note.recipients.join(", ")),
        ("rule", note.rule.clone()),
        ("size", size.to_string()),
        ("sha256", digest.clone()),
    ];
    let mut text = format!("id: {id}\n");
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "{name}: {}", quoted(value.as_bytes()));
    }
    let _ = write!(text, "{}", note.verdict);
    text
}

/// Scans each file and stores it with its verdict.
fn store(quarantine: &Quarantine, put: &Put, messages: &mut Messages) -> Result<Managed, String> {
    let signatures = Signatures::load(&put.database, None, messages)?;
    let setup = Setup {
        limits: Limits::default(),
        options: Options::default(),
        seconds: Some(SECONDS),
        passwords: Vec::new(),
    };
    let scan = signatures.scan(setup);
    let mut results = Vec::new();
    for file in &put.files {
        match store_one(quarantine, &scan, file, put.remove) {
            Ok(id) => print(format!("{id}\n").as_bytes()).map_err(|error| error.to_string())?,
            Err(error) => results.push(Err(format!("{}: {error}", file.display()))),
        }
    }
    Ok(all(results.into_iter(), messages))
}

fn store_one(
    quarantine: &Quarantine,
    scan: &Scan<'_>,
    file: &Path,
    remove: bool,
) -> Result<Id, String> {
    let scanned = pool::scan_one(scan, file)?;
    let about = scanned.about.ok_or("it was not opened")?;
    let content = content(file, &about).map_err(|error| error.to_string())?;
    let note = Note::new(file.display().to_string(), scanned.verdict);
    let id = quarantine.put(&content, note, SystemTime::now()).map_err(|e| e.to_string())?;
    if remove {
        esets_sys::remove_same(file, &about).map_err(|error| error.to_string())?;
    }
    Ok(id)
}

const DAY: u64 = 86_400;
/// How long one scan may take.
const SECONDS: u64 = 120;
