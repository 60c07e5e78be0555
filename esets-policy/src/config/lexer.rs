//! The lines of a configuration file, with nothing lost: comments, order and quoting stay.
//!
//! ```text
//! # comment            ; comment
//! [section]            # comment
//! key = 25             ; a bare value ends at a `#` or `;` that follows a blank
//! key = "a; b # c"     # inside quotes both are content; there are no escapes
//! ```

use std::ops::Range;

/// One line: where it stands, its bytes with the line end, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: u32,
    /// Offset of the first byte in the file.
    pub start: usize,
    /// All bytes of the line, with its line end; the lines of a file together are the file.
    pub raw: &'a [u8],
    /// What the line says.
    pub content: Content<'a>,
}

/// What one line says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// Nothing but blanks.
    Blank,
    /// A line that starts with `#` or `;`; its bytes need not be text.
    Comment,
    /// `key = value`.
    Pair(Pair<'a>),
    /// `[name]`.
    Section(&'a str),
    /// None of these.
    Broken(Syntax),
}

/// A line `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The name before the equals sign.
    pub key: &'a str,
    /// The value without its quotes.
    pub value: &'a str,
    /// Where the value stands in the file, quotes included.
    pub span: Range<usize>,
    /// How the value was quoted.
    pub quotes: Quotes,
}

/// How a value was quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quotes {
    /// Not at all.
    None,
    /// With `"`, as it should be.
    Plain,
    /// With the quotes that word processors make of them, on one side or both.
    Typographic,
}

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Syntax {
    /// Something other than a comment follows `]`.
    #[error("text after the section's closing bracket")]
    AfterBracket,
    /// Something other than a comment follows the closing quote.
    #[error("text after the closing quote")]
    AfterQuote,
    /// A control character other than a tab.
    #[error("a control character")]
    Control,
    /// The name before the equals sign has other characters than letters, digits, `_`, `-`, `.`.
    #[error("the name before `=` is not a key")]
    KeyName,
    /// Neither a section, nor a comment, nor `key = value`.
    #[error("expected `key = value` or `[section]`")]
    NoEquals,
    /// The bytes are not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// `[]`.
    #[error("a section without a name")]
    SectionName,
    /// `[name` without `]`.
    #[error("the section's closing bracket is missing")]
    UnclosedBracket,
    /// `"value` without a closing quote.
    #[error("the closing quote is missing")]
    UnclosedQuote,
}

impl Syntax {
    /// Whether the line would have begun a section.
    pub(crate) fn is_of_section(self) -> bool {
        matches!(self, Self::AfterBracket | Self::SectionName | Self::UnclosedBracket)
    }
}

/// Cuts a file into its lines; works on any bytes, in one pass.
pub fn lines(file: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0_usize;
    file.split_inclusive(|byte| *byte == b'\n').zip(1_u32..).map(move |(raw, number)| {
        let line = Line { number, start, raw, content: content(raw, start, number) };
        start = start.saturating_add(raw.len());
        line
    })
}

/// Reads `key = value`, quoted or not, as it stands on a command line.
///
/// # Errors
/// What is wrong with it.
pub fn assignment(text: &str) -> Result<Pair<'_>, Syntax> {
    if has_control(text) {
        return Err(Syntax::Control);
    }
    pair(text, 0)
}

fn content(raw: &[u8], start: usize, number: u32) -> Content<'_> {
    let (bytes, start) = match raw.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) if number == 1 => (rest, start.saturating_add(BYTE_ORDER_MARK.len())),
        _ => (raw, start),
    };
    let bytes = bytes.trim_ascii_end();
    if matches!(bytes.trim_ascii_start().first(), Some(b'#' | b';')) {
        return Content::Comment;
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return Content::Broken(Syntax::NotText);
    };
    match statement(text, start) {
        Ok(content) => content,
        Err(cause) => Content::Broken(cause),
    }
}

fn statement(text: &str, start: usize) -> Result<Content<'_>, Syntax> {
    if has_control(text) {
        return Err(Syntax::Control);
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Content::Blank);
    }
    match trimmed.strip_prefix('[') {
        Some(rest) => section(rest).map(Content::Section),
        None => pair(text, start).map(Content::Pair),
    }
}

fn section(rest: &str) -> Result<&str, Syntax> {
    let (name, after) = rest.split_once(']').ok_or(Syntax::UnclosedBracket)?;
    if !is_comment_or_empty(after) {
        return Err(Syntax::AfterBracket);
    }
    match name.trim() {
        "" => Err(Syntax::SectionName),
        name => Ok(name),
    }
}

fn pair(text: &str, start: usize) -> Result<Pair<'_>, Syntax> {
    let (key, value) = text.split_once('=').ok_or(Syntax::NoEquals)?;
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(is_key_byte) {
        return Err(Syntax::KeyName);
    }
    let written = value.trim();
    let (value, quotes, length) = value_of(written)?;
    let leading = text.trim_end().len().saturating_sub(written.len());
    let first = start.saturating_add(leading);
    Ok(Pair { key, value, span: first..first.saturating_add(length), quotes })
}

/// The value, how it was quoted, and how many bytes of `written` it takes with its quotes.
fn value_of(written: &str) -> Result<(&str, Quotes, usize), Syntax> {
    let Some((open, rest)) = split_quote(written) else {
        let value = bare(written);
        return Ok((value, Quotes::None, value.len()));
    };
    let plain_end = if open == '"' { rest.find('"') } else { None };
    let end = plain_end.or_else(|| rest.find(is_quote)).ok_or(Syntax::UnclosedQuote)?;
    let (value, closing) = rest.split_at_checked(end).ok_or(Syntax::UnclosedQuote)?;
    let (_, after) = split_quote(closing).ok_or(Syntax::UnclosedQuote)?;
    if !is_comment_or_empty(after) {
        return Err(Syntax::AfterQuote);
    }
    let quotes = if plain_end.is_some() { Quotes::Plain } else { Quotes::Typographic };
    Ok((value, quotes, written.len().saturating_sub(after.len())))
}

fn split_quote(text: &str) -> Option<(char, &str)> {
    let mut rest = text.chars();
    let first = rest.next().filter(|first| is_quote(*first))?;
    Some((first, rest.as_str()))
}

/// A bare value up to its comment. `a#b` has none, because passwords look like that.
fn bare(written: &str) -> &str {
    let mut after_blank = true;
    for (at, character) in written.char_indices() {
        if after_blank && matches!(character, '#' | ';') {
            return written.get(..at).unwrap_or_default().trim_end();
        }
        after_blank = character.is_whitespace();
    }
    written
}

fn is_comment_or_empty(after: &str) -> bool {
    matches!(after.trim_start().chars().next(), None | Some('#' | ';'))
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}')
}

fn has_control(text: &str) -> bool {
    text.chars().any(|character| character.is_control() && character != '\t')
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests {
    use super::*;

    fn only(file: &str) -> Content<'_> {
        lines(file.as_bytes()).next().unwrap().content
    }

    fn value(file: &str) -> (&str, Quotes) {
        match only(file) {
            Content::Pair(pair) => (pair.value, pair.quotes),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_read_as_the_manual_writes_them() {
        assert_eq!(value("a = yes"), ("yes", Quotes::None));
        assert_eq!(value("a=25 ; the port"), ("25", Quotes::None));
        assert_eq!(value("a = ab#c"), ("ab#c", Quotes::None));
        assert_eq!(value("a = # nothing"), ("", Quotes::None));
        assert_eq!(value("a = \"x; y # z\" # why"), ("x; y # z", Quotes::Plain));
        assert_eq!(value("a = \"C:\\temp\\\""), ("C:\\temp\\", Quotes::Plain));
        assert_eq!(value("a = \u{201D}reject\u{201D}\r\n"), ("reject", Quotes::Typographic));
        assert_eq!(value("a = \"reject\u{201D}"), ("reject", Quotes::Typographic));
        assert_eq!(
            value("a = \"say \u{201D}no\u{201D}\""),
            ("say \u{201D}no\u{201D}", Quotes::Plain)
        );
    }

    #[test]
    fn sections_keep_the_identity_as_written() {
        assert_eq!(only("[|Sender@Example.org] # x\n"), Content::Section("|Sender@Example.org"));
        assert_eq!(only("\u{FEFF}[ global ]"), Content::Section("global"));
    }

    #[test]
    fn broken_lines_say_why() {
        for (line, cause) in [
            ("[a] b", Syntax::AfterBracket),
            ("a = \"b\" c", Syntax::AfterQuote),
            ("a = b\u{7}", Syntax::Control),
            ("a b = c", Syntax::KeyName),
            ("= c", Syntax::KeyName),
            ("action_av", Syntax::NoEquals),
            ("[ ]", Syntax::SectionName),
            ("[a", Syntax::UnclosedBracket),
            ("a = \"b", Syntax::UnclosedQuote),
        ] {
            assert_eq!(only(line), Content::Broken(cause), "{line}");
        }
        let latin = lines(b"a = \xE9\n; \xE9\n").map(|line| line.content).collect::<Vec<_>>();
        assert_eq!(latin, [Content::Broken(Syntax::NotText), Content::Comment]);
    }

    #[test]
    fn the_span_covers_the_value_and_its_quotes() {
        let file = "# x\r\n  key =\t \"a b\"  # why\r\nother=5";
        let spans = lines(file.as_bytes())
            .filter_map(|line| match line.content {
                Content::Pair(pair) => file.get(pair.span),
                _ => None,
            })
            .collect::<Vec<_>>();
        assert_eq!(spans, ["\"a b\"", "5"]);
    }
}
