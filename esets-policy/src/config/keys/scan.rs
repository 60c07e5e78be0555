//! What the scanner looks for, how far it goes, and what it watches.

use super::{AGENTS, Key, POLICY, row};
use crate::config::key::Kind::{Integer, Size, Switch, Text};
use crate::config::key::Origin::{Addition, Both, V3, V4};
use crate::config::key::Place::{self, Section};
use crate::config::key::State::{Accepted, Used};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    row("av_exclude", AGENTS, Text, "", V4, Accepted,
        "Path patterns that are not scanned, separated by `::`."),
    row("av_limit_depth", AGENTS, Integer(1, 64), "", Addition, Used,
        "How many containers may lie in each other."),
    row("av_limit_memory", AGENTS, Size, "", Addition, Used,
        "Working memory of one scan."),
    row("av_limit_object_size", AGENTS, Size, "", Addition, Used,
        "The longest object that is read to its end."),
    row("av_limit_objects", AGENTS, Integer(1, 4_294_967_295), "", Addition, Used,
        "How many objects one scan looks at."),
    row("av_limit_ratio", AGENTS, Integer(1, 4_294_967_295), "", Addition, Used,
        "How many times larger than its packed form an object may be."),
    row("av_limit_scan_size", AGENTS, Size, "", Addition, Used,
        "How many bytes one scan looks at."),
    row("av_limit_time", AGENTS, Integer(1, 86_400), "120", Addition, Used,
        "Seconds that one scan may take."),
    row("av_scan_adv_heur", POLICY, Switch, "yes", V4, Used,
        "Whether heuristics are asked."),
    row("av_scan_app_unsafe", POLICY, Switch, "no", V4, Used,
        "Whether potentially unsafe applications count as infected."),
    row("av_scan_app_unwanted", POLICY, Switch, "no", V4, Used,
        "Whether potentially unwanted applications count as infected."),
    row("ctl_excl", ON_ACCESS, Text, "", Both, Accepted,
        "Folders that are not watched."),
    row("ctl_incl", ON_ACCESS, Text, "", Both, Accepted,
        "Folders that are watched."),
    row("event_mask", ON_ACCESS, Text, "open", Both, Accepted,
        "Events that are watched: words such as `open`, or the bit mask of old files."),
    row("lo_timeout", HTTP, Integer(0, 86_400), "", V3, Accepted,
        "Seconds after which a long download is passed on while it is scanned."),
    row("transfer_delay", HTTP, Integer(0, 86_400), "", V4, Accepted,
        "The name of `lo_timeout` since 4.0."),
];

const HTTP: &[Place] = &[Section("http"), Section("icap"), Section("ftp")];
const ON_ACCESS: &[Place] = &[Section("dac"), Section("fac"), Section("pac")];
