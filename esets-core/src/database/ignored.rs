//! The names that ignore lists leave out; nothing of them is stored.

use std::collections::HashMap;

use md5::{Digest as _, Md5};

/// Names that are left out, and the line that signatures come from.
#[derive(Debug, Default)]
pub(super) struct IgnoredNames {
    /// For each name the digests of the lines that are meant; `None` is every line.
    names: HashMap<String, Option<Vec<[u8; 16]>>>,
    /// Whether a line has to be remembered.
    by_line: bool,
    line: String,
}

impl IgnoredNames {
    pub(super) fn add(&mut self, name: &str, line: Option<[u8; 16]>) {
        self.by_line |= line.is_some();
        let known = self.names.entry(name.to_owned()).or_insert_with(|| Some(Vec::new()));
        match (line, known) {
            (Some(digest), Some(digests)) => digests.push(digest),
            (Some(_), None) => {}
            (None, known) => *known = None,
        }
    }

    pub(super) fn begin_line(&mut self, line: &str) {
        if self.by_line {
            line.clone_into(&mut self.line);
        }
    }

    /// Whether a signature of this name on the current line is left out.
    pub(super) fn covers(&self, name: &str) -> bool {
        match self.names.get(name) {
            None => false,
            Some(None) => true,
            Some(Some(digests)) => {
                let digest: [u8; 16] = Md5::digest(&self.line).into();
                digests.contains(&digest)
            }
        }
    }
}
