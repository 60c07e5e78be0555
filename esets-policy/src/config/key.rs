//! What a key is: its name, where it may stand, what it takes, and what it is for.

use std::borrow::Cow;
use std::fmt;

use super::keys::KEYS;
use super::section::{Role, SectionKind};

/// One key of `esets.cfg`: a row of the table that parser, manual and default file come from.
#[derive(Debug)]
#[non_exhaustive]
pub struct Key {
    /// Its name, as written in the file.
    pub name: &'static str,
    /// The places it may stand in.
    pub places: &'static [Place],
    /// What it takes.
    pub kind: Kind,
    /// The default as written in a file; empty if there is none.
    pub default: &'static str,
    /// Which edition of the product brought it.
    pub origin: Origin,
    /// Whether this version acts on it.
    pub state: State,
    /// What it does, in whole sentences.
    pub doc: &'static str,
}

/// A place where a key may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Any agent's section of the main file.
    Agents,
    /// `[global]`; a key that agents may have too is their default.
    Global,
    /// This section of the main file.
    Section(&'static str),
    /// Any section of a special configuration file (`user_config`).
    User,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// A whole number within these bounds, both included.
    Integer(u64, u64),
    /// A number of bytes, with an optional `k`, `M` or `G` (of 1024).
    Size,
    /// `yes` or `no`.
    Switch,
    /// Any text.
    Text,
    /// Some of these words, separated by colons; the value is a text.
    Words(&'static [&'static str]),
}

/// The value of a key, read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// One of the words of [`Kind::Choice`].
    Choice(&'static str),
    /// A whole number; bytes for [`Kind::Size`].
    Integer(u64),
    /// Yes or no.
    Switch(bool),
    /// Text.
    Text(Cow<'static, str>),
}

/// Which edition of the product brought a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// This project; it is not known of the other editions.
    Addition,
    /// Both 3.0 and 4.x.
    Both,
    /// The 2.x edition only; read so that old files still load.
    V2,
    /// The 3.0 edition.
    V3,
    /// The 4.x edition.
    V4,
}

/// Whether this version acts on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is read and checked; what it controls is not built yet.
    Accepted,
    /// It has its effect.
    Used,
}

impl Key {
    /// The default, if there is one.
    pub fn default_value(&self) -> Option<Value> {
        let wanted = !self.default.is_empty() || self.kind == Kind::Text;
        wanted.then(|| self.kind.parse(self.default)).flatten()
    }

    /// Whether the key may stand in this section of the main file.
    pub fn fits(&self, section: &SectionKind) -> bool {
        self.places.iter().any(|place| match place {
            Place::Agents => section.role == Role::Agent,
            Place::Global => section.role == Role::Global,
            Place::Section(name) => section.name == *name,
            Place::User => false,
        })
    }

    /// Whether the key may stand in a special configuration file.
    pub fn fits_users(&self) -> bool {
        self.places.contains(&Place::User)
    }

    /// Whether `[global]` holds the default of this key for the other sections.
    pub fn is_inherited(&self) -> bool {
        self.places.contains(&Place::Global)
    }
}

impl Kind {
    /// Reads a value; `None` if it is not one of this kind.
    pub fn parse(&self, text: &str) -> Option<Value> {
        match *self {
            Self::Choice(words) => words
                .iter()
                .find(|word| word.eq_ignore_ascii_case(text))
                .map(|word| Value::Choice(word)),
            Self::Integer(least, most) => {
                number(text).filter(|number| (least..=most).contains(number)).map(Value::Integer)
            }
            Self::Size => size(text).map(Value::Integer),
            Self::Switch if text.eq_ignore_ascii_case("yes") => Some(Value::Switch(true)),
            Self::Switch if text.eq_ignore_ascii_case("no") => Some(Value::Switch(false)),
            Self::Switch => None,
            Self::Text => Some(Value::Text(Cow::Owned(text.to_owned()))),
            Self::Words(words) => {
                let known = text.split(':').all(|word| words.contains(&word.trim()));
                known.then(|| Value::Text(Cow::Owned(text.to_owned())))
            }
        }
    }

    /// The words that this kind takes, if it is a closed set.
    pub fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Choice(words) | Self::Words(words) => words,
            Self::Switch => &["yes", "no"],
            _ => &[],
        }
    }

    /// Whether its values are written in quotes.
    pub fn is_quoted(&self) -> bool {
        matches!(self, Self::Choice(_) | Self::Text | Self::Words(_))
    }
}

/// `one of "accept", "defer"`: the end of a sentence that starts with "expected".
impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(words) => write!(out, "one of \"{}\"", words.join("\", \"")),
            Self::Integer(least, most) => write!(out, "a whole number from {least} to {most}"),
            Self::Size => out.write_str("a number of bytes, with k, M or G behind it or not"),
            Self::Switch => out.write_str("yes or no"),
            Self::Text => out.write_str("a text"),
            Self::Words(words) => write!(out, "some of {}, with `:` between", words.join(", ")),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Choice(word) => out.write_str(word),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Switch(on) => out.write_str(if *on { "yes" } else { "no" }),
            Self::Text(text) => out.write_str(text),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Addition => "addition",
            Self::Both => "3.0, 4.x",
            Self::V2 => "2.x",
            Self::V3 => "3.0",
            Self::V4 => "4.x",
        })
    }
}

/// Finds a key by its name.
pub fn find_key(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}

/// Every key there is.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().copied().flatten()
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (text.get(..at)?, 1 << 10),
        (at, 'm' | 'M') => (text.get(..at)?, 1 << 20),
        (at, 'g' | 'G') => (text.get(..at)?, 1 << 30),
        _ => (text, 1_u64),
    };
    number(digits.trim_end())?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_kind() {
        let read = |kind: Kind, text| kind.parse(text).map(|value| value.to_string());
        assert_eq!(read(Kind::Choice(&["none", "strict"]), "NONE").as_deref(), Some("none"));
        assert_eq!(read(Kind::Choice(&["none", "strict"]), ""), None);
        assert_eq!(read(Kind::Integer(1, 65535), "65535").as_deref(), Some("65535"));
        for wrong in ["0", "65536", "-1", "+1", " 1", "1.0", "", "99999999999999999999999"] {
            assert_eq!(read(Kind::Integer(1, 65535), wrong), None, "{wrong}");
        }
        assert_eq!(read(Kind::Size, "16M").as_deref(), Some("16777216"));
        assert_eq!(read(Kind::Size, "17179869184G"), None);
        assert_eq!(read(Kind::Size, "M"), None);
        assert_eq!(read(Kind::Switch, "Yes").as_deref(), Some("yes"));
        assert_eq!(read(Kind::Switch, "true"), None);
    }

    #[test]
    fn the_table_is_in_order() {
        for (at, key) in keys().enumerate() {
            assert!(keys().skip(at + 1).all(|other| other.name != key.name), "{} twice", key.name);
            assert!(!key.places.is_empty(), "{} may stand nowhere", key.name);
            assert!(key.doc.ends_with('.'), "{} has no sentence", key.name);
            let default = key.default.is_empty() || key.default_value().is_some();
            assert!(default, "the default of {} is not a value", key.name);
        }
        for table in KEYS {
            assert!(table.is_sorted_by(|left, right| left.name < right.name));
        }
    }
}
