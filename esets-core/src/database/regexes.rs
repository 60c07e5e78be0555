//! Regular expressions, compiled when they are first needed and shared by all scans.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::matcher::{Regex, VEIL};
use crate::signature::RegexFlags;

/// Compiled expressions by their place in the database; `None` is one that no engine takes.
#[derive(Clone, Default)]
pub(super) struct Regexes(Arc<Mutex<HashMap<u32, Option<Arc<Regex>>>>>);

impl Regexes {
    /// The expression at a place.
    pub(super) fn get(&self, place: u32, veiled: &[u8], flags: RegexFlags) -> Option<Arc<Regex>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = known.get(&place) {
            return regex.clone();
        }
        let pattern = veiled.iter().map(|byte| byte ^ VEIL).collect();
        let regex = String::from_utf8(pattern).ok().and_then(|text| Regex::new(&text, flags));
        let regex = regex.map(Arc::new);
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
