//! What is added to messages that pass.

use super::{AGENTS, Key, POLICY, row};
use crate::config::key::Kind::{Choice, Switch, Text};
use crate::config::key::Origin::{Addition, V2, V4};
use crate::config::key::State::{Accepted, Used};

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    row("as_eml_header_modification", POLICY, Switch, "no", V4, Used,
        "Whether a header with the result of the search for spam is added."),
    row("as_eml_header_template", POLICY, Text, "X-Esets-Antispam: %SPAMRESULT%", Addition, Used,
        "The header with the result of the search for spam."),
    row("as_eml_subject_prefix", POLICY, Text, "", Addition, Used,
        "Put before the subject of spam that passes."),
    row("av_eml_footnote_modification", POLICY, Choice(FOOTNOTE), "no", Addition, Used,
        "Which messages get a footnote: none, those that are not clean, or all."),
    row("av_eml_footnote_template", POLICY, Text,
        "The message was checked by ESETS: %RESULT%.", Addition, Used,
        "The footnote."),
    row("av_eml_header_modification", POLICY, Switch, "yes", Addition, Used,
        "Whether a header with the result of the scan is added."),
    row("av_eml_header_template", POLICY, Text,
        "X-Esets-Result: %RESULT%", Addition, Used,
        "The header with the result of the scan."),
    row("av_eml_part_template", POLICY, Text,
        "The attachment %FILENAME% was removed by ESETS: %VIRUSNAME%.", Addition, Used,
        "What stands in the place of an infected part that was taken out."),
    row("av_eml_scanner_template", POLICY, Text,
        "X-Virus-Scanner: This message was checked by ESETS", Addition, Used,
        "The header that says that there was a scan; empty for none. \
         `av_eml_header_modification` switches it too."),
    row("av_eml_subject_prefix", POLICY, Text, "", Addition, Used,
        "Put before the subject of messages that pass though they are infected or not scanned."),
    row("write_to_emails", AGENTS, Text, "", V2, Accepted,
        "The ancestor of the header and footnote keys."),
];

const FOOTNOTE: &[&str] = &["no", "notclean", "yes"];
