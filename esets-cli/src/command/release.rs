//! `esets_quar release`: to a file, to standard output, or on its way to the recipients.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use esets_quarantine::{Id, Note, Quarantine};

use super::print;

#[derive(Args, Debug)]
pub(super) struct Release {
    #[arg(value_name = "ID")]
    id: Id,
    /// A new file for it [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Send it as mail: from its sender to its recipients, as they are in the entry. The queue that
    /// takes it must not be one that comes to the same end again
    #[arg(long, conflicts_with = "output")]
    mail: bool,
    /// Send it to this address instead; may be given several times
    #[arg(long, value_name = "ADDRESS", requires = "mail")]
    recipient: Vec<String>,
    /// Send it from this address instead; empty for the null sender
    #[arg(long, value_name = "ADDRESS", requires = "mail")]
    sender: Option<String>,
    /// The program that takes mail, called as sendmail is
    #[arg(long, value_name = "FILE", requires = "mail", default_value = "/usr/sbin/sendmail")]
    sendmail: PathBuf,
    /// Remove the object from the quarantine once it is released
    #[arg(long)]
    delete: bool,
}

impl Release {
    pub(super) fn run(&self, quarantine: &Quarantine) -> Result<(), String> {
        let content = quarantine.release(&self.id).map_err(|error| error.to_string())?;
        if self.mail {
            let note = quarantine.show(&self.id).map_err(|error| error.to_string())?.note;
            self.send(&note, &content)?;
        } else {
            let written = match &self.output {
                Some(path) => create(path, &content),
                None => print(&content),
            };
            written.map_err(|error| format!("the object cannot be written: {error}"))?;
        }
        if self.delete {
            quarantine.delete(&self.id).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn send(&self, note: &Note, content: &[u8]) -> Result<(), String> {
        let sender = self.sender.as_ref().or(note.sender.as_ref());
        let sender = sender.ok_or("no sender is known; give one with --sender")?;
        let recipients = if self.recipient.is_empty() { &note.recipients } else { &self.recipient };
        if recipients.is_empty() {
            return Err("no recipient is known; give one with --recipient".into());
        }
        let mut command = Command::new(&self.sendmail);
        // Each in one word, so that no address is an option.
        let from = if sender.is_empty() { "-f<>".into() } else { format!("-f{sender}") };
        command.arg("-i").arg(from).arg("--").args(recipients).stdin(Stdio::piped());
        let failed = |error: io::Error| format!("{}: {error}", self.sendmail.display());
        let mut child = command.spawn().map_err(failed)?;
        let fed = child.stdin.take().map(|mut pipe| pipe.write_all(content));
        let status = child.wait().map_err(failed)?;
        if !status.success() {
            return Err(format!("{} did not take it: {status}", self.sendmail.display()));
        }
        fed.unwrap_or(Ok(())).map_err(failed)
    }
}

/// A file of the owner's alone, which must be new: what is written is dangerous. It is on the disk
/// then, so that the entry may be removed.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
