//! The section of lists that links of mails are judged by.
//!
//! For each [`Table`] the number of its digests (4), then these tables (SHA-256, sorted), then for
//! each expression whether it allows (1), its length (2) and its bytes, masked by [`VEIL`].

use sha2::{Digest as _, Sha256};

use super::Database;
use super::format::Section;
use super::logical::{block, push_block};
use super::url::{self, Url};
use super::view::{self, Link};
use crate::budget::Lease;
use crate::cursor::Cursor;
use crate::heuristic::Findings;
use crate::matcher::{Exhausted, Steps, VEIL};
use crate::signature::{LinkRule, RegexFlags, Rejection, Target, Targets, Threat};
use crate::subject::Subject;
use crate::verdict::{Class, Detection, Limit, Reason};

/// A table of digests.
#[derive(Clone, Copy, Debug)]
enum Table {
    /// Hosts that are protected.
    Protected,
    /// Pairs of hosts that may differ.
    Pairs,
    /// Addresses that are known to be bad, by [`Threat`].
    Malware,
    Blocked,
    Phishing,
    /// Addresses that are not, whatever else is said of them.
    Good,
}

/// How many tables there are.
const TABLES: usize = 6;

type Sha256Digest = [u8; 32];

/// Lists as they are collected.
#[derive(Debug, Default)]
pub(super) struct Lists {
    tables: [Vec<Sha256Digest>; TABLES],
    expressions: Vec<(bool, String)>,
    protecting: usize,
}

impl Lists {
    /// Adds a rule.
    pub(super) fn add(&mut self, rule: &LinkRule<'_>) -> Result<(), Rejection> {
        match rule {
            LinkRule::Protected(host) => self.push(Table::Protected, digest(&host.to_lowercase())),
            LinkRule::Allowed(pair) => self.push(Table::Pairs, digest(&pair.to_lowercase())),
            LinkRule::AllowedBy(text) => self.expressions.push((true, (*text).to_string())),
            LinkRule::ProtectedBy(text) => {
                if self.protecting >= MOST_PROTECTING {
                    return Err(Rejection::Unsupported("number of expressions for every link"));
                }
                self.protecting = self.protecting.saturating_add(1);
                self.expressions.push((false, (*text).to_string()));
            }
            LinkRule::Bad(Threat::Malware, digest) => self.push(Table::Malware, *digest),
            LinkRule::Bad(Threat::Blocked, digest) => self.push(Table::Blocked, *digest),
            LinkRule::Bad(Threat::Phishing, digest) => self.push(Table::Phishing, *digest),
            LinkRule::Good(digest) => self.push(Table::Good, *digest),
        }
        Ok(())
    }

    fn push(&mut self, table: Table, digest: Sha256Digest) {
        if let Some(table) = self.tables.get_mut(table as usize) {
            table.push(digest);
        }
    }

    /// The section; empty if there is nothing to find.
    pub(super) fn build(mut self) -> Vec<u8> {
        let mut section = Vec::new();
        for digests in &mut self.tables {
            digests.sort_unstable();
            digests.dedup();
            let count = u32::try_from(digests.len()).unwrap_or(u32::MAX);
            section.extend(count.to_le_bytes());
        }
        section.extend(self.tables.iter().flatten().flatten());
        // Those that protect come first: a link that none of them names is read no further.
        self.expressions.sort();
        for (allows, text) in &self.expressions {
            section.push((*allows).into());
            let veiled: Vec<u8> = format!("^(?:{text})$").bytes().map(|byte| byte ^ VEIL).collect();
            push_block(&veiled, &mut section);
        }
        if section.iter().all(|byte| *byte == 0) { Vec::new() } else { section }
    }
}

fn digest(text: &str) -> Sha256Digest {
    Sha256::digest(text).into()
}

/// Adds to `findings` what the lists say of the links in a part of a mail.
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
    if section.is_empty() || !is_in_mail {
        return;
    }
    let targets = Targets::of(subject);
    let bytes = subject.bytes();
    let mut judge = Judge { database, section, steps: Steps::for_object(bytes.len()) };
    let judged = if targets.contains(Target::Html) {
        let memory = memory.another((bytes.len() as u64).saturating_mul(view::PAGE_FACTOR));
        match memory {
            Ok(_memory) => judge.page(bytes, findings),
            Err(reason) => return findings.not_scanned(reason),
        }
    } else if targets.contains(Target::Text) {
        judge.addresses(bytes, findings)
    } else {
        Ok(())
    };
    if judged.is_err() {
        findings.not_scanned(Reason::Limit(Limit::Comparisons));
    }
}

/// The tables of digests, and what follows them.
type Tables<'d> = ([&'d [Sha256Digest]; TABLES], Cursor<'d>);

struct Judge<'d> {
    database: &'d Database,
    section: &'d [u8],
    steps: Steps,
}

impl<'d> Judge<'d> {
    fn page(&mut self, page: &[u8], findings: &mut Findings) -> Result<(), Exhausted> {
        for link in view::Page::links(page) {
            let spoof = self.says(&link)?.map(|name| format!("Heuristics.Phishing.Email.{name}"));
            let listed = self.lists(&link.target)?.map(str::to_string);
            for name in [spoof, listed].into_iter().flatten() {
                findings.add(Detection::signature(name, Class::Suspicious));
            }
        }
        self.addresses(page, findings)
    }

    /// Looks at the addresses that stand in a text.
    fn addresses(&mut self, text: &[u8], findings: &mut Findings) -> Result<(), Exhausted> {
        if !self.has_addresses() {
            return Ok(());
        }
        for address in url::addresses(text) {
            if let Some(name) = self.lists(address)? {
                findings.add(Detection::signature(name, Class::Suspicious));
            }
        }
        Ok(())
    }

    fn has_addresses(&self) -> bool {
        let bad = [Table::Malware, Table::Blocked, Table::Phishing];
        self.tables().is_some_and(|(tables, _)| {
            bad.iter().any(|table| tables.get(*table as usize).is_some_and(|rows| !rows.is_empty()))
        })
    }

    /// What an address is listed for.
    fn lists(&mut self, target: &[u8]) -> Result<Option<&'static str>, Exhausted> {
        let url = if self.has_addresses() { Url::of_target(target) } else { None };
        let Some(url) = url else { return Ok(None) };
        let mut found = None;
        for spelling in url.spellings() {
            self.steps.take(spelling.len())?;
            let digest = digest(&spelling);
            if self.is_listed(Table::Good, &digest) {
                return Ok(None);
            }
            let listed = NAMES.iter().find(|(table, _)| self.is_listed(*table, &digest));
            found = found.or(listed.map(|(_, name)| *name));
        }
        Ok(found)
    }

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
            || self.is_listed(Table::Pairs, &digest(&format!("{}:{}", real.host, shown.host)))
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
        std::iter::once(host)
            .chain(suffixes)
            .any(|host| self.is_listed(Table::Protected, &digest(host)))
    }

    fn tables(&self) -> Option<Tables<'d>> {
        let mut cursor = Cursor::new(self.section);
        let mut counts = [0; TABLES];
        for count in &mut counts {
            *count = usize::try_from(cursor.u32_le().ok()?).ok()?;
        }
        let mut tables: [&[Sha256Digest]; TABLES] = [&[]; TABLES];
        for (table, count) in tables.iter_mut().zip(counts) {
            *table = cursor.take(count.checked_mul(32)?).ok()?.as_chunks::<32>().0;
        }
        Some((tables, cursor))
    }

    fn is_listed(&self, table: Table, digest: &Sha256Digest) -> bool {
        self.tables().is_some_and(|(tables, _)| {
            tables.get(table as usize).is_some_and(|rows| rows.binary_search(digest).is_ok())
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

/// What an address of a table is called, the worst first.
static NAMES: &[(Table, &str)] = &[
    (Table::Malware, "Heuristics.Safebrowsing.Suspected-malware_safebrowsing.clamav.net"),
    (Table::Phishing, "Heuristics.Safebrowsing.Suspected-phishing_safebrowsing.clamav.net"),
    (Table::Blocked, "Heuristics.Phishing.URL.Blocked"),
];

/// So many expressions may have to be asked for every link.
const MOST_PROTECTING: usize = 64;
