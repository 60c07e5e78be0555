//! Links of mails as those who follow them are led: the host behind all disguise.

use std::fmt::Write as _;

/// An address that a link leads to or shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// `http`, `https`, `ftp`, or nothing where none is shown.
    pub(super) scheme: &'static str,
    /// In lower case, without what stands before `@`, without port and dots at its end.
    pub(super) host: String,
    /// What follows the host, in the canonical form of Safe Browsing; with the query.
    path: String,
    /// Whether a zero stands in the place of the host, which some programs end it at.
    pub(super) has_null: bool,
}

impl Url {
    /// What a link leads to; nothing if it does not leave the mail, or is longer than is followed.
    pub(super) fn of_target(target: &[u8]) -> Option<Self> {
        if target.len() > LONGEST_ADDRESS {
            return None;
        }
        let text: Vec<u8> =
            target.iter().copied().filter(|byte| *byte > b' ' && *byte != 0x7f).collect();
        let (scheme, rest) = scheme_at_start(&text)?;
        // Browsers read any number of slashes, in either direction.
        let start = rest.iter().position(|byte| !matches!(byte, b'/' | b'\\'))?;
        Self::of_authority(scheme, rest.get(start..)?)
    }

    /// What a link shows, if that is an address.
    pub(super) fn of_shown(shown: &[u8]) -> Option<Self> {
        let text = visible(shown);
        if let Some(start) = SCHEMES.iter().filter_map(|scheme| find(&text, scheme)).min() {
            let text = text.get(start..)?;
            let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
            return Self::of_target(text.get(..end)?);
        }
        let text: Vec<u8> =
            text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        if text.contains(&b'@') {
            return None;
        }
        Self::of_authority("", &text)
    }

    fn of_authority(scheme: &'static str, text: &[u8]) -> Option<Self> {
        let end = text.iter().position(|byte| b"/\\?#".contains(byte)).unwrap_or(text.len());
        let path = canonical_path(text.get(end..)?);
        let authority = percent_decoded(text.get(..end)?);
        let has_null = authority.contains(&0);
        let host = authority.rsplit(|byte| *byte == b'@').next()?;
        let host = host.split(|byte| *byte == b':').next()?;
        let host = String::from_utf8_lossy(host).to_lowercase();
        let host = host.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
        let host = host.trim_matches(['.', '"', '\'', '(', ')', ',', ';', '\0']);
        let is_host = host.len() <= LONGEST && host.contains('.') && host.chars().all(is_of_host);
        if let Some(host) = address(host).filter(|_| !scheme.is_empty()) {
            return Some(Self { scheme, host, path, has_null });
        }
        is_host.then(|| Self { scheme, host: host.to_string(), path, has_null })
    }

    /// As lists name it: with its scheme if it has one.
    pub(super) fn in_words(&self) -> String {
        if self.scheme.is_empty() {
            self.host.clone()
        } else {
            format!("{}://{}", self.scheme, self.host)
        }
    }

    /// The spellings that lists may name it by: up to five hosts, each with up to six paths.
    pub(super) fn spellings(&self) -> impl Iterator<Item = String> {
        let is_address = self.host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let dots = self.host.rmatch_indices('.').skip(1).take(if is_address { 0 } else { 4 });
        let ends = dots.filter_map(|(dot, _)| self.host.get(dot.checked_add(1)?..));
        let mut paths = vec![&*self.path];
        let path = self.path.split_once('?').map_or(&*self.path, |(path, _)| path);
        paths.push(path);
        let folders = path.match_indices('/').take(4);
        paths.extend(folders.filter_map(|(slash, _)| path.get(..slash.checked_add(1)?)));
        paths.sort_unstable();
        paths.dedup();
        let mut hosts: Vec<&str> = ends.chain([&*self.host]).collect();
        hosts.dedup();
        hosts.into_iter().flat_map(move |host| {
            let paths = paths.clone();
            paths.into_iter().map(move |path| format!("{host}{path}"))
        })
    }

    /// What one owner registers: the last two labels, or three below `co.uk` and its kin.
    pub(super) fn domain(&self) -> &str {
        let mut dots = self.host.rmatch_indices('.').map(|(at, _)| at);
        let (last, second) = (dots.next(), dots.next());
        let width = |from: Option<usize>, to: usize| {
            to.saturating_sub(from.map_or(0, |from| from.saturating_add(1)))
        };
        let is_national = last.is_some_and(|last| {
            width(Some(last), self.host.len()) == 2 && width(second, last) <= 3
        });
        let start = if is_national { dots.next() } else { second };
        let start = start.map_or(0, |dot| dot.saturating_add(1));
        self.host.get(start..).unwrap_or(&self.host)
    }
}

/// The path without steps back, doubled slashes and fragment, decoded as often as it is encoded
/// and then encoded once (Safe Browsing, "Canonicalization").
fn canonical_path(text: &[u8]) -> String {
    let text = text.split(|byte| *byte == b'#').next().unwrap_or_default();
    let mut decoded = percent_decoded(text);
    for _ in 0..DECODINGS {
        decoded = percent_decoded(&decoded);
    }
    let query = decoded.iter().position(|byte| *byte == b'?').unwrap_or(decoded.len());
    let (path, query) = decoded.split_at_checked(query).unwrap_or_default();
    let mut parts: Vec<&[u8]> = Vec::new();
    let is_folder = path.ends_with(b"/") || path.ends_with(b"/.") || path.ends_with(b"/..");
    for part in path.split(|byte| matches!(byte, b'/' | b'\\')) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let mut canonical = Vec::new();
    for part in &parts {
        canonical.push(b'/');
        canonical.extend(*part);
    }
    if is_folder || parts.is_empty() {
        canonical.push(b'/');
    }
    canonical.extend(query);
    let mut text = String::new();
    for byte in canonical {
        match byte {
            b'!'..=b'~' if byte != b'%' && byte != b'#' => text.push(byte.into()),
            _ => {
                // Writing to a string does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// The addresses that stand in a text, each up to white space, a quote or an angle bracket.
pub(super) fn addresses(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = memchr::memmem::find(rest, b"://")?;
            let (before, behind) = rest.split_at_checked(at)?;
            let scheme = SCHEMES.iter().find(|scheme| {
                let scheme = scheme.trim_end_matches(':').as_bytes();
                let start = before.len().checked_sub(scheme.len());
                let end = start.and_then(|start| before.get(start..));
                end.is_some_and(|end| end.eq_ignore_ascii_case(scheme))
            });
            let Some(scheme) = scheme else {
                rest = behind.get(3..)?;
                continue;
            };
            let start = at.saturating_add(1).saturating_sub(scheme.len());
            let address = rest.get(start..)?;
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>".contains(byte);
            let end = address.iter().position(ends).unwrap_or(address.len());
            let (address, behind) = address.split_at_checked(end)?;
            rest = behind;
            return Some(address);
        }
    })
}

fn scheme_at_start(text: &[u8]) -> Option<(&'static str, &[u8])> {
    SCHEMES.iter().find_map(|scheme| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        let is_it = start.eq_ignore_ascii_case(scheme.as_bytes());
        is_it.then(|| (scheme.trim_end_matches(':'), rest))
    })
}

fn find(text: &[u8], scheme: &str) -> Option<usize> {
    let slashes = format!("{scheme}//");
    text.windows(slashes.len()).position(|it| it.eq_ignore_ascii_case(slashes.as_bytes()))
}

/// The text without what a reader does not see: characters of no width.
fn visible(text: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => {
            let is_unseen =
                |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
            text.chars().filter(|c| !is_unseen(*c)).collect::<String>().into_bytes()
        }
        Err(_) => text.to_vec(),
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let code = behind.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(*first);
                rest = behind;
            }
        }
    }
    decoded
}

/// An IPv4 address as four decimal numbers, in whichever of its forms it was written
/// (`inet_aton`): up to four numbers, decimal, octal or hexadecimal, the last for what is left.
fn address(host: &str) -> Option<String> {
    let parts: Vec<&str> = host.split('.').collect();
    let (last, first) = parts.split_last().filter(|_| parts.len() <= 4)?;
    let mut value = 0_u64;
    for part in first {
        value = value << 8 | number(part).filter(|number| *number <= 0xff)?;
    }
    let left = 32_u32.saturating_sub(8_u32.saturating_mul(u32::try_from(first.len()).ok()?));
    let last = number(last).filter(|number| number >> left == 0)?;
    let [a, b, c, d] = u32::try_from(value << left | last).ok()?.to_be_bytes();
    Some(format!("{a}.{b}.{c}.{d}"))
}

fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let is_number = digits.bytes().all(|digit| char::from(digit).is_digit(radix));
    u64::from_str_radix(digits, radix).ok().filter(|_| is_number)
}

fn is_of_host(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '.' | '_')
}

static SCHEMES: &[&str] = &["http:", "https:", "ftp:"];

/// So often a path is decoded anew.
const DECODINGS: usize = 4;

/// Of an address, in bytes: no browser follows a longer one.
const LONGEST_ADDRESS: usize = 2 << 20;

/// Of a host, in bytes (RFC 1035, section 2.3.4).
const LONGEST: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    fn host(target: &str) -> Option<String> {
        Url::of_target(target.as_bytes()).map(|url| url.host)
    }

    #[test]
    fn a_disguise_does_not_hide_the_host() {
        for target in [
            "http://evil.example/",
            "HTTP://EVIL.Example:80/",
            "http://evil.example.",
            "http:evil.example",
            "http:/evil.example",
            "http:\\\\evil.example\\www.bank.example",
            "https:////evil.example",
            "http://www.bank.example@evil.example/",
            "http://www.bank.example:x@evil.example:8080",
            " ht\ntp://ev\til.example",
            "http://%65vil.ex%61mple/",
            "http://www.bank.example%40evil.example",
            "http://evil\u{3002}example/",
            "http://a@b@evil.example?@www.bank.example",
            "http://evil.example#@www.bank.example",
            "ftp://evil.example",
        ] {
            assert_eq!(host(target).as_deref(), Some("evil.example"), "{target}");
        }
    }

    #[test]
    fn what_is_longer_than_browsers_follow_is_no_target() {
        let long = |length: usize| format!("http://evil.example/{}", "x".repeat(length));
        assert_eq!(host(&long(LONGEST_ADDRESS - 20)).as_deref(), Some("evil.example"));
        assert_eq!(host(&long(LONGEST_ADDRESS)), None);
    }

    #[test]
    fn addresses_have_one_form() {
        for target in
            ["http://127.0.0.1/", "http://0x7f.1", "http://2130706433/", "http://0177.0.0.01:80"]
        {
            assert_eq!(host(target).as_deref(), Some("127.0.0.1"), "{target}");
        }
        assert_eq!(host("http://256.1.1.1/").as_deref(), Some("256.1.1.1"));
    }

    #[test]
    fn what_does_not_leave_the_mail_is_no_target() {
        for target in
            ["", "#x", "/x", "mailto:a@b.example", "javascript:x", "cid:1", "http:", "http://"]
        {
            assert_eq!(host(target), None, "{target}");
        }
    }

    #[test]
    fn addresses_are_read_in_what_is_shown() {
        let host = |shown: &str| Url::of_shown(shown.as_bytes()).map(|url| url.host);
        for shown in [
            "www.bank.example",
            " WWW . Bank . Example ",
            "\"www.bank.example\"",
            "log in at https://www.bank.example/x now",
            "www.bank.example/foo?x",
            "www.bank.example:443",
            "www.ba\u{ad}nk\u{200b}.example",
        ] {
            assert_eq!(host(shown).as_deref(), Some("www.bank.example"), "{shown}");
        }
        for shown in ["bank", "click here!", "a@bank.example", ""] {
            assert_eq!(host(shown), None, "{shown}");
        }
    }

    #[test]
    fn paths_are_canonical() {
        let path = |target: &str| Url::of_target(target.as_bytes()).map(|url| url.path);
        for (target, canonical) in [
            ("http://a.example", "/"),
            ("http://a.example?q", "/?q"),
            ("http://a.example/a/../b/./c", "/b/c"),
            ("http://a.example//a//b/", "/a/b/"),
            ("http://a.example/%2561%25%32%35", "/a%25"),
            ("http://a.example/a#b", "/a"),
            ("http://a.example/../..", "/"),
            ("http://a.example/\u{e9}", "/%C3%A9"),
        ] {
            assert_eq!(path(target).as_deref(), Some(canonical), "{target}");
        }
    }

    #[test]
    fn lists_name_hosts_and_folders() {
        let url = Url::of_target(b"http://a.b.c.d.e.f.g/1/2.html?p=1").unwrap();
        let spellings: Vec<_> = url.spellings().collect();
        for known in ["a.b.c.d.e.f.g/1/2.html?p=1", "c.d.e.f.g/1/", "f.g/", "d.e.f.g/1/2.html"] {
            assert!(spellings.iter().any(|spelling| spelling == known), "{known}");
        }
        assert_eq!(spellings.len(), 20);
        let texts = b"see http://a.example/x, <https://b.example> \"ftp://c.example\"";
        let found: Vec<_> = addresses(texts).collect();
        assert_eq!(found, [&b"http://a.example/x,"[..], b"https://b.example", b"ftp://c.example"]);
    }

    #[test]
    fn owners_register_domains() {
        let domain = |host: &str| {
            let host = host.to_string();
            Url { scheme: "", host, path: String::new(), has_null: false }.domain().to_string()
        };
        assert_eq!(domain("a.b.bank.example"), "bank.example");
        assert_eq!(domain("a.bank.co.uk"), "bank.co.uk");
        assert_eq!(domain("bank.co.uk"), "bank.co.uk");
        assert_eq!(domain("a.bank.de"), "bank.de");
        assert_eq!(domain("bank.example"), "bank.example");
    }
}
