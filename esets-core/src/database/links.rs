//! The section of lists that links of mails are judged by.
//!
//! Number of protected hosts (4), of pairs that are allowed (4), their digests (the first 8 bytes
//! of SHA-256, as sorted numbers), then for each expression whether it allows (1), its length (2)
//! and its bytes, masked by [`VEIL`].

use sha2::{Digest as _, Sha256};

use super::Database;
use super::format::Section;
use super::logical::{block, push_block};
use super::url::Url;
use super::view::{self, Link};
use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::heuristic::Findings;
use crate::matcher::{Exhausted, Steps, VEIL};
use crate::signature::{LinkRule, RegexFlags, Rejection, Target, Targets};
use crate::subject::Subject;
use crate::verdict::{Class, Detection, Limit, Reason};

/// Lists as they are collected.
#[derive(Debug, Default)]
pub(super) struct Lists {
    protected: Vec<u64>,
    allowed: Vec<u64>,
    expressions: Vec<(bool, String)>,
    protecting: usize,
}

impl Lists {
    /// Adds a rule.
    pub(super) fn add(&mut self, rule: &LinkRule<'_>) -> Result<(), Rejection> {
        match rule {
            LinkRule::Protected(host) => self.protected.push(digest(&host.to_lowercase())),
            LinkRule::Allowed(pair) => self.allowed.push(digest(&pair.to_lowercase())),
            LinkRule::AllowedBy(text) => self.expressions.push((true, (*text).to_string())),
            LinkRule::ProtectedBy(text) => {
                if self.protecting >= MOST_PROTECTING {
                    return Err(Rejection::Unsupported("number of expressions for every link"));
                }
                self.protecting = self.protecting.saturating_add(1);
                self.expressions.push((false, (*text).to_string()));
            }
        }
        Ok(())
    }

    /// The section; empty if nothing is protected.
    pub(super) fn build(mut self) -> Vec<u8> {
        if self.protected.is_empty() && self.protecting == 0 {
            return Vec::new();
        }
        let mut section = Vec::new();
        for digests in [&mut self.protected, &mut self.allowed] {
            digests.sort_unstable();
            digests.dedup();
            let count = u32::try_from(digests.len()).unwrap_or(u32::MAX);
            section.extend(count.to_le_bytes());
        }
        let digests = self.protected.iter().chain(&self.allowed);
        section.extend(digests.flat_map(|digest| digest.to_le_bytes()));
        // Those that protect come first: a link that none of them names is read no further.
        self.expressions.sort();
        for (allows, text) in &self.expressions {
            section.push((*allows).into());
            let veiled: Vec<u8> = format!("^(?:{text})$").bytes().map(|byte| byte ^ VEIL).collect();
            push_block(&veiled, &mut section);
        }
        section
    }
}

fn digest(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text).into();
    digest.first_chunk().map_or(0, |start| u64::from_le_bytes(*start))
}

/// Adds to `findings` what the lists say of the links of a page that is part of a mail.
pub(super) fn search(
    database: &Database,
    subject: &Subject<'_>,
    memory: &Lease,
    findings: &mut Findings,
) {
    let section = database.section(Section::Links);
    let is_in_mail = subject.ancestors().next().is_some_and(|parent| {
        parent.formats().iter().any(|format| matches!(format.name, "message" | "mbox"))
    });
    if section.is_empty() || !is_in_mail || !Targets::of(subject).contains(Target::Html) {
        return;
    }
    let bytes = subject.bytes();
    let _memory = match memory.another((bytes.len() as u64).saturating_mul(view::PAGE_FACTOR)) {
        Ok(lease) => lease,
        Err(reason) => return findings.not_scanned(reason),
    };
    let mut judge = Judge { database, section, steps: Steps::for_object(bytes.len()) };
    for link in view::Page::links(bytes) {
        match judge.says(&link) {
            Ok(None) => {}
            Ok(Some(name)) => {
                let name = format!("Heuristics.Phishing.Email.{name}");
                findings.add(Detection::signature(name, Class::Suspicious));
            }
            Err(Exhausted) => {
                return findings.not_scanned(Reason::Limit(Limit::Comparisons));
            }
        }
    }
}

/// Two tables of digests, and what follows them.
type Tables<'d> = ([&'d [[u8; 8]]; 2], Cursor<'d>);

struct Judge<'d> {
    database: &'d Database,
    section: &'d [u8],
    steps: Steps,
}

impl<'d> Judge<'d> {
    /// What is wrong with a link.
    fn says(&mut self, link: &Link) -> Result<Option<&'static str>, Exhausted> {
        let (Some(real), Some(shown)) = (Url::of_target(&link.target), Url::of_shown(&link.shown))
        else {
            return Ok(None);
        };
        if real.domain() == shown.domain() && !real.has_null {
            return Ok(None);
        }
        let pair = format!("{}:{}", real.in_words(), shown.in_words());
        let is_protected = self.is_protected(&shown.host);
        if !(is_protected || self.is_matched(false, &pair)?)
            || self.is_listed(1, &format!("{}:{}", real.host, shown.host))
            || self.is_matched(true, &pair)?
        {
            return Ok(None);
        }
        Ok(Some(match (real.has_null, shown.scheme, real.scheme) {
            // As ClamAV names what an expression protects.
            _ if !is_protected => "SpoofedDomain",
            (true, _, _) => "Cloaked.Null",
            (false, "https", "http" | "ftp") => "SSL-Spoof",
            _ => "SpoofedDomain",
        }))
    }

    /// Whether a host or one that it is under is protected.
    fn is_protected(&self, host: &str) -> bool {
        let suffixes =
            host.match_indices('.').filter_map(|(dot, _)| host.get(dot.checked_add(1)?..));
        std::iter::once(host).chain(suffixes).any(|host| self.is_listed(0, host))
    }

    /// Both tables of digests, and what follows them.
    fn tables(&self) -> Option<Tables<'d>> {
        let mut cursor = Cursor::new(self.section);
        let counts = [cursor.u32_le().ok()?, cursor.u32_le().ok()?];
        let mut table = |count: u32| {
            let rows = cursor.take(usize::try_from(count).ok()?.checked_mul(8)?).ok()?;
            Some(rows.as_chunks::<8>().0)
        };
        let [protected, allowed] = counts;
        Some(([table(protected)?, table(allowed)?], cursor))
    }

    fn is_listed(&self, table: usize, text: &str) -> bool {
        let wanted = digest(text);
        self.tables().is_some_and(|(tables, _)| {
            let rows = tables.get(table).copied().unwrap_or_default();
            rows.binary_search_by_key(&wanted, |row| u64::from_le_bytes(*row)).is_ok()
        })
    }

    /// Whether an expression that allows, or one that does not, matches.
    fn is_matched(&mut self, wanted: bool, pair: &str) -> Result<bool, Exhausted> {
        let Some((_, mut cursor)) = self.tables() else { return Ok(false) };
        while let Ok(allows) = cursor.u8() {
            let place = u32::try_from(cursor.position()).unwrap_or(u32::MAX);
            let Ok(pattern) = block(&mut cursor) else { return Ok(false) };
            if allows != 0 && !wanted {
                return Ok(false);
            }
            if (allows != 0) != wanted {
                continue;
            }
            let regex = self.database.link_regexes.get(place, pattern, RegexFlags::of_name(false));
            let Some(regex) = regex else { continue };
            self.steps.take(pair.len())?;
            if regex.find(pair.as_bytes(), 0, true, &mut self.steps)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// So many expressions may have to be asked for every link.
const MOST_PROTECTING: usize = 64;
