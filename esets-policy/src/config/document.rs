//! Documents made from the table of keys: the manual's list, esets.cfg(5), a commented file.

use std::fmt::Write;

use super::edit::write_value;
use super::key::{Key, Place, State};
use super::keys::KEYS;
use super::section::{Role, SECTIONS, SectionKind};

/// `docs/keys.md`.
pub fn keys_markdown() -> String {
    let mut page = String::from(
        "# Keys of esets.cfg\n\n\
         Written by `cargo xtask docs` from the table in `esets-policy/src/config/keys/`.\n\n\
         *Sections*: `agents` are all sections that intercept objects, `user` those of the files \
         named by `user_config`. A key of `[global]` is the default of the other sections. \
         *Edition*: where the key comes from; an addition is ours. Keys marked † are read and \
         checked; what they control is not built yet.\n",
    );
    page.push_str("\n## Sections\n\n| section | what it is |\n|---|---|\n");
    for section in SECTIONS {
        let also = section.alias.map(|alias| format!(", `[{alias}]`")).unwrap_or_default();
        put(&mut page, format_args!("| `[{}]`{also} | {} |\n", section.name, section.doc));
    }
    page.push_str("\n## Keys\n\n| key | sections | takes | default | edition | meaning |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for key in KEYS.iter().copied().flatten() {
        let mark = if key.state == State::Used { "" } else { " †" };
        let default = match written_default(key) {
            Some(default) => format!("`{default}`"),
            None => "–".to_owned(),
        };
        let (places, kind) = (places(key), &key.kind);
        let (name, origin, doc) = (key.name, key.origin, key.doc);
        let row =
            format_args!("| `{name}`{mark} | {places} | {kind} | {default} | {origin} | {doc} |\n");
        put(&mut page, row);
    }
    page.push_str("\n## A strict profile\n\n");
    page.push_str(
        "By default what cannot be scanned because of the object itself passes with a note in \
         its header. This lets nothing pass that was not looked at:\n\n```ini\n",
    );
    page.push_str(STRICT_PROFILE);
    page.push_str("```\n");
    page
}

/// The manual page esets.cfg(5), in the language of man(7).
pub fn keys_man(version: &str) -> String {
    let mut page = format!(".TH ESETS.CFG 5 \"\" \"ESETS {version}\" \"File Formats\"\n");
    page.push_str(
        ".SH NAME\nesets.cfg \\- configuration of the ESETS scanner\n\
         .SH DESCRIPTION\n\
         The file consists of sections\n.RI [ name ]\nand of lines\n.IR \"key = value\" .\n\
         Texts stand in double quotes; numbers go without, and so do yes and no.\n\
         A line that starts with # or ; is a comment, and so is what follows one of them after \
         a value.\nA key of the section [global] is the default of the other sections.\n\
         .SH SECTIONS\n",
    );
    for section in SECTIONS {
        let (name, doc) = (section.name, roff(section.doc));
        put(&mut page, format_args!(".TP\n.B [{name}]\n{doc}\n"));
    }
    page.push_str(".SH KEYS\n");
    for key in KEYS.iter().copied().flatten() {
        let takes = roff(&key.kind.to_string());
        put(&mut page, format_args!(".TP\n.B {}\n{}\n", key.name, roff(key.doc)));
        put(&mut page, format_args!("Takes {takes}. Stands in {}.", places(key)));
        if let Some(default) = written_default(key) {
            put(&mut page, format_args!(" Default: {}.", roff(&default)));
        }
        if key.state != State::Used {
            page.push_str(" Read and checked, but without effect yet.");
        }
        page.push('\n');
    }
    page
}

/// A whole `esets.cfg` in which every key stands with its default, commented out.
pub fn default_file() -> String {
    let mut file = String::from(
        "# esets.cfg: configuration of the ESETS scanner; see esets.cfg(5).\n\
         # Lines that start with ; hold the defaults; take the ; away to change one.\n",
    );
    let global = SECTIONS.iter().filter(|section| section.role == Role::Global);
    let others = SECTIONS.iter().filter(|section| section.role != Role::Global);
    for section in global.chain(others) {
        put(&mut file, format_args!("\n# {}\n[{}]\n", section.doc, section.name));
        for key in KEYS.iter().copied().flatten().filter(|key| stands_in(key, section)) {
            for line in wrap(key.doc) {
                put(&mut file, format_args!("# {line}\n"));
            }
            let default = written_default(key).unwrap_or_default();
            put(&mut file, format_args!(";{} = {default}\n", key.name));
        }
    }
    file
}

/// Keys are listed once: in `[global]` if they may stand there.
fn stands_in(key: &Key, section: &SectionKind) -> bool {
    key.fits(section) && (section.role == Role::Global || !key.is_inherited())
}

fn written_default(key: &Key) -> Option<String> {
    key.default_value().and_then(|value| write_value(&key.kind, &value))
}

fn places(key: &Key) -> String {
    let words = key.places.iter().map(|place| match place {
        Place::Agents => "agents".to_owned(),
        Place::Global => "global".to_owned(),
        Place::Section(name) => (*name).to_owned(),
        Place::User => "user".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len().saturating_add(word.len()) < WIDTH || line.is_empty() => {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('`', "")
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = page.write_fmt(text);
}

const WIDTH: usize = 90;

/// An `esets.cfg` under which nothing passes that was not looked at.
pub const STRICT_PROFILE: &str = "\
[global]
action_av_notscanned = \"reject\"
action_av_failed = \"defer\"
action_av_ambiguous = \"reject\"
av_scan_app_unwanted = yes
av_scan_app_unsafe = yes
av_quarantine_enabled = yes
av_quarantine_notscanned = yes
";
