//! Lists for judging the links of a mail: `.pdb` names hosts that links must not only pretend to
//! lead to, `.wdb` pairs of hosts that may differ.
//!
//! `H:host[:levels]` and `R:real:shown[:levels]` protect, `M:real:shown[:levels]` and
//! `X:real:shown[:levels]` allow. Those of `R` and `X` are regular expressions for both together.

use super::regex::RegexFlags;
use super::{Loaded, Loader, Rejection, SourceFile, level};
use crate::database::DatabaseBuilder;
use crate::matcher::Regex;

/// What a list says of links.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkRule<'a> {
    /// A host that is protected, with all under it.
    Protected(&'a str),
    /// A regular expression for `real:shown` that makes a link suspicious.
    ProtectedBy(&'a str),
    /// `real:shown`, two hosts that may differ.
    Allowed(&'a str),
    /// A regular expression for `real:shown` of what may differ.
    AllowedBy(&'a str),
}

/// Reads lists for judging the links of a mail.
pub(super) struct Links;

impl Loader for Links {
    fn about(&self) -> &'static str {
        "lists for judging the links of a mail; of `.gdb` nothing is used"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["gdb", "pdb", "wdb"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        let is_allowing = source.extension() == "wdb";
        source.each_line(builder, |line, builder| {
            let rule = LinkRule::parse(line)?;
            let is_allowed = matches!(rule, LinkRule::Allowed(_) | LinkRule::AllowedBy(_));
            if is_allowed != is_allowing {
                return Err(Rejection::Field("kind of link"));
            }
            builder.add_link(&rule)
        })
    }
}

impl<'a> LinkRule<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Rejection`] if it is none, if it is for other levels, or of a kind that is not used.
    pub fn parse(line: &'a str) -> Result<Self, Rejection> {
        let (kind, rest) = line.split_once(':').ok_or(Rejection::Field("number of fields"))?;
        let letters = kind.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let rest = without_levels(rest)?;
        if rest.is_empty() {
            return Err(Rejection::Field("host"));
        }
        let is_pair = rest.contains(':');
        match letters {
            "H" if !is_pair => Ok(Self::Protected(rest)),
            "M" if is_pair => Ok(Self::Allowed(rest)),
            "R" if is_pair => expression(rest).map(Self::ProtectedBy),
            "X" if is_pair => expression(rest).map(Self::AllowedBy),
            "S" | "U" | "UX" | "Y" => Err(Rejection::Unsupported("lists of links")),
            _ => Err(Rejection::Field("kind of link")),
        }
    }
}

/// What stands before the levels, `:17-` or `:17-80`.
fn without_levels(rest: &str) -> Result<&str, Rejection> {
    let Some((before, levels)) = rest.rsplit_once(':') else { return Ok(rest) };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match levels.split_once('-') {
        Some((low, high)) if !low.is_empty() && is_number(low) && is_number(high) => {
            let levels = [low, high];
            level(if high.is_empty() { &levels[..1] } else { &levels })?;
            Ok(before)
        }
        _ => Ok(rest),
    }
}

fn expression(text: &str) -> Result<&str, Rejection> {
    let fits = text.len() <= LONGEST && Regex::new(text, RegexFlags::of_name(false)).is_some();
    if fits { Ok(text) } else { Err(Rejection::Field("regular expression")) }
}

/// Of a regular expression, in bytes.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_rules() {
        let rule = LinkRule::parse;
        assert_eq!(rule("H:example.com:17-"), Ok(LinkRule::Protected("example.com")));
        assert_eq!(rule("H:example.com"), Ok(LinkRule::Protected("example.com")));
        assert_eq!(rule("M:a.b:c.d:17-255"), Ok(LinkRule::Allowed("a.b:c.d")));
        assert_eq!(rule("X:.+\\.a:.+\\.b:17-"), Ok(LinkRule::AllowedBy(".+\\.a:.+\\.b")));
        assert_eq!(rule("R5:http://a:b"), Ok(LinkRule::ProtectedBy("http://a:b")));
        for wrong in ["", "H", "H:", "H:a:b", "M:a", "Q:a:b", "R:(:b"] {
            assert!(matches!(rule(wrong), Err(Rejection::Field(_))), "{wrong}");
        }
        assert!(matches!(rule("S:P:00112233"), Err(Rejection::Unsupported(_))));
    }
}
