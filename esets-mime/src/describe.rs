//! What the header of an entity says about its body, in every reading.

use crate::bytes::{from, starts_with, trim, up_to};
use crate::defect::{Defect, Defects, Limit};
use crate::encoded_word;
use crate::field::Field;
use crate::parameter::Parameter;
use crate::transfer::Encoding;
use crate::value::without_comments;
use memchr::memchr;
use std::borrow::Cow;
use std::fmt;

/// A media type (RFC 2045, 5.1) in lower case, such as `text/plain`. Either half may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MediaType {
    main: String,
    sub: String,
}

impl MediaType {
    /// The half before the slash.
    #[must_use]
    pub fn main(&self) -> &str {
        &self.main
    }

    /// The half after the slash.
    #[must_use]
    pub fn sub(&self) -> &str {
        &self.sub
    }

    /// Whether this is `main/sub`; both in lower case.
    #[must_use]
    pub fn is(&self, main: &str, sub: &str) -> bool {
        self.main == main && self.sub == sub
    }

    pub(crate) fn read(value: &[u8]) -> Self {
        let text = encoded_word::decode(&without_comments(value)).to_ascii_lowercase();
        let text: String = text.chars().filter(|c| !matches!(c, '"' | '\0')).collect();
        let mut pieces = text.split([';', ',']);
        let first = text.split([';', ',']).next().unwrap_or_default();
        let piece = pieces.find(|p| p.contains('/') && !p.contains('=')).unwrap_or(first);
        let (main, sub) = piece.split_once('/').unwrap_or((piece, ""));
        let word = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
        Self { main: word(main), sub: word(sub) }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.main, self.sub)
    }
}

/// The header of an entity, understood.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) types: Vec<MediaType>,
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) boundaries: Vec<Vec<u8>>,
    /// The boundary on which all readers of the first content type field agree.
    pub(crate) boundary: Option<Vec<u8>>,
}

impl Description {
    pub(crate) fn of(fields: &[Field<'_>], defects: &mut Defects) -> Self {
        let types = values(fields, "content-type");
        let encodings = values(fields, "content-transfer-encoding");
        for (count, defect) in [
            (types.len(), Defect::DuplicateType),
            (encodings.len(), Defect::DuplicateTransferEncoding),
            (values(fields, "content-disposition").len(), Defect::DuplicateDisposition),
        ] {
            if count > 1 {
                defects.add(defect);
            }
        }
        if !types.iter().all(|value| is_well_formed_type(value)) {
            defects.add(Defect::MalformedType);
        }
        let boundary = types.first().and_then(|value| Parameter::find(value, "boundary").agreed());
        let mut boundaries = Vec::new();
        // Some readers take a boundary from the disposition as well.
        let named = |name| fields.iter().filter(move |field: &&Field<'_>| field.is(name));
        let declaring = named("content-type").chain(named("content-disposition"));
        for (count, field) in declaring.enumerate() {
            if count >= MOST_FIELDS {
                defects.add(Defect::Limit(Limit::Readings));
                break;
            }
            add_boundaries(field, &mut boundaries, defects);
        }
        Self {
            types: types.iter().map(|value| MediaType::read(value)).collect(),
            encodings: encodings_of(&encodings, defects),
            boundaries,
            boundary,
        }
    }

    pub(crate) fn is_multipart(&self) -> bool {
        self.types.iter().any(|t| t.main.contains("multipart"))
    }

    /// Whether every type that is given says multipart.
    pub(crate) fn is_only_multipart(&self) -> bool {
        !self.types.is_empty() && self.types.iter().all(|t| t.main == "multipart")
    }

    pub(crate) fn is_digest(&self) -> bool {
        self.types.iter().any(|t| t.is("multipart", "digest"))
    }

    /// Whether the body is a message, as far as the types say so.
    pub(crate) fn is_message(&self) -> bool {
        self.types.iter().any(|t| t.main == "message" && !REPORTS.contains(&t.sub.as_str()))
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.types.iter().any(|t| t.is("message", "partial"))
    }

    pub(crate) fn is_text(&self) -> bool {
        self.types.iter().all(|t| t.main == "text" || t.main.is_empty())
    }
}

/// The values of all fields `name`, unfolded.
pub(crate) fn values<'a>(fields: &[Field<'a>], name: &str) -> Vec<Cow<'a, [u8]>> {
    fields.iter().filter(|field| field.is(name)).map(Field::unfolded).collect()
}

/// Whether this is two tokens around a slash, and nothing or a semicolon after them.
fn is_well_formed_type(value: &[u8]) -> bool {
    let piece = trim(up_to(value, memchr(b';', value).unwrap_or(value.len())));
    let mut halves = piece.splitn(2, |&b| b == b'/');
    let is_token = |half: Option<&[u8]>| {
        half.is_some_and(|half| !half.is_empty() && half.iter().all(|&b| is_token_byte(b)))
    };
    is_token(halves.next()) && is_token(halves.next())
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

fn add_boundaries(field: &Field<'_>, boundaries: &mut Vec<Vec<u8>>, defects: &mut Defects) {
    let value = field.unfolded();
    let parameter = Parameter::find(&value, "boundary");
    if parameter.is_repeated() {
        defects.add(Defect::DuplicateParameter);
    }
    let bare = without_comments(&value);
    let other = Parameter::find(&bare, "boundary");
    for reading in parameter.readings().into_iter().chain(other.readings()) {
        if !boundaries.contains(&reading) && boundaries.len() < MOST_BOUNDARIES {
            boundaries.push(reading);
        }
    }
}

fn encodings_of(values: &[Cow<'_, [u8]>], defects: &mut Defects) -> Vec<Encoding> {
    let mut all = Vec::new();
    for value in values {
        let bare = encodings_in(&without_comments(value));
        let found = if bare.is_empty() { encodings_in(value) } else { bare };
        if !is_well_formed_encoding(value) {
            defects.add(match found.len() {
                1 => Defect::MalformedTransferEncoding,
                _ => Defect::UnknownTransferEncoding,
            });
        }
        all.extend(found);
        if all.is_empty() {
            all.push(Encoding::Identity);
        }
    }
    if all.is_empty() {
        all.push(Encoding::Identity);
    }
    let mut seen = Vec::new();
    all.retain(|encoding| {
        !seen.contains(encoding) && {
            seen.push(*encoding);
            true
        }
    });
    all
}

/// Whether one of the known names stands alone in the field.
fn is_well_formed_encoding(value: &[u8]) -> bool {
    let name = trim(value);
    let name = if starts_with(name, b"x-") { from(name, 2) } else { name };
    STANDARD_NAMES.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// The encodings whose names occur in `value`, however they are disguised.
fn encodings_in(value: &[u8]) -> Vec<Encoding> {
    let plain = letters(value);
    let decoded = letters(encoded_word::decode(value).as_bytes());
    let mut found: Vec<(usize, Encoding)> = Vec::new();
    for (name, encoding) in NAMES {
        let at = plain.find(name).or_else(|| decoded.find(name));
        if let Some(at) = at.filter(|_| !found.iter().any(|(_, known)| known == encoding)) {
            found.push((at, *encoding));
        }
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, encoding)| encoding).collect()
}

fn letters(value: &[u8]) -> String {
    let shown = up_to(value, LONGEST_NAME);
    shown
        .iter()
        .filter(|b| b.is_ascii_alphanumeric())
        .map(|b| char::from(b.to_ascii_lowercase()))
        .collect()
}

/// The number, the total and the id of a fragment (RFC 2046, 5.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Partial {
    /// What all fragments of one message share.
    pub id: Vec<u8>,
    /// Counted from 1.
    pub number: u32,
    /// How many there are; the last fragment has to say it.
    pub total: Option<u32>,
}

impl Partial {
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let number = |name| -> Option<u32> {
            let value = Parameter::find(value, name).standard()?;
            std::str::from_utf8(trim(&value)).ok()?.parse().ok()
        };
        let id = Parameter::find(value, "id").standard()?;
        Some(Self { id, number: number("number")?, total: number("total") })
    }
}

/// The first word of a disposition (RFC 2183), in lower case.
pub(crate) fn disposition(value: &[u8]) -> Vec<u8> {
    let bare = without_comments(value);
    let start = bare.iter().position(u8::is_ascii_alphabetic).unwrap_or(bare.len());
    let word = from(&bare, start);
    let end = word.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(word.len());
    up_to(word, end).to_ascii_lowercase()
}

/// Names of transfer encodings, without their punctuation. `base64` stands for `x-base64` as well.
const NAMES: &[(&str, Encoding)] = &[
    ("7bit", Encoding::Identity),
    ("8bit", Encoding::Identity),
    ("base64", Encoding::Base64),
    ("binary", Encoding::Identity),
    ("quotedprintable", Encoding::QuotedPrintable),
    ("uue", Encoding::Uuencode),
    ("uuencode", Encoding::Uuencode),
    ("xxe", Encoding::Xxencode),
    ("yenc", Encoding::Yenc),
];

const STANDARD_NAMES: &[&str] =
    &["7bit", "8bit", "base64", "binary", "quoted-printable", "uue", "uuencode", "yenc"];
/// Subtypes of message that hold no message.
const REPORTS: &[&str] = &[
    "delivery-status",
    "disposition-notification",
    "feedback-report",
    "global-delivery-status",
    "global-disposition-notification",
    "http",
    "s-http",
    "sip",
    "sipfrag",
    "tracking-status",
];
const MOST_BOUNDARIES: usize = 32;
/// Fields of one name that are read for their parameters.
pub(crate) const MOST_FIELDS: usize = 16;
const LONGEST_NAME: usize = 1024;
