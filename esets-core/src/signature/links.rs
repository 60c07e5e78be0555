//! Lists for judging the links of a mail: `.pdb` names hosts that links must not only pretend to
//! lead to, `.wdb` pairs of hosts that may differ, `.gdb` addresses by their digests.
//!
//! `H:host[:levels]` and `R:real:shown[:levels]` protect, `M:real:shown[:levels]` and
//! `X:real:shown[:levels]` allow. Those of `R` and `X` are regular expressions for both together.
//! `S:F:digest` (malware), `S1:F:` (blocked) and `S2:F:` (phishing) name addresses in the way of
//! Safe Browsing, `S:W:digest` one that is good; the prefixes of `S:P:` only lead to the others.

use super::regex::RegexFlags;
use super::{Loaded, Loader, Rejection, SourceDigest, SourceFile, level};
use crate::database::DatabaseBuilder;
use crate::matcher::Regex;
use crate::subject::Algorithm;

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
    /// The SHA-256 of an address that is bad: host and path, canonical and cut as
    /// Safe Browsing does.
    Bad(Threat, [u8; 32]),
    /// The SHA-256 of an address that is not.
    Good([u8; 32]),
}

/// What an address is listed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Threat {
    /// `S`.
    Malware,
    /// `S1`.
    Blocked,
    /// `S2`.
    Phishing,
}

/// Reads lists for judging the links of a mail.
pub(super) struct Links;

impl Loader for Links {
    fn about(&self) -> &'static str {
        "lists for judging the links of a mail"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["gdb", "pdb", "wdb"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        let extension = source.extension();
        source.each_line(builder, |line, builder| {
            if extension == "gdb" && is_prefix(line) {
                return Ok(());
            }
            let rule = LinkRule::parse(line)?;
            let of = match rule {
                LinkRule::Protected(_) | LinkRule::ProtectedBy(_) => "pdb",
                LinkRule::Allowed(_) | LinkRule::AllowedBy(_) => "wdb",
                LinkRule::Bad(..) | LinkRule::Good(_) => "gdb",
            };
            if of == extension {
                builder.add_link(&rule)
            } else {
                Err(Rejection::Field("kind of link"))
            }
        })
    }
}

/// Whether a line is the start of a digest that another line has: `S:P:00112233`.
fn is_prefix(line: &str) -> bool {
    let mut fields = line.split(':').skip(1);
    let is_it = fields.next() == Some("P");
    is_it
        && fields.next().is_some_and(|start| {
            start.len() == 8 && start.bytes().all(|digit| digit.is_ascii_hexdigit())
        })
}

fn address(kind: &str, rest: &str) -> Result<LinkRule<'static>, Rejection> {
    let (use_, digits) = rest.split_once(':').ok_or(Rejection::Field("number of fields"))?;
    let SourceDigest { algorithm, bytes: digest } = SourceDigest::parse(digits)?;
    if algorithm != Algorithm::Sha256 {
        return Err(Rejection::Field("hash"));
    }
    match (use_, kind) {
        ("W", _) => Ok(LinkRule::Good(digest)),
        ("F", "S") => Ok(LinkRule::Bad(Threat::Malware, digest)),
        ("F", "S1") => Ok(LinkRule::Bad(Threat::Blocked, digest)),
        ("F", "S2") => Ok(LinkRule::Bad(Threat::Phishing, digest)),
        _ => Err(Rejection::Field("kind of link")),
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
            "S" => address(kind, rest),
            "U" | "UX" | "Y" => Err(Rejection::Unsupported("lists of links")),
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
        let digest = "00112233445566778899aabbccddeeff".repeat(2);
        let (bad, good) = (format!("S1:F:{digest}"), format!("S:W:{digest}"));
        let bad = rule(&bad);
        assert!(matches!(bad, Ok(LinkRule::Bad(Threat::Blocked, [0, 0x11, ..]))));
        assert!(matches!(rule(&good), Ok(LinkRule::Good(_))));
        assert!(matches!(rule("Y:a.b"), Err(Rejection::Unsupported(_))));
    }
}
