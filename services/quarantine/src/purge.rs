//! Makes room: by age, then by total size, the oldest entries first.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::entry::Id;
use crate::error::QuarantineError;
use crate::store::{DRAFT, Quarantine};

/// How long and how much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purge {
    /// Entries older than this go.
    pub age: Option<Duration>,
    /// The oldest entries go until the files take no more bytes than this.
    pub size: Option<u64>,
}

/// What a purge did.
#[derive(Debug, Default)]
pub struct Purged {
    /// The entries that went.
    pub removed: Vec<Id>,
    /// The entries that should have gone and did not.
    pub errors: Vec<QuarantineError>,
}

impl Quarantine {
    /// Removes what is older than `purge` allows at the time `now`, then what is too much.
    /// Entries whose age cannot be read from their id count as the oldest.
    ///
    /// # Errors
    /// The folder cannot be read; trouble with single entries is in the result.
    pub fn purge(&self, purge: Purge, now: SystemTime) -> Result<Purged, QuarantineError> {
        self.remove_stale_drafts(now);
        let entries: Vec<_> = self.ids()?.into_iter().map(|id| (self.size_of(&id), id)).collect();
        let mut total: u64 = entries.iter().map(|(size, _)| size).sum();
        let mut purged = Purged::default();
        for (size, id) in entries {
            let is_old = purge.age.is_some_and(|age| is_older(&id, age, now));
            let is_too_much = purge.size.is_some_and(|limit| total > limit);
            if !is_old && !is_too_much {
                continue;
            }
            match self.delete(&id) {
                Ok(()) => {
                    total = total.saturating_sub(size);
                    purged.removed.push(id);
                }
                Err(error) => purged.errors.push(error),
            }
        }
        Ok(purged)
    }

    fn size_of(&self, id: &Id) -> u64 {
        fs::metadata(self.path(id)).map_or(0, |metadata| metadata.len())
    }

    /// Removes what a crash left of entries that were being written a day ago or earlier.
    fn remove_stale_drafts(&self, now: SystemTime) {
        for item in fs::read_dir(self.folder()).into_iter().flatten().flatten() {
            let is_draft = item.path().to_string_lossy().ends_with(DRAFT);
            let modified = item.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
            if is_draft && age.is_some_and(|age| age > DAY) {
                let _ = fs::remove_file(item.path());
            }
        }
    }
}

fn is_older(id: &Id, age: Duration, now: SystemTime) -> bool {
    let seconds = id.as_str().split('-').next().and_then(|seconds| seconds.parse().ok());
    let put = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.unwrap_or(0)));
    let since = put.and_then(|put| now.duration_since(put).ok());
    since.is_some_and(|since| since > age)
}

const DAY: Duration = Duration::from_secs(86_400);
