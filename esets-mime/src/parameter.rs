//! Parameters of structured fields (RFC 2045, 5.1; RFC 2231), found wherever they stand and read in
//! every way that some mail program reads them.

use crate::bytes::{from, is_space, trim, up_to};
use crate::charset;
use crate::encoded_word;
use crate::value::{
    forms, is_unmistakable, percent_bytes, plain_forms, standard, without_comments,
};
use memchr::{memchr, memmem};

/// One occurrence of `name=…` in a field.
#[derive(Debug)]
struct Occurrence<'v> {
    /// The number of a continuation (RFC 2231, 3).
    section: Option<u32>,
    /// Percent-encoded, with a character set (RFC 2231, 4).
    extended: bool,
    /// What follows the equals sign, to the end of the field.
    text: &'v [u8],
}

/// All parameters of one name in one field.
#[derive(Debug)]
pub(crate) struct Parameter<'v> {
    found: Vec<Occurrence<'v>>,
}

impl<'v> Parameter<'v> {
    /// Finds `name` in the unfolded value of a field.
    pub(crate) fn find(value: &'v [u8], name: &str) -> Self {
        let lower = value.to_ascii_lowercase();
        let found = memmem::find_iter(&lower, name.as_bytes())
            .filter(|&at| starts_a_word(value, at))
            .filter_map(|at| occurrence(from(value, at.saturating_add(name.len()))))
            .take(MOST)
            .collect();
        Self { found }
    }

    pub(crate) fn is_repeated(&self) -> bool {
        let plain = |extended| {
            self.found.iter().filter(|o| o.section.is_none() && o.extended == extended).count()
        };
        plain(true) > 1 || plain(false) > 1
    }

    pub(crate) fn is_present(&self) -> bool {
        !self.found.is_empty()
    }

    /// The value as the standards have it: of the first occurrence.
    pub(crate) fn standard(&self) -> Option<Vec<u8>> {
        let first = self.found.iter().find(|o| o.section.is_none())?;
        Some(standard(first.text))
    }

    /// The value of the first occurrence, if it is one that no reader can mistake: a token or a
    /// plain quoted string.
    pub(crate) fn agreed(&self) -> Option<Vec<u8>> {
        let first = self.found.iter().find(|o| o.section.is_none() && !o.extended)?;
        let is_plain = |b: &u8| b.is_ascii_graphic() || *b == b' ';
        is_unmistakable(first.text).then(|| standard(first.text)).filter(|v| v.iter().all(is_plain))
    }

    /// Every reading of every occurrence, each once, the likeliest first.
    pub(crate) fn readings(&self) -> Vec<Vec<u8>> {
        let mut all = Readings::default();
        for joined in self.joined() {
            all.add(&joined.bytes);
        }
        for occurrence in &self.found {
            for form in forms(up_to(occurrence.text, LONGEST_BOUNDARY)) {
                if occurrence.extended {
                    all.add(&percent_decoded(&form).bytes);
                }
                all.variants(&form);
            }
        }
        all.0
    }

    /// The values as text, for names: what RFC 2231 encodes first.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.joined().iter().map(Labelled::text).collect();
        let plain = self.found.iter().filter(|o| o.section.is_none());
        for occurrence in plain {
            let main = standard(occurrence.text);
            if occurrence.extended {
                texts.push(percent_decoded(&main).text());
            } else {
                texts.push(encoded_word::decode(&main));
                let forms = plain_forms(occurrence.text);
                texts.extend(forms.iter().map(|form| encoded_word::decode(form)));
            }
        }
        let mut seen = Vec::new();
        texts.retain(|text| {
            !text.is_empty() && !seen.contains(text) && {
                seen.push(text.clone());
                true
            }
        });
        texts
    }

    /// Continuations put together, and single extended values.
    fn joined(&self) -> Vec<Labelled> {
        let mut sections: Vec<_> = self.found.iter().filter(|o| o.section.is_some()).collect();
        sections.sort_by_key(|o| o.section);
        let mut joined = Labelled::default();
        for (at, occurrence) in sections.iter().enumerate() {
            let text = standard(occurrence.text);
            match occurrence.extended {
                true if at == 0 => joined = percent_decoded(&text),
                true => joined.bytes.extend(percent_bytes(&text)),
                false => joined.bytes.extend(text),
            }
        }
        let mut all = Vec::new();
        if !sections.is_empty() {
            all.push(joined);
        }
        let single = self.found.iter().filter(|o| o.section.is_none() && o.extended);
        all.extend(single.map(|o| percent_decoded(&standard(o.text))));
        all
    }
}

/// Bytes in a character set that they may have named.
#[derive(Debug, Default)]
struct Labelled {
    label: Vec<u8>,
    bytes: Vec<u8>,
}

impl Labelled {
    fn text(&self) -> String {
        charset::decode(&self.label, &self.bytes).into_owned()
    }
}

/// Readings, each once and not too many.
#[derive(Default)]
struct Readings(Vec<Vec<u8>>);

impl Readings {
    fn add(&mut self, bytes: &[u8]) {
        if self.0.len() < MOST && !bytes.is_empty() && !self.0.iter().any(|known| known == bytes) {
            self.0.push(bytes.to_vec());
        }
    }

    /// `form`, and what becomes of it without quotes, blanks, NUL, comments or encoded words.
    fn variants(&mut self, form: &[u8]) {
        self.add(form);
        self.add(trim(form));
        let without = |unwanted: fn(u8) -> bool| -> Vec<u8> {
            form.iter().copied().filter(|&b| !unwanted(b)).collect()
        };
        self.add(&without(is_space));
        self.add(&without(|b| b == 0));
        self.add(up_to(form, memchr(0, form).unwrap_or(form.len())));
        self.add(trim(&without(|b| b == b'"')));
        self.add(trim(&without(|b| b == b'\'')));
        self.add(up_to(form, memchr(b'"', form).unwrap_or(form.len())));
        self.add(up_to(form, memchr(b'(', form).unwrap_or(form.len())));
        self.add(&without_comments(form));
        if memmem::find(form, b"=?").is_some() {
            self.add(encoded_word::decode(form).as_bytes());
        }
    }
}

fn starts_a_word(value: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| value.get(before));
    !before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// What follows the name: `*`, a section, `*`, and the equals sign, with blanks anywhere.
fn occurrence(text: &[u8]) -> Option<Occurrence<'_>> {
    let mut section = None;
    let mut extended = false;
    let mut rest = skip_blanks(text);
    while let Some(after) = rest.strip_prefix(b"*") {
        let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            let number = std::str::from_utf8(up_to(after, digits)).ok();
            section = number.and_then(|number| number.parse().ok());
        } else {
            extended = true;
        }
        rest = skip_blanks(from(after, digits));
    }
    let text = up_to(skip_blanks(rest.strip_prefix(b"=")?), LONGEST);
    Some(Occurrence { section, extended, text })
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    from(text, text.iter().take_while(|&&b| is_space(b) || b == 0).count())
}

/// `charset'language'text`, percent-encoded.
fn percent_decoded(text: &[u8]) -> Labelled {
    let mut parts = text.splitn(3, |&b| b == b'\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(label), Some(_), Some(rest)) => {
            Labelled { label: label.to_vec(), bytes: percent_bytes(rest) }
        }
        _ => Labelled { label: Vec::new(), bytes: percent_bytes(text) },
    }
}

/// Occurrences, and readings of them, that are cared for.
const MOST: usize = 32;
/// Bytes of one value.
const LONGEST: usize = 8 << 10;
/// Bytes of a value that is read in every way; a boundary has 70 at most.
const LONGEST_BOUNDARY: usize = 1 << 10;
