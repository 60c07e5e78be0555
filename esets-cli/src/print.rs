//! Names and results as lines that no hostile name can forge.

use esets_policy::core::{Printable, Reason, Record, Verdict};

/// Bytes as one line of text without a double quote: what is not UTF-8 and quotes are shown as
/// `\xNN`, control characters as `\u{NN}`.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    Printable(bytes).to_string().replace('"', "\\x22")
}

/// How the place of an object in its containers is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    separator: &'static [u8],
}

impl Names {
    /// The separator is a guillemet in the character set of the caller's locale: MailScanner cuts
    /// names at the Latin-1 byte, everyone else reads UTF-8.
    pub(crate) fn of_locale() -> Self {
        let variables = ["LC_ALL", "LC_CTYPE", "LANG"];
        let values = variables.iter().filter_map(std::env::var_os);
        let locale = values.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
        Self { separator: if is_utf8 { " » ".as_bytes() } else { b" \xbb " } }
    }

    /// `mail.eml » MESSAGE » invoice.zip » ZIP » invoice.exe`: the record at `index` with all
    /// containers around it. The outermost name is as the caller gave it, but see [`heeded`].
    pub(crate) fn path(self, verdict: &Verdict, index: usize) -> Vec<u8> {
        let mut lineage: Vec<&Record> = verdict.lineage(index).collect();
        let mut path =
            lineage.pop().map(|root| quoted(&root.name)).unwrap_or_default().into_bytes();
        let mut inner = Vec::new();
        let mut container = verdict.records().first();
        while let Some(record) = lineage.pop() {
            let formats = container.map(|record| record.formats.join("+")).unwrap_or_default();
            if !formats.is_empty() {
                inner.extend_from_slice(self.separator);
                inner.extend_from_slice(formats.to_ascii_uppercase().as_bytes());
            }
            inner.extend_from_slice(self.separator);
            inner.extend_from_slice(member(&record.name).as_bytes());
            container = Some(record);
        }
        if inner.len() > LONGEST_PATH {
            let end = inner.len().saturating_sub(LONGEST_PATH);
            inner.drain(..end);
            path.extend_from_slice(self.separator);
            path.extend_from_slice(b"...");
        }
        path.extend_from_slice(&inner);
        path
    }
}

/// The name of a member. It is hostile, and nobody opens it by this name, so what callers
/// misread is escaped: the separator, commas, and phrases that MailScanner ignores lines for.
fn member(name: &[u8]) -> String {
    if name.is_empty() {
        return "(no name)".into();
    }
    let name = quoted(name.get(..LONGEST_NAME).unwrap_or(name));
    let phrases = IGNORED.iter().chain(MISREAD);
    phrases.fold(name, |name, phrase| defused(&name, phrase))
}

/// A part of a line about a threat, without the phrases that MailScanner ignores lines for: it
/// would not see the threat. So the name of a file is not always as the caller gave it.
pub(crate) fn heeded(part: &[u8]) -> Vec<u8> {
    // What is not ASCII may be in any character set, as the separator is.
    let text: String = part.iter().map(|byte| char::from(*byte)).collect();
    let text = IGNORED.iter().fold(text, |text, phrase| defused(&text, phrase));
    text.chars().filter_map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

/// The text with the first character of every `phrase`, in any case, as `\u{NN}`.
fn defused(text: &str, phrase: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find(phrase) {
        let (before, found) = rest.split_at(at);
        let mut found = found.chars();
        let first = found.next().map_or(0, u32::from);
        result.push_str(&format!("{before}\\u{{{first:x}}}"));
        rest = found.as_str();
    }
    result + rest
}

/// Why something was not looked at, beginning with a phrase by which callers tell such lines from
/// those about threats.
pub(crate) fn reason(reason: &Reason) -> String {
    let phrase = match reason {
        Reason::Encrypted => return "password protected".into(),
        Reason::Corrupt(_) | Reason::Truncated => "archive damaged",
        _ => "error reading archive",
    };
    quoted(format!("{phrase} - {reason}").as_bytes())
}

/// The same for what could not even be opened.
pub(crate) fn unreadable(problem: &str) -> String {
    quoted(format!("error reading archive - {problem}").as_bytes())
}

/// What makes MailScanner ignore a line, in any case.
const IGNORED: &[&str] = &["protected", "archive damaged", "error reading archive"];
/// What ends a field too early.
const MISREAD: &[&str] = &[",", "»"];
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_field_or_its_line() {
        assert_eq!(quoted(b"a\nb: virus=\"X\""), "a\\u{a}b: virus=\\x22X\\x22");
    }

    #[test]
    fn the_name_of_a_member_is_not_misread() {
        assert_eq!(member(b"Protected, \xc2\xbb ZIP"), "\\u{50}rotected\\u{2c} \\u{bb} ZIP");
        assert_eq!(member(b""), "(no name)");
    }

    #[test]
    fn no_reason_is_counted_as_a_threat_by_mailscanner() {
        let reasons = [Reason::Encrypted, Reason::Truncated, Reason::Cancelled];
        for line in reasons.iter().map(reason) {
            assert!(IGNORED.iter().any(|phrase| line.contains(phrase)), "{line}");
        }
    }
}
