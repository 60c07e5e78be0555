//! Removing infected files.

use std::fs::Metadata;
use std::path::Path;

use clap::ValueEnum;
use esets_policy::core::{Class, ObjectId, Record, Status, Verdict};

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
    /// It shall be, and is not.
    Failed(String),
}

impl Cleaning {
    /// The field `action="…"`.
    pub(crate) fn action(&self) -> &'static str {
        if *self == Self::Deleted { "cleaned by deleting" } else { "" }
    }
}

impl CleanMode {
    /// Deletes the file if this mode wants that; `about` is what was scanned.
    pub(crate) fn apply(self, path: &Path, about: &Metadata, verdict: &Verdict) -> Cleaning {
        if verdict.status() != Status::Infected || !self.deletes(verdict) {
            return Cleaning::Untouched;
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

/// The format of files that hold many messages.
const MAILBOX: &str = "mbox";
