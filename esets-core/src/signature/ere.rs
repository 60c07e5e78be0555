//! Extended regular expressions of POSIX, as names of members are matched with them.
//!
//! IEEE Std 1003.1, "Extended Regular Expressions", with what ClamAV adds: `(?i)` at the front is
//! either case. Written anew so that our engine reads them alike.

use std::iter::Peekable;
use std::str::Chars;

/// The expression as our engine reads it, and whether either case will do.
pub(super) fn translate(text: &str) -> (String, bool) {
    let (text, ignores_case) = match text.strip_prefix("(?i)") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            // Behind a backslash every character is itself.
            '\\' => match rest.next() {
                Some(letter) => literal(letter, &mut out),
                None => out.push('\\'),
            },
            '[' => class(&mut rest, &mut out),
            '{' if !rest.peek().is_some_and(char::is_ascii_digit) => out.push_str("\\{"),
            _ => out.push(letter),
        }
    }
    (out, ignores_case)
}

fn literal(letter: char, out: &mut String) {
    if letter.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(letter);
}

/// What stands in brackets: no backslash means anything there, and `]` is itself at the front.
/// Named classes like `[:alpha:]` cannot be: colons separate the fields of a line.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    for letter in rest.by_ref() {
        match letter {
            ']' => return out.push(']'),
            '[' | '\\' | '&' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_reads_differently_is_rewritten() {
        let is = |text, expected: &str| assert_eq!(translate(text), (expected.to_owned(), false));
        is(r"\.exe$", r"\.exe$");
        is(r"\d\\", r"d\\");
        is(r"[\.a]{2}a{b", r"[\\.a]{2}a\{b");
        is("[^]a][[b&]", r"[^\]a][\[b\&]");
        assert_eq!(translate("(?i)a"), ("a".to_owned(), true));
    }
}
