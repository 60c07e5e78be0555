//! Handle Object Policy: what is done with an object.

use super::{AGENTS, Key, POLICY, row};
use crate::config::key::Kind::{Choice, Integer, Switch, Text};
use crate::config::key::Origin::{Addition, Both, V3, V4};
use crate::config::key::Place;
use crate::config::key::State::Used;

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    row("action_as", POLICY, Choice(FIRST), "accept", Both, Used,
        "What happens to a message before it is looked at for spam: `scan` looks, the others end \
         it here."),
    row("action_as_notscanned", POLICY, Choice(LAST), "accept", Both, Used,
        "What happens to a message that could not be looked at for spam."),
    row("action_as_spam", POLICY, Choice(LAST), "accept", Both, Used,
        "What happens to spam."),
    row("action_av", POLICY, Choice(FIRST), "scan", Both, Used,
        "What happens to an object before it is scanned: `scan` scans it, `accept` lets it pass \
         unscanned, the others end it here."),
    row("action_av_ambiguous", POLICY, Choice(LAST), "accept", Addition, Used,
        "What happens to a message that mail programs may read in different ways; \
         every reading was scanned."),
    row("action_av_deleted", POLICY, Choice(LAST), "discard", Both, Used,
        "What happens to an object whose infected parts were deleted."),
    row("action_av_failed", POLICY, Choice(LAST), "defer", Addition, Used,
        "What happens when the cause of an incomplete scan lies in the scanner: a fault, a \
         cancelled scan, no time or memory left."),
    row("action_av_failed_cancelled", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_failed`, for a cancelled scan only."),
    row("action_av_failed_fault", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_failed`, for a fault of the scanner only."),
    row("action_av_failed_memory", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_failed`, for the limit of memory only."),
    row("action_av_failed_time", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_failed`, for the limit of time only."),
    row("action_av_infected", POLICY, Choice(LAST), "reject", Both, Used,
        "What happens to an infected object that was not cleaned."),
    row("action_av_infected_malware", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_infected`, for malware only."),
    row("action_av_infected_suspicious", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_infected`, for what heuristics find only."),
    row("action_av_infected_unsafe", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_infected`, for potentially unsafe applications only."),
    row("action_av_infected_unwanted", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_infected`, for potentially unwanted applications only."),
    row("action_av_notscanned", POLICY, Choice(LAST), "accept", Both, Used,
        "What happens when the cause of an incomplete scan lies in the object: encrypted, \
         unsupported, corrupt, truncated, beyond a limit."),
    row("action_av_notscanned_corrupt", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_notscanned`, for corrupt objects only."),
    row("action_av_notscanned_encrypted", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_notscanned`, for encrypted objects only."),
    row("action_av_notscanned_limit", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_notscanned`, for the limits of size, depth, count and ratio only."),
    row("action_av_notscanned_truncated", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_notscanned`, for objects that end too early only."),
    row("action_av_notscanned_unsupported", POLICY, Choice(LAST), "", Addition, Used,
        "As `action_av_notscanned`, for formats and methods that cannot be read only."),
    row("as_enabled", POLICY, Switch, "", V3, Used,
        "The switch of the 3.0 edition: `no` skips the search for spam, `yes` makes `scan` the \
         default of `action_as`."),
    row("as_spam_score", POLICY, Integer(1, 100), "90", Addition, Used,
        "The score from which a message is spam."),
    row("av_clean_mode", POLICY, Choice(CLEAN), "none", Both, Used,
        "Which infected parts are deleted from messages, by agents that can: `none` (`no`), \
         `standard` (`yes`) those with malware, `strict` all, `delete` all, \
         and the whole message where it is itself infected."),
    row("av_quarantine_enabled", POLICY, Switch, "no", V4, Used,
        "Whether infected objects are stored in the quarantine."),
    row("av_quarantine_notscanned", POLICY, Switch, "no", Addition, Used,
        "Whether objects that are held back because they could not be scanned are stored in the \
         quarantine."),
    row("parent_id", &[Place::User], Text, "", Both, Used,
        "The section whose keys this section inherits, such as a group [black-list]."),
    row("user_config", AGENTS, Text, "", Both, Used,
        "The special configuration file, relative to the folder of this one."),
];

const FIRST: &[&str] = &["scan", "accept", "defer", "discard", "reject"];
const LAST: &[&str] = &["accept", "defer", "discard", "reject"];
const CLEAN: &[&str] = &["none", "standard", "strict", "delete", "no", "yes"];
