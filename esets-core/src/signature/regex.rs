//! Regular expressions in logical signatures, `[offset:]trigger/regex/flags`.
//!
//! ClamAV gives them to PCRE2 as bytes without character set. [`translate`] writes what PCRE reads
//! differently so that our engines read it alike.

use super::{Expression, Offset, Rejection};

/// A regular expression that is tried when its trigger holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// Where a match may begin.
    pub offset: Offset,
    /// What must hold of other sub-signatures first.
    pub trigger: Expression,
    /// The expression, as our engines read it.
    pub pattern: String,
    /// How it is meant.
    pub flags: RegexFlags,
}

/// The flags of a regular expression, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegexFlags(pub(crate) u16);

/// Every flag, by its bit.
const FLAGS: &str = "greismxAEU";

impl RegexFlags {
    /// Whether the flag of this letter is set: `g` counts all matches, `r` begins to search at the
    /// offset, `e` keeps matches within offset and shift, `i` either case, `s` a dot is a line end
    /// as well, `m` anchors at lines, `x` white space means nothing, `A` only at the start, `E`
    /// the end is the very end, `U` repetitions are lazy.
    #[must_use]
    pub fn has(self, letter: char) -> bool {
        FLAGS.find(letter).is_some_and(|bit| self.0 >> bit & 1 == 1)
    }

    /// The flags of an expression for names: a dot is a line end as well.
    pub(crate) fn of_name(ignores_case: bool) -> Self {
        Self::parse(if ignores_case { "si" } else { "s" }).unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        let bit = |letter| FLAGS.find(letter).map(|bit| 1_u16 << bit);
        text.chars().try_fold(Self(0), |flags, letter| Some(Self(flags.0 | bit(letter)?)))
    }
}

impl Regex {
    /// Reads `[offset:]trigger/regex/flags`.
    ///
    /// # Errors
    /// [`Rejection::Field`] where the syntax is broken, [`Rejection::Unsupported`] if no engine
    /// takes the regular expression.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        const BAD: Rejection = Rejection::Field("regular expression");
        let (front, rest) = text.split_once('/').ok_or(BAD)?;
        let (pattern, flags) = rest.rsplit_once('/').ok_or(BAD)?;
        let (offset, trigger) = front.rsplit_once(':').unwrap_or(("*", front));
        let flags = RegexFlags::parse(flags).ok_or(Rejection::Field("flags"))?;
        let pattern = translate(pattern, flags.has('x'));
        if !crate::matcher::Regex::is_sound(&pattern, flags) {
            return Err(Rejection::Unsupported("regular expression"));
        }
        let (offset, trigger) = (Offset::parse(offset)?, Expression::parse(trigger)?);
        Ok(Self { offset, trigger, pattern, flags })
    }
}

/// What PCRE reads differently, written in a way that both read alike.
fn translate(pattern: &str, is_verbose: bool) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars().peekable();
    let mut class: Option<usize> = None;
    while let Some(letter) = rest.next() {
        class = class.map(|length| length.saturating_add(1));
        match (letter, class) {
            ('\\', _) => escape(&mut rest, class.is_some(), &mut out),
            ('[', None) => {
                class = Some(0);
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ('[', Some(_)) if rest.peek() == Some(&':') => {
                // A class of POSIX, up to its end.
                out.push('[');
                for letter in rest.by_ref() {
                    out.push(letter);
                    if letter == ']' {
                        break;
                    }
                }
            }
            ('[' | '&' | '~', Some(_)) => out.extend(['\\', letter]),
            (' ', Some(_)) if is_verbose => out.push_str("\\x20"),
            ('#', Some(_)) if is_verbose => out.push_str("\\x23"),
            (']', Some(_)) => {
                class = None;
                out.push(']');
            }
            _ => out.push(letter),
        }
    }
    out
}

/// What follows a backslash.
fn escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, in_class: bool, out: &mut String) {
    let Some(letter) = rest.next() else { return out.push('\\') };
    match letter {
        '<' | '>' | '/' | '"' | '\'' | ' ' | ',' | ';' | ':' | '=' | '!' | '%' | '@' | '_' => {
            out.push(letter);
        }
        'e' => out.push_str("\\x1b"),
        'h' => out.push_str(if in_class { "\\t\\x20\\xa0" } else { "[\\t\\x20\\xa0]" }),
        'R' if !in_class => out.push_str("(?:\\r\\n|[\\n\\x0b\\x0c\\r])"),
        'N' if !in_class => out.push_str("[^\\n]"),
        '0' | '1'..='7' if in_class || letter == '0' => octal(letter, rest, out),
        'x' if rest.peek() != Some(&'{') => {
            let mut digits = String::new();
            while digits.len() < 2 {
                let Some(digit) = rest.next_if(char::is_ascii_hexdigit) else { break };
                digits.push(digit);
            }
            out.push_str(&format!("\\x{digits:0>2}"));
        }
        _ => out.extend(['\\', letter]),
    }
}

fn octal(first: char, rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let mut value = first.to_digit(8).unwrap_or_default();
    for _ in 0..2 {
        let digit = rest.next_if(|digit| digit.is_digit(8)).and_then(|digit| digit.to_digit(8));
        let Some(digit) = digit else { break };
        value = value << 3 | digit;
    }
    out.push_str(&format!("\\x{:02x}", value & 0xff));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pcre_reads_differently_is_rewritten() {
        let is = |pattern, expected| assert_eq!(translate(pattern, false), expected);
        is(r"\<a\>\/", "<a>/");
        is(r"[[a&b]", r"[\[a\&b]");
        is("[^]a][[:alpha:]_]", r"[^\]a][[:alpha:]_]");
        is(r"\x4\x41\x{42}", r"\x04\x41\x{42}");
        is(r"[\2b]\0(a)\1", r"[\x02b]\x00(a)\1");
        is(r"\h+[\h]", r"[\t\x20\xa0]+[\t\x20\xa0]");
        assert_eq!(translate("a [ #]", true), r"a [\x20\x23]");
    }

    #[test]
    fn the_syntax_is_read_or_refused() {
        for good in ["0/a/", "0&1/a;b/i", "2,9:0/a\\/b/gr", "(0|1)>2/(a)\\1/s", "0/a(?=b)/"] {
            assert!(Regex::parse(good).is_ok(), "{good}");
        }
        assert_eq!(Regex::parse("0/a/z"), Err(Rejection::Field("flags")));
        assert_eq!(Regex::parse("0/a"), Err(Rejection::Field("regular expression")));
        assert_eq!(Regex::parse("/a/"), Err(Rejection::Field("expression")));
        assert_eq!(Regex::parse("0/(a/"), Err(Rejection::Unsupported("regular expression")));
    }
}
