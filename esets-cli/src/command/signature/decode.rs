//! `esets signature decode`: the fields of signatures, each on its own line, patterns as text.

use std::fmt::Write as _;
use std::io::{self, Read};

use clap::{Arg, ArgMatches, Command as Definition};
use esets_policy::core::Printable;

use super::{Outcome, path, paths};
use crate::command::print;
use crate::exit::Managed;
use crate::print::quoted;
use crate::signatures;

pub(super) fn define() -> Definition {
    Definition::new("decode")
        .about("Print signatures field by field, patterns as text")
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("EXTENSION")
                .help("The format of standard input, such as ndb [default: by the separators]"),
        )
        .arg(path("files").num_args(0..).help("Sources [default: standard input]"))
}

pub(super) fn run(matches: &ArgMatches) -> Outcome {
    let files = paths(matches, "files");
    for file in &files {
        let bytes = signatures::read(file);
        let bytes = bytes.map_err(|error| format!("{}: {error}", file.display()))?;
        let extension = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        show(&bytes, Some(&extension))?;
    }
    if files.is_empty() {
        let mut bytes = Vec::new();
        io::stdin().take(MOST).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        show(&bytes, matches.get_one::<String>("format").map(String::as_str))?;
    }
    Ok(Managed::Done)
}

fn show(bytes: &[u8], extension: Option<&str>) -> Result<(), String> {
    let mut text = String::new();
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")) {
        let line = String::from_utf8_lossy(line);
        decode(&line, extension.unwrap_or_else(|| guess(&line)), &mut text);
        text.push('\n');
    }
    print(text.as_bytes()).map_err(|error| error.to_string())
}

/// The format of a line by what separates its fields.
fn guess(line: &str) -> &'static str {
    let is_hash = |field: &str| matches!(field.len(), 32 | 40 | 64);
    match line.split(':').take(2).collect::<Vec<_>>()[..] {
        _ if line.contains(';') => "ldb",
        [first, _] if is_hash(first) => "hdb",
        [_, second] if is_hash(second) => "mdb",
        [_] => "db",
        _ => "ndb",
    }
}

fn decode(line: &str, extension: &str, text: &mut String) {
    let format = FORMATS.iter().find(|format| format.extensions.contains(&extension));
    let Some(format) = format else {
        let _ = writeln!(text, "{:<14} {}", "line", quoted(line.as_bytes()));
        return;
    };
    for (place, value) in line.split(format.separator).enumerate() {
        let last = format.fields.last().copied().unwrap_or_default();
        let label = format.fields.get(place).copied().unwrap_or(last);
        let value = match label {
            "pattern" => pattern(value),
            "sub-signature" => sub(value),
            _ => quoted(value.as_bytes()),
        };
        let _ = writeln!(text, "{label:<14} {value}");
    }
}

/// `[offset:]pattern[::modifiers]`; what is no pattern stays as it is.
fn sub(text: &str) -> String {
    let (body, modifiers) = text.split_once("::").unwrap_or((text, ""));
    let (offset, body) = body.split_once(':').unwrap_or(("", body));
    if body.contains(['/', '#', '$', '=']) {
        return quoted(text.as_bytes());
    }
    let mut shown = pattern(body);
    if !offset.is_empty() {
        shown = format!("at {offset}: {shown}");
    }
    if !modifiers.is_empty() {
        shown = format!("{shown} ({modifiers})");
    }
    shown
}

/// Fixed bytes as quoted text, everything else as it stands.
fn pattern(text: &str) -> String {
    let (mut shown, mut fixed) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let pair = rest.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let is_gap = first == '{' || first == '[';
        let width = match pair {
            Some(_) => 2,
            None if is_gap => rest.find(['}', ']']).map_or(rest.len(), |end| end.saturating_add(1)),
            None if rest.get(1..2).is_some_and(|low| first == '?' || low == "?") => 2,
            None => first.len_utf8(),
        };
        let (piece, behind) = rest.split_at_checked(width).unwrap_or((rest, ""));
        if let Some(byte) = pair {
            fixed.push(byte);
        } else {
            flush(&mut fixed, &mut shown);
            shown.push_str(piece);
            shown.push(' ');
        }
        rest = behind;
    }
    flush(&mut fixed, &mut shown);
    Printable(shown.trim_end().as_bytes()).to_string()
}

fn flush(fixed: &mut Vec<u8>, shown: &mut String) {
    if !fixed.is_empty() {
        let _ = write!(shown, "\"{}\" ", fixed.escape_ascii());
        fixed.clear();
    }
}

/// A format: its extensions, what stands between fields, and what the fields are; the last label
/// is that of all further fields.
struct Format {
    extensions: &'static [&'static str],
    separator: char,
    fields: &'static [&'static str],
}

static FORMATS: &[Format] = &[
    Format {
        extensions: &["fp", "hdb", "hdu", "hsb", "hsu", "imp", "sfp"],
        separator: ':',
        fields: &["digest", "size", "name", "level"],
    },
    Format {
        extensions: &["mdb", "mdu", "msb", "msu"],
        separator: ':',
        fields: &["size", "digest", "name", "level"],
    },
    Format {
        extensions: &["ndb", "ndu", "sdb"],
        separator: ':',
        fields: &["name", "target", "offset", "pattern", "level"],
    },
    Format { extensions: &["db"], separator: '=', fields: &["name", "pattern"] },
    Format {
        extensions: &["ldb", "ldu"],
        separator: ';',
        fields: &["name", "description", "expression", "sub-signature"],
    },
    Format {
        extensions: &["pwdb"],
        separator: ';',
        fields: &["name", "description", "type", "password"],
    },
    Format { extensions: &["ign"], separator: ':', fields: &["database", "line", "name"] },
    Format { extensions: &["ign2"], separator: ':', fields: &["name", "digest"] },
    Format {
        extensions: &["ftm"],
        separator: ':',
        fields: &["how", "offset", "magic", "name", "type before", "type", "level"],
    },
    Format { extensions: &["idb"], separator: ':', fields: &["name", "group", "group", "digest"] },
];

/// Standard input is read up to here.
const MOST: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_bytes_are_shown_as_text() {
        assert_eq!(
            pattern("6162??63{2-3}64*(65|66)"),
            "\"ab\" ?? \"c\" {2-3} \"d\" * ( \"e\" | \"f\" )"
        );
        assert_eq!(pattern("a?00ff"), "a? \"\\x00\\xff\"");
        assert_eq!(pattern(""), "");
        assert_eq!(pattern("{"), "{");
        assert_eq!(sub("EP+0:4142::i"), "at EP+0: \"AB\" (i)");
        assert_eq!(sub("0/a.c/i"), "0/a.c/i");
    }

    #[test]
    fn a_line_is_shown_field_by_field() {
        let mut text = String::new();
        decode("A;Target:0;0&1;6162;EP+0:63", guess("A;Target:0;0&1;6162;EP+0:63"), &mut text);
        let shown = "name           A\ndescription    Target:0\nexpression     0&1\n\
            sub-signature  \"ab\"\nsub-signature  at EP+0: \"c\"\n";
        assert_eq!(text, shown);
    }
}
