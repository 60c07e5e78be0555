//! Removing infected files, and keeping a copy in the quarantine.

use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use clap::ValueEnum;
use esets_policy::core::{Class, ObjectId, Record, Status, Verdict};
use esets_quarantine::{Note, Quarantine};

/// When an infected file is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CleanMode {
    /// Never
    #[default]
    None,
    /// If the file itself is malware; archives and mail are kept
    #[value(alias = "clean")]
    Standard,
    /// If it or anything in it is malware, unless it is a mailbox
    Strict,
    /// If anything was found in it, unless it is a mailbox
    Rigorous,
    /// If anything was found in it
    Delete,
}

/// What became of an infected file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cleaning {
    /// Nothing was asked for, or nothing was found.
    #[default]
    Untouched,
    /// It is gone.
    Deleted,
    /// A copy is in the quarantine, and the file is still there.
    Quarantined,
    /// It shall be, and is not.
    Failed(String),
}

impl Cleaning {
    /// The field `action="…"`.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::Deleted => "cleaned by deleting",
            Self::Quarantined => "quarantined",
            Self::Failed(_) | Self::Untouched => "",
        }
    }
}

impl CleanMode {
    /// Stores an infected file in the quarantine, if there is one, and deletes it if this mode wants
    /// that; `about` is what was scanned. What cannot be stored is not deleted.
    pub(crate) fn apply(
        self,
        path: &Path,
        about: &Metadata,
        verdict: &Verdict,
        quarantine: Option<&Quarantine>,
    ) -> Cleaning {
        if verdict.status() != Status::Infected {
            return Cleaning::Untouched;
        }
        if let Some(quarantine) = quarantine
            && let Err(error) = store(quarantine, path, about, verdict)
        {
            return Cleaning::Failed(format!("cannot be put into the quarantine: {error}"));
        }
        if !self.deletes(verdict) {
            let is_stored = quarantine.is_some();
            return if is_stored { Cleaning::Quarantined } else { Cleaning::Untouched };
        }
        match esets_sys::remove_same(path, about) {
            Ok(()) => Cleaning::Deleted,
            Err(error) => Cleaning::Failed(format!("cannot be deleted: {error}")),
        }
    }

    fn deletes(self, verdict: &Verdict) -> bool {
        let root = verdict.records().get(ObjectId::ROOT.index());
        let is_mailbox = root.is_some_and(|root| root.formats.iter().any(|name| name == MAILBOX));
        let is_malware = |record: &Record| {
            record.detections.iter().any(|detection| detection.class == Class::Malware)
        };
        match self {
            Self::None => false,
            Self::Standard => root.is_some_and(is_malware) && !is_mailbox,
            Self::Strict => verdict.records().iter().any(is_malware) && !is_mailbox,
            Self::Rigorous => !is_mailbox,
            Self::Delete => true,
        }
    }
}

fn store(
    quarantine: &Quarantine,
    path: &Path,
    about: &Metadata,
    verdict: &Verdict,
) -> Result<(), String> {
    let content = content(path, about).map_err(|error| error.to_string())?;
    let note = Note::new(path.display().to_string(), verdict.clone());
    let note = Note { agent: "scan".into(), ..note };
    let stored = quarantine.put(&content, note, SystemTime::now());
    stored.map(drop).map_err(|error| error.to_string())
}

/// The content of the file that `about` describes.
///
/// # Errors
/// Those of reading, and `InvalidInput` if the name stands for something else by now.
pub(crate) fn content(path: &Path, about: &Metadata) -> io::Result<Vec<u8>> {
    let (file, now) = esets_sys::open_regular(path)?;
    let changed = || io::Error::new(io::ErrorKind::InvalidInput, "it has changed since the scan");
    if (now.dev(), now.ino(), now.len()) != (about.dev(), about.ino(), about.len()) {
        return Err(changed());
    }
    let mut content = Vec::new();
    file.take(now.len().saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 == now.len() { Ok(content) } else { Err(changed()) }
}

/// The format of files that hold many messages.
const MAILBOX: &str = "mbox";
