//! Changing one value of a file and nothing else, as `esets_set` does.

use super::key::{Key, Kind, Value, find_key};
use super::lexer::{Content, Line, lines};
use super::section::{SECTIONS, find_section};
use super::{Cause, ConfigError, FileKind, excerpt};
use super::{keys, nearest::nearest};
use crate::profile::Identity;

/// Sets `key` to `value` in `section`; comments, order and every other byte stay.
///
/// The value goes in the place of the old one; where there is none, behind the commented default
/// if the section has that, else at the end of the section; a missing section is added at the
/// end. The file need not be free of mistakes.
///
/// # Errors
/// What is wrong with the section, the key or the value; the line of it is 0 and the file empty.
pub fn set(
    bytes: &[u8],
    kind: FileKind,
    section: &str,
    key: &str,
    value: &str,
) -> Result<Vec<u8>, ConfigError> {
    let wanted = Assignment::new(kind, section, key, value)?;
    let all: Vec<Line<'_>> = lines(bytes).collect();
    let end = if bytes.ends_with(b"\r\n") { "\r\n" } else { "\n" };
    let mut edited = Vec::new();
    match find(&all, &wanted) {
        Place::Value(span) => {
            edited.extend_from_slice(bytes.get(..span.start).unwrap_or_default());
            let spaced =
                span.is_empty() && bytes.get(..span.start).is_some_and(|b| b.ends_with(b"="));
            edited.extend_from_slice(if spaced { b" " } else { b"" });
            edited.extend_from_slice(wanted.value.as_bytes());
            edited.extend_from_slice(bytes.get(span.end..).unwrap_or_default());
        }
        Place::After(offset) => {
            let (before, after) = bytes.split_at_checked(offset).unwrap_or((bytes, b""));
            push_whole_lines(&mut edited, before, end);
            edited.extend_from_slice(format!("{} = {}{end}", key, wanted.value).as_bytes());
            edited.extend_from_slice(after);
        }
        Place::NewSection => {
            push_whole_lines(&mut edited, bytes, end);
            let gap = if bytes.is_empty() { "" } else { end };
            let added = format!("{gap}[{section}]{end}{key} = {}{end}", wanted.value);
            edited.extend_from_slice(added.as_bytes());
        }
    }
    Ok(edited)
}

struct Assignment<'a> {
    kind: FileKind,
    section: &'a str,
    key: &'static Key,
    /// As it is written into the file.
    value: String,
}

enum Place {
    After(usize),
    NewSection,
    Value(std::ops::Range<usize>),
}

impl<'a> Assignment<'a> {
    fn new(kind: FileKind, section: &'a str, name: &str, value: &str) -> Result<Self, ConfigError> {
        let Some(key) = find_key(name) else {
            let meant = nearest(name, keys().map(|key| key.name));
            return Err(refused(Cause::UnknownKey(excerpt(name)), meant));
        };
        check_section(kind, section, key)?;
        let written = key.kind.parse(value).and_then(|value| write_value(&key.kind, &value));
        let Some(value) = written else {
            let meant = nearest(value, key.kind.words().iter().copied());
            let (value, expected) = (excerpt(value), key.kind);
            return Err(refused(Cause::BadValue { key: key.name, value, expected }, meant));
        };
        Ok(Self { kind, section, key, value })
    }

    fn is_section(&self, name: &str) -> bool {
        let same_kind = |wanted: &str| match (find_section(name), find_section(wanted)) {
            (Some(left), Some(right)) => left.name == right.name,
            _ => false,
        };
        match self.kind {
            FileKind::Main => same_kind(self.section),
            FileKind::Users => name.eq_ignore_ascii_case(self.section),
        }
    }

    /// `;action_av = "scan"`: the default, commented out.
    fn is_commented_in(&self, line: &Line<'_>) -> bool {
        let text = String::from_utf8_lossy(line.raw);
        let text = text.trim_start().trim_start_matches(['#', ';']);
        text.split_once('=').is_some_and(|(key, _)| key.trim() == self.key.name)
    }
}

fn check_section(kind: FileKind, section: &str, key: &Key) -> Result<(), ConfigError> {
    let wrong = || Cause::WrongSection { key: key.name, section: excerpt(section) };
    if kind == FileKind::Users {
        let is_writable = |character: char| character != ']' && !character.is_control();
        if !section.chars().all(is_writable) || !key.fits_users() {
            return Err(refused(wrong(), None));
        }
        let identity = Identity::parse(section);
        let cause = |why| Cause::Identity { section: excerpt(section), why };
        return identity.map(drop).map_err(|why| refused(cause(why), None));
    }
    match find_section(section) {
        Some(found) if key.fits(found) => Ok(()),
        Some(_) => Err(refused(wrong(), None)),
        None => {
            let meant = nearest(section, SECTIONS.iter().map(|section| section.name));
            Err(refused(Cause::UnknownSection(excerpt(section)), meant))
        }
    }
}

/// A value as the file has it; `None` for a text that no quotes can hold.
pub(super) fn write_value(kind: &Kind, value: &Value) -> Option<String> {
    let text = value.to_string();
    if text.chars().any(|character| character == '"' || character.is_control()) {
        return None;
    }
    Some(if kind.is_quoted() { format!("\"{text}\"") } else { text })
}

fn find(all: &[Line<'_>], wanted: &Assignment<'_>) -> Place {
    let mut inside = false;
    let mut last_statement = None;
    let mut commented = None;
    for line in all {
        let behind = line.start.saturating_add(line.raw.len());
        match &line.content {
            Content::Section(name) => {
                inside = last_statement.is_none() && wanted.is_section(name);
                if inside {
                    last_statement = Some(behind);
                }
            }
            Content::Pair(pair) if inside => {
                if pair.key == wanted.key.name {
                    return Place::Value(pair.span.clone());
                }
                last_statement = Some(behind);
            }
            Content::Comment if inside && wanted.is_commented_in(line) => commented = Some(behind),
            _ => {}
        }
    }
    commented.or(last_statement).map_or(Place::NewSection, Place::After)
}

fn push_whole_lines(edited: &mut Vec<u8>, before: &[u8], end: &str) {
    edited.extend_from_slice(before);
    if before.last().is_some_and(|last| *last != b'\n') {
        edited.extend_from_slice(end.as_bytes());
    }
}

fn refused(cause: Cause, meant: Option<&str>) -> ConfigError {
    ConfigError { file: "".into(), line: 0, cause, nearest: meant.map(str::to_owned) }
}
