//! `cargo xtask docs`: the pages that are made from tables in the code.

use std::fmt::Write as _;
use std::fs;

use esets_core::{Format, UNPACKERS};

use crate::{Chore, Outcome, root};

pub(crate) static CHORE: Chore =
    Chore { name: "docs", about: "write the generated pages of docs/", run: |_| write() };

/// A page of `docs/` and what writes it.
struct Page {
    name: &'static str,
    text: fn() -> String,
}

static PAGES: &[Page] = &[
    Page { name: "esets.cfg", text: esets_policy::config::document::default_file },
    Page { name: "esets.cfg.5", text: keys_man },
    Page { name: "exit-codes.md", text: esets_commands::exit::page },
    Page { name: "formats.md", text: formats },
    Page { name: "keys.md", text: esets_policy::config::document::keys_markdown },
];

fn write() -> Outcome {
    for page in PAGES {
        let path = root().join("docs").join(page.name);
        fs::write(&path, (page.text)()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Whether every page says what the tables say.
pub(crate) fn check() -> Outcome {
    for page in PAGES {
        let path = root().join("docs").join(page.name);
        if fs::read_to_string(path).unwrap_or_default() != (page.text)() {
            return Err(format!("docs/{} is out of date: cargo xtask docs", page.name));
        }
    }
    Ok(())
}

fn keys_man() -> String {
    esets_policy::config::document::keys_man(env!("CARGO_PKG_VERSION"))
}

fn formats() -> String {
    let mut text = String::from(FORMATS);
    for unpacker in UNPACKERS {
        let Format { name, about, extensions, specification, limitations, .. } = unpacker.format();
        let _ = writeln!(text, "\n## {name}\n\n{about}.\n");
        if !extensions.is_empty() {
            let _ = writeln!(text, "- Extensions: {}", extensions.join(", "));
        }
        let _ = writeln!(text, "- Specification: {}", specification.join("; "));
        let limits =
            if limitations.is_empty() { "none known".into() } else { limitations.join("; ") };
        let _ = writeln!(text, "- Not read: {limits}");
    }
    text
}

const FORMATS: &str = "# Formats

What is opened, made by `cargo xtask docs` from the table `UNPACKERS` of esets-core. An object goes
to every format that recognises it. What a format cannot open is a reason in the verdict.
";
