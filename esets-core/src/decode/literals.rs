//! What scripts write so that it is not read: joined strings, escapes, codes of letters, base64.

use esets_mime::Encoding;

/// What was found in a script.
#[derive(Default)]
pub(crate) struct Literals {
    /// Every string that was put together or escaped, one a line.
    pub(crate) text: Vec<u8>,
    /// Every piece of base64 or hexadecimal, decoded.
    pub(crate) data: Vec<Vec<u8>>,
    /// What short pieces hold when there are very many, as in lists of checksums, one a line.
    pub(crate) crumbs: Vec<u8>,
}

impl Literals {
    /// Reads a script of any language in one pass; takes about twice its length in memory.
    pub(crate) fn read(script: &[u8]) -> Self {
        let mut found = Self::default();
        let mut reader = Reader { script, at: 0, dead: [0; 3] };
        while let Some(string) = reader.next_string() {
            found.keep(&string);
        }
        found.codes(script);
        for run in runs(script) {
            found.decode(run);
        }
        found
    }

    fn keep(&mut self, string: &Joined) {
        let is_escaped = memchr::memchr_iter(b'%', &string.text).take(4).count() == 4;
        if is_escaped {
            self.text.extend(percent_decoded(&string.text));
        } else if string.is_changed {
            self.text.extend_from_slice(&string.text);
        }
        if is_escaped || string.is_changed {
            self.text.push(b'\n');
        }
        if string.is_changed {
            self.decode(&string.text);
        }
    }

    fn decode(&mut self, letters: &[u8]) {
        match decoded(letters) {
            Some(crumb) if crumb.len() <= CRUMB && self.data.len() >= MOST => {
                self.crumbs.extend_from_slice(&crumb);
                self.crumbs.push(b'\n');
            }
            Some(data) => self.data.push(data),
            None => {}
        }
    }

    /// Letters by their codes: `fromCharCode(77, 90)`, `Chr(77) & Chr(90)`, `[char]77`.
    fn codes(&mut self, script: &[u8]) {
        let start = self.text.len();
        let mut rest = script;
        while let Some(at) = memchr::memchr2(b'(', b']', rest) {
            let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, b""));
            rest = behind.get(1..).unwrap_or_default();
            if !ends_with_name(before) {
                continue;
            }
            let end = rest.iter().position(|b| !b.is_ascii_digit() && !b", \t\r\n".contains(b));
            let (list, behind) =
                rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, b""));
            let numbers = list.split(|byte| *byte == b',').filter_map(number);
            self.text.extend(numbers);
            rest = behind;
        }
        if self.text.len() > start {
            self.text.push(b'\n');
        }
    }
}

/// The bytes of base64 or hexadecimal digits, if there are enough of them and they are nothing else.
pub(crate) fn decoded(letters: &[u8]) -> Option<Vec<u8>> {
    let count = letters.iter().filter(|letter| !letter.is_ascii_whitespace()).count();
    if count < SHORTEST {
        return None;
    }
    if letters.iter().all(|b| b.is_ascii_hexdigit() || b.is_ascii_whitespace()) {
        return (count >= 2 * SHORTEST).then(|| from_hex(letters));
    }
    let has = |test: fn(&u8) -> bool| letters.iter().any(test);
    let is_mixed = has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(|b| b.is_ascii_digit() || matches!(b, b'+' | b'/'));
    let is_clean =
        letters.trim_ascii_end().iter().all(|b| is_base64(*b) || b.is_ascii_whitespace());
    (is_mixed && is_clean).then(|| Encoding::Base64.decode(letters).to_vec(usize::MAX))
}

/// The bytes of hexadecimal digits, whatever stands between them.
pub(crate) fn from_hex(letters: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = letters.iter().filter_map(|letter| hex(*letter)).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
}

/// Text with `%41` and `%u0041` decoded (RFC 3986, 2.1; ECMA-262, B.2.1.2).
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let wide = || behind.strip_prefix(b"u").and_then(|digits| wide_digits(digits, 4));
        match (first, behind) {
            (b'%', [high, low, next @ ..]) if pair(*high, *low).is_some() => {
                decoded.extend(pair(*high, *low));
                rest = next;
            }
            (b'%', _) if wide().is_some() => {
                decoded.extend_from_slice(
                    wide().unwrap_or_default().encode_utf8(&mut [0; 4]).as_bytes(),
                );
                rest = behind.get(5..).unwrap_or_default();
            }
            _ => decoded.push(*first),
        }
    }
    decoded
}

/// Strings that a script adds to each other, as one.
#[derive(Default)]
struct Joined {
    text: Vec<u8>,
    /// Whether it stands in the script otherwise.
    is_changed: bool,
}

struct Reader<'a> {
    script: &'a [u8],
    at: usize,
    /// Up to where no string in each kind of quotes ends, so that looking again costs nothing.
    dead: [usize; 3],
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.script.get(self.at..).unwrap_or_default()
    }

    fn next_string(&mut self) -> Option<Joined> {
        loop {
            let found = memchr::memchr3(b'"', b'\'', b'`', self.rest())?;
            self.at = self.at.saturating_add(found);
            let mut joined = Joined::default();
            if self.literal(&mut joined).is_none() {
                self.at = self.at.saturating_add(1);
                continue;
            }
            while self.goes_on() && self.literal(&mut joined).is_some() {
                joined.is_changed = true;
            }
            return Some(joined);
        }
    }

    /// Steps over `+`, `&` or `,` to the next string.
    fn goes_on(&mut self) -> bool {
        let rest = self.rest().trim_ascii_start();
        let Some((b'+' | b'&' | b',', rest)) = rest.split_first() else { return false };
        let rest = rest.trim_ascii_start();
        // VBScript and BASIC go on in the next line behind an underscore.
        let rest = rest.strip_prefix(b"_").map_or(rest, <[u8]>::trim_ascii_start);
        let is_string = matches!(rest.first(), Some(b'"' | b'\'' | b'`'));
        if is_string {
            self.at = self.script.len().saturating_sub(rest.len());
        }
        is_string
    }

    /// Reads the string that begins here.
    fn literal(&mut self, joined: &mut Joined) -> Option<()> {
        let (quote, mut rest) = self.rest().split_first()?;
        let kind = match quote {
            b'"' => 0,
            b'`' => 1,
            _ => 2,
        };
        let dead = self.dead.get_mut(kind)?;
        if self.at < *dead {
            return None;
        }
        let start = joined.text.len();
        let mut is_escaped = false;
        while let Some((letter, behind)) = rest.split_first() {
            rest = behind;
            match letter {
                letter if letter == quote => {
                    joined.is_changed |= is_escaped;
                    self.at = self.script.len().saturating_sub(rest.len());
                    return Some(());
                }
                b'\n' if *quote != b'`' => break,
                b'\\' => {
                    let (code, length) = escape(behind);
                    rest = behind.get(length..).unwrap_or_default();
                    is_escaped |= length > 1;
                    joined.text.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                }
                letter => joined.text.push(*letter),
            }
        }
        *dead = self.script.len().saturating_sub(rest.len());
        joined.text.truncate(start);
        None
    }
}

/// What a backslash and what follows stand for, and the length of that.
fn escape(behind: &[u8]) -> (char, usize) {
    match behind {
        [b'x', digits @ ..] => wide_digits(digits, 2).map_or(('x', 1), |code| (code, 3)),
        [b'u', digits @ ..] => wide_digits(digits, 4).map_or(('u', 1), |code| (code, 5)),
        [b'n', ..] => ('\n', 1),
        [b't', ..] => ('\t', 1),
        [letter, ..] if letter.is_ascii() => (char::from(*letter), 1),
        _ => ('\\', 0),
    }
}

fn wide_digits(digits: &[u8], count: usize) -> Option<char> {
    let digits = std::str::from_utf8(digits.get(..count)?).ok()?;
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

fn ends_with_name(before: &[u8]) -> bool {
    NAMES.iter().any(|name| {
        let tail = before.len().checked_sub(name.len()).and_then(|at| before.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(name))
    })
}

fn number(text: &[u8]) -> Option<u8> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Runs of the letters of base64.
fn runs(script: &[u8]) -> impl Iterator<Item = &[u8]> {
    script.split(|byte| !is_base64(*byte)).filter(|run| run.len() >= SHORTEST)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn pair(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

const NAMES: &[&[u8]] = &[b"fromCharCode", b"chr", b"chrw", b"[char"];

/// How many letters make base64 worth a look.
const SHORTEST: usize = 64;

/// How many pieces are objects of their own whatever their length, and how long the others are,
/// in bytes.
const MOST: usize = 1024;
const CRUMB: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(script: &str) -> String {
        String::from_utf8_lossy(&Literals::read(script.as_bytes()).text).into_owned()
    }

    #[test]
    fn strings_are_put_together() {
        assert_eq!(text("a = 'in' + \"voi\" +\n 'ce'; b = 'x'"), "invoice\n");
        assert_eq!(text("x = \"in\" & _\r\n\"voice\""), "invoice\n");
        assert_eq!(text(r"'\x69\u006evoice'"), "invoice\n");
        assert_eq!(text("unescape('%69%6e%76%u006fice')"), "invoice\n");
        assert_eq!(text("String.fromCharCode(105, 110)+Chr(118)"), "inv\n");
        assert_eq!(text("it's nothing"), "");
    }

    #[test]
    fn very_many_pieces_are_all_kept() {
        let short =
            "QUJDZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY3ODkwQUJDREVGR0hJSktM\n".repeat(MOST + 3);
        let long = "QUJD/GVm".repeat(64);
        let found = Literals::read(format!("{short}{long}").as_bytes());
        assert_eq!(found.data.len(), MOST + 1);
        assert_eq!(found.crumbs.iter().filter(|byte| **byte == b'\n').count(), 3);
    }
}
