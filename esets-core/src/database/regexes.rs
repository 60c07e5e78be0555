//! Regular expressions, compiled when they are first needed and shared by all scans.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::matcher::{Regex, VEIL};
use crate::signature::RegexFlags;

/// Compiled expressions by their place in the database; `None` is one that no engine takes.
///
/// Threads that scan with the same expressions only read; what one compiles, all of them have.
#[derive(Clone, Default)]
pub(super) struct Regexes(Arc<RwLock<HashMap<u32, Option<Arc<Regex>>>>>);

impl Regexes {
    /// The expression at a place.
    pub(super) fn get(&self, place: u32, veiled: &[u8], flags: RegexFlags) -> Option<Arc<Regex>> {
        if let Some(regex) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return regex.clone();
        }
        // Compiled outside the lock: it may take long, and others need not wait for it.
        let pattern = veiled.iter().map(|byte| byte ^ VEIL).collect();
        let regex = String::from_utf8(pattern).ok().and_then(|text| Regex::new(&text, flags));
        let regex = regex.map(Arc::new);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(place, regex.clone());
        regex
    }
}

impl fmt::Debug for Regexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Regexes")
    }
}

/// So many are kept: each may take a megabyte.
const MOST: usize = 64;
