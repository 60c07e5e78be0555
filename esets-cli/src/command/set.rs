//! `esets_set`: changes values of a configuration and nothing else in it.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};

use clap::{ArgMatches, Args, Command as Definition, FromArgMatches};
use esets_policy::config::{FileKind, edit};

use super::Command;
use crate::exit::Managed;
use crate::messages::Messages;
use crate::policy;

pub(crate) static COMMAND: Command =
    Command { name: "set", program: Some("esets_set"), define, run };

#[derive(Args, Debug)]
struct Arguments {
    /// A key and its value; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The section
    #[arg(long, value_name = "NAME", default_value = "global")]
    section: String,
    /// The file to change; it is made if it is missing
    #[arg(long, value_name = "FILE", default_value = policy::default_file())]
    file: PathBuf,
    /// The file is a special configuration file: its sections are users, addresses and groups
    #[arg(long)]
    users: bool,
    /// The same as --set
    #[arg(value_name = "KEY=VALUE", required_unless_present = "set")]
    assignments: Vec<String>,
}

fn define() -> Definition {
    Arguments::augment_args(Definition::new("set"))
        .about("Change values of the configuration; comments and order stay")
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut messages = Messages::new("esets_set");
    let arguments = Arguments::from_arg_matches(matches).map_err(|error| error.to_string());
    match arguments.and_then(|arguments| set(&arguments, &mut messages)) {
        Ok(ending) => ending,
        Err(error) => {
            messages.say(&error);
            Managed::Failed
        }
    }
    .into()
}

/// All assignments or none.
fn set(arguments: &Arguments, messages: &mut Messages) -> Result<Managed, String> {
    let file = &arguments.file;
    let failed = |error: io::Error| format!("{}: {error}", file.display());
    // The file that a link leads to is changed, and the link stays.
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.clone());
    let (mut bytes, about) = match fs::metadata(&target) {
        Ok(about) => (policy::read_file(&target).map_err(failed)?, Some(about)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), None),
        Err(error) => return Err(failed(error)),
    };
    let kind = if arguments.users { FileKind::Users } else { FileKind::Main };
    for assignment in arguments.set.iter().chain(&arguments.assignments) {
        let Some((key, value)) = assignment.split_once('=') else {
            return Err(format!("{assignment}: KEY=VALUE is expected"));
        };
        match edit::set(&bytes, kind, &arguments.section, key.trim(), unquoted(value)) {
            Ok(edited) => bytes = edited,
            Err(mistake) => {
                messages.say(&mistake.to_string());
                return Ok(Managed::Mistakes);
            }
        }
    }
    replace(&target, &bytes, about.as_ref()).map_err(failed)?;
    Ok(Managed::Done)
}

/// Writes the new file beside the old one and renames it: who reads meets one of them, whole.
fn replace(path: &Path, bytes: &[u8], old: Option<&Metadata>) -> io::Result<()> {
    let draft = path.with_added_extension(format!("{}.new", process::id()));
    let mode = old.map_or(NEW_MODE, |old| old.mode() & 0o7777);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = (|| {
        file.write_all(bytes)?;
        if let Some(old) = old {
            // Only root may give a file away; the file of somebody else stays theirs or as it was.
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&draft, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// The value without the quotes that the file has around texts.
fn unquoted(value: &str) -> &str {
    let value = value.trim();
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

const NEW_MODE: u32 = 0o644;
