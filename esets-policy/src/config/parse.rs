//! From lines to sections: every key checked against the table, every mistake collected.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::{Cause, ConfigError, excerpt};
use super::key::{Key, keys};
use super::lexer::{Content, Pair, Quotes, Syntax, lines};
use super::nearest::nearest;
use super::section::{SECTIONS, SectionKind, find_section};
use super::{Config, FileKind, Rule, Section, Setting};

/// What is right in a file, and in its warnings all that is not.
pub(super) fn parse(file: &str, bytes: &[u8], kind: FileKind) -> Config {
    let mut parser = Parser::new(file, kind);
    for line in lines(bytes) {
        parser.line = line.number;
        match line.content {
            Content::Section(name) => parser.section(name),
            Content::Pair(pair) => parser.pair(&pair),
            Content::Broken(syntax) => parser.broken(syntax),
            Content::Blank | Content::Comment => {}
        }
    }
    parser.finish()
}

struct Parser {
    file: Arc<str>,
    kind: FileKind,
    line: u32,
    known: HashMap<&'static str, &'static Key>,
    sections: Vec<Section>,
    index: HashMap<Box<str>, usize>,
    current: Current,
    problems: Vec<ConfigError>,
}

/// The section that keys belong to.
#[derive(Clone, Copy)]
enum Current {
    /// None yet.
    Missing,
    /// One that was refused: its keys are checked and dropped.
    Refused,
    Main(&'static SectionKind),
    User,
}

impl Parser {
    fn new(file: &str, kind: FileKind) -> Self {
        Self {
            file: file.into(),
            kind,
            line: 0,
            known: keys().map(|key| (key.name, key)).collect(),
            sections: Vec::new(),
            index: HashMap::new(),
            current: Current::Missing,
            problems: Vec::new(),
        }
    }

    fn broken(&mut self, syntax: Syntax) {
        if syntax.is_of_section() {
            self.current = Current::Refused;
        }
        self.problem(Cause::Syntax(syntax), None);
    }

    fn section(&mut self, written: &str) {
        self.current = Current::Refused;
        let (name, next) = match self.kind {
            FileKind::Users => (written, Current::User),
            FileKind::Main => match find_section(written) {
                Some(kind) => (kind.name, Current::Main(kind)),
                None => return self.unknown_section(written),
            },
        };
        let folded = name.to_ascii_lowercase().into_boxed_str();
        if let Some(first) = self.index.get(&folded).and_then(|at| self.sections.get(*at)) {
            let first = first.line;
            let section = excerpt(written);
            return self.problem(Cause::DuplicateSection { section, first }, None);
        }
        self.index.insert(folded, self.sections.len());
        let (name, line) = (name.into(), self.line);
        self.sections.push(Section { name, line, settings: Vec::new() });
        self.current = next;
    }

    fn unknown_section(&mut self, written: &str) {
        let names = SECTIONS.iter().flat_map(|section| [Some(section.name), section.alias]);
        let meant = nearest(written, names.flatten());
        self.problem(Cause::UnknownSection(excerpt(written)), meant);
    }

    fn pair(&mut self, pair: &Pair<'_>) {
        if matches!(self.current, Current::Missing) {
            self.current = Current::Refused;
            self.problem(Cause::NoSection { key: excerpt(pair.key) }, Some("[global]"));
        }
        if pair.quotes == Quotes::Typographic {
            self.problem(Cause::TypographicQuotes, None);
        }
        let Some(key) = self.known.get(pair.key).copied() else {
            let meant = nearest(pair.key, keys().map(|key| key.name));
            return self.problem(Cause::UnknownKey(excerpt(pair.key)), meant);
        };
        if self.belongs_here(key) {
            self.setting(key, pair.value);
        }
    }

    fn belongs_here(&mut self, key: &'static Key) -> bool {
        let fits = match self.current {
            Current::Main(section) => key.fits(section),
            Current::User => key.fits_users(),
            Current::Missing | Current::Refused => true,
        };
        if !fits {
            let section = self.sections.last().map(|section| excerpt(&section.name));
            let section = section.unwrap_or_default();
            self.problem(Cause::WrongSection { key: key.name, section }, None);
        }
        fits
    }

    fn setting(&mut self, key: &'static Key, written: &str) {
        let Some(value) = key.kind.parse(written) else {
            let meant = nearest(written, key.kind.words().iter().copied());
            let cause =
                Cause::BadValue { key: key.name, value: excerpt(written), expected: key.kind };
            return self.problem(cause, meant);
        };
        if matches!(self.current, Current::Refused) {
            return;
        }
        let (file, line) = (self.file.clone(), self.line);
        let Some(section) = self.sections.last_mut() else {
            return;
        };
        if let Some(first) = section.setting(key.name).map(|first| first.rule.line) {
            return self.problem(Cause::DuplicateKey { key: key.name, first }, None);
        }
        let rule = Rule { key: key.name.into(), section: section.name.clone(), file, line };
        section.settings.push(Arc::new(Setting { key, value, rule }));
    }

    fn problem(&mut self, cause: Cause, meant: Option<&str>) {
        let nearest = meant.map(str::to_owned);
        self.problems.push(ConfigError {
            file: self.file.clone(),
            line: self.line,
            cause,
            nearest,
        });
    }

    fn finish(self) -> Config {
        Config {
            file: self.file,
            sections: self.sections,
            index: self.index,
            warnings: self.problems,
        }
    }
}
