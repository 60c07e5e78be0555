//! Objects that go into the quarantine.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use esets_client::Ask;
use esets_policy::Outcome;
use esets_quarantine::{Note, Quarantine};

use super::Content;
use crate::worker::Payload;

/// Stores an object in the quarantine.
pub(super) fn store(
    folder: PathBuf,
    ask: &Ask,
    content: &Content,
    outcome: Outcome,
) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("an object is not in quarantine: {error}");
    let fate = outcome.dispositions.iter().find(|fate| fate.quarantine);
    let name = String::from_utf8_lossy(&ask.name).into_owned();
    let mut note = Note::new(name, outcome.verdict.clone().unwrap_or_default());
    note.agent.clone_from(&ask.envelope.agent);
    note.sender.clone_from(&ask.envelope.sender);
    note.recipients.clone_from(&ask.envelope.recipients);
    note.rule = fate.map(|fate| fate.rule.to_string()).unwrap_or_default();
    let bytes = match content {
        Content::Known { payload: Payload::Bytes(bytes), .. } => bytes.clone(),
        Content::Known { payload: Payload::File(file), .. } | Content::File(file) => {
            Bytes::from(read(file).map_err(|error| failed(&error))?)
        }
    };
    let quarantine = Quarantine::open(folder).map_err(|error| failed(&error))?;
    quarantine.put(&bytes, note, SystemTime::now()).map_err(|error| failed(&error))?;
    Ok(())
}

fn read(file: &File) -> io::Result<Vec<u8>> {
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(io::Error::other)?;
    bytes.resize(size, 0);
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
