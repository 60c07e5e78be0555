//! `esets signature find`: the lines of sources, or the names in a compiled database, that a regular
//! expression matches.

use std::path::Path;

use clap::{Arg, ArgMatches, Command as Definition};
use esets_policy::core::Database;
use esets_policy::core::signature::{SourceFile, each_member};
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use super::{Outcome, path, sources, unsigned};
use crate::command::print;
use crate::exit::Managed;
use crate::messages::Messages;
use crate::print::quoted;
use crate::signatures;

pub(super) fn define() -> Definition {
    Definition::new("find")
        .about("Find signatures by name; end with 1 if there is none")
        .arg(Arg::new("regex").required(true).help("A regular expression that names match"))
        .arg(unsigned())
        .arg(
            path("sources")
                .required(true)
                .num_args(1..)
                .help("Sources, folders of sources, or compiled databases"),
        )
}

pub(super) fn run(matches: &ArgMatches, messages: &mut Messages) -> Outcome {
    let expression = matches.get_one::<String>("regex").map_or("", String::as_str);
    // Sources may hold anything, in any encoding.
    let syntax = syntax::Config::new().utf8(false).unicode(false);
    let built = Regex::builder().syntax(syntax).build(expression);
    let regex = built.map_err(|error| format!("{expression:?}: {error}"))?;
    let takes_unsigned = matches.get_flag("unsigned");
    let mut ending = Managed::Mistakes;
    for path in sources(matches)? {
        match find(&path, &regex, takes_unsigned) {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => {
                ending = Managed::Done;
                print(&lines).map_err(|error| error.to_string())?;
            }
            Err(error) => messages.say(&format!("{}: {error}", path.display())),
        }
    }
    Ok(ending)
}

fn find(path: &Path, regex: &Regex, takes_unsigned: bool) -> Result<Vec<u8>, String> {
    let bytes = signatures::read(path).map_err(|error| error.to_string())?;
    let name = path.display().to_string();
    let source = SourceFile::new(&name, &bytes);
    let mut found = Vec::new();
    if source.is_container() {
        let take = &mut |member: &SourceFile<'_>| find_lines(member, regex, &mut found);
        each_member(&source, takes_unsigned, take).map_err(|error| error.to_string())?;
    } else if source.loader().is_some() {
        find_lines(&source, regex, &mut found);
    } else {
        let database = Database::from_bytes(bytes).map_err(|error| error.to_string())?;
        let names = database.names().filter(|signature| regex.is_match(signature));
        names.for_each(|signature| push(&name, signature.as_bytes(), &mut found));
    }
    Ok(found)
}

fn find_lines(source: &SourceFile<'_>, regex: &Regex, found: &mut Vec<u8>) {
    let lines = source.bytes.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
    for line in lines {
        if name_in(line, &source.extension()).is_some_and(|name| regex.is_match(name)) {
            push(source.name, line, found);
        }
    }
}

fn push(name: &str, line: &[u8], found: &mut Vec<u8>) {
    let line = quoted(line.strip_suffix(b"\r").unwrap_or(line));
    found.extend_from_slice(format!("{}: {line}\n", quoted(name.as_bytes())).as_bytes());
}

/// The name in a line of a source with this extension.
fn name_in<'a>(line: &'a [u8], extension: &str) -> Option<&'a [u8]> {
    let (separator, place) = match extension {
        "db" => (b'=', 0),
        "crb" | "cat" | "ldb" | "ldu" | "pwdb" => (b';', 0),
        "fp" | "hdb" | "hdu" | "hsb" | "hsu" | "ign" | "imp" | "mdb" | "mdu" | "msb" | "msu"
        | "sfp" => (b':', 2),
        "ftm" => (b':', 3),
        _ => (b':', 0),
    };
    line.split(|byte| *byte == separator).nth(place).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_each_format_has_them() {
        let name = |line: &'static str, extension| name_in(line.as_bytes(), extension);
        assert_eq!(name("Win.A:0:*:6162", "ndb"), Some(&b"Win.A"[..]));
        assert_eq!(name("Win.A;Target:0;0;6162", "ldb"), Some(&b"Win.A"[..]));
        assert_eq!(name("00:3:Win.A", "hdb"), Some(&b"Win.A"[..]));
        assert_eq!(name("Win.A=6162", "db"), Some(&b"Win.A"[..]));
        assert_eq!(name("", "ndb"), None);
    }
}
