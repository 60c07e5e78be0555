//! The on-off options of `esets_scan`: each row is `--name` and `--no-name`, and the last counts.

use clap::{Arg, ArgAction, ArgMatches, Command as Definition};

/// One on-off option.
struct Switch {
    name: &'static str,
    /// Whether it is on if nobody says.
    default: bool,
    /// What it does when it is not as by default; an empty text hides an option that is only
    /// accepted, for callers that know it from elsewhere.
    about: &'static str,
    /// Formats that are not opened when it is off.
    formats: &'static [&'static str],
}

#[rustfmt::skip]
static SWITCHES: &[Switch] = &[
    on("adv-heur", "", &[]),
    off("adware", "The same as --unwanted"),
    off("aind", ""),
    on("arch", "Do not open archives; they are reported as not scanned", ARCHIVES),
    off("auto", ""),
    on("files", "", &[]),
    on("heur", "Do without heuristics", &[]),
    off("log-all", "Print clean files too"),
    on("log-console", "Print the report only to --log-file", &[]),
    off("log-rewrite", "Empty the --log-file first"),
    on("mail", "Do not open messages; they are reported as not scanned", &["message", "tnef"]),
    on("mailbox", "Do not open mailboxes; they are reported as not scanned", &["mbox"]),
    on("pattern", "", &[]),
    off("preserve-time", ""),
    on("progress", "Show no progress bar", &[]),
    off("quarantine", "Store infected files in the quarantine, before --clean-mode deletes them"),
    off("rtp", ""),
    on("sfx", "Do not open archives behind programs; they are reported as not scanned", &["sfx"]),
    on("subdir", "Do not enter folders", &[]),
    on("suspicious", "", &[]),
    on("symlink", "Do not follow symbolic links in folders", &[]),
    off("unsafe", "Look for potentially unsafe applications too"),
    off("unwanted", "Look for potentially unwanted applications too"),
];

const fn on(name: &'static str, about: &'static str, formats: &'static [&'static str]) -> Switch {
    Switch { name, default: true, about, formats }
}

const fn off(name: &'static str, about: &'static str) -> Switch {
    Switch { name, default: false, about, formats: &[] }
}

/// Adds every switch to a definition; the one that changes something is shown.
pub(super) fn define(definition: Definition) -> Definition {
    SWITCHES.iter().fold(definition, |definition, switch| {
        let negative = format!("no-{}", switch.name);
        let hidden = switch.about.is_empty();
        let flag = |name: &str, other: &str, shown: bool| {
            let flag = Arg::new(name.to_owned()).long(name.to_owned()).action(ArgAction::SetTrue);
            flag.overrides_with(other.to_owned()).help(switch.about).hide(hidden || !shown)
        };
        definition.arg(flag(switch.name, &negative, !switch.default)).arg(flag(
            &negative,
            switch.name,
            switch.default,
        ))
    })
}

/// Whether a switch is on.
pub(super) fn is_on(matches: &ArgMatches, name: &str) -> bool {
    SWITCHES.iter().find(|switch| switch.name == name).is_some_and(|switch| state(matches, switch))
}

/// The formats that are not opened.
pub(super) fn skipped_formats(matches: &ArgMatches) -> impl Iterator<Item = &'static str> {
    let off = SWITCHES.iter().filter(|switch| !state(matches, switch));
    off.flat_map(|switch| switch.formats.iter().copied())
}

fn state(matches: &ArgMatches, switch: &Switch) -> bool {
    if switch.default {
        !matches.get_flag(&format!("no-{}", switch.name))
    } else {
        matches.get_flag(switch.name)
    }
}

/// Formats whose members are files.
const ARCHIVES: &[&str] = &[
    "7z", "ace", "ar", "arj", "bzip2", "cab", "chm", "compress", "cpio", "deb", "dmg", "gzip",
    "iso", "lha", "lz4", "lzip", "lzma", "nsis", "rar", "rpm", "squashfs", "tar", "udf", "wim",
    "xar", "xz", "zip", "zoo", "zstd",
];
