//! The readings of one body: the encodings that it may be in, and what kind of part it is.

use crate::bytes::{from, is_space, up_to};
use crate::defect::{Defect, Defects};
use crate::describe::Description;
use crate::field::Field;
use crate::parameter::Parameter;
use crate::part::{Kind, Part};
use crate::transfer::{Encoding, is_clean_base64, looks_like_base64};
use memchr::memchr;

/// Every encoding in which `body` is to be read, the likeliest first.
pub(crate) fn encodings(
    declared: &[Encoding],
    body: &[u8],
    defects: &mut Defects,
) -> Vec<Encoding> {
    let mut all = Vec::new();
    for &encoding in declared {
        all.push(encoding);
        if encoding == Encoding::Base64 {
            all.extend(base64(body, defects));
        }
    }
    if !all.contains(&Encoding::Base64) && looks_like_base64(body) {
        defects.add(Defect::UndeclaredBase64);
        all.push(Encoding::Base64);
    }
    if all.contains(&Encoding::Base64)
        && looks_like_base64(&Encoding::Base64.decode(up_to(body, SAMPLE)).to_vec(SAMPLE))
    {
        defects.add(Defect::EncodedTwice);
        all.push(Encoding::Base64Twice);
    }
    all
}

/// Further readings of a body that is declared base64.
fn base64(body: &[u8], defects: &mut Defects) -> Vec<Encoding> {
    let mut all = Vec::new();
    if has_early_padding(body) {
        all.extend([Encoding::Base64UntilPadding, Encoding::Base64IgnoringPadding]);
    }
    if !is_clean_base64(body) {
        all.push(Encoding::Base64CleanLines);
        if body.iter().any(|b| matches!(b, b'-' | b'_')) {
            all.push(Encoding::Base64Url);
        }
    }
    if !all.is_empty() {
        defects.add(Defect::DirtyBase64);
    }
    let sample = up_to(body, SAMPLE);
    let is_foreign = |byte: &[u8]| byte == b" " || !is_clean_base64(byte);
    let foreign = sample.chunks(1).filter(|byte| is_foreign(byte)).count();
    if foreign.saturating_mul(10) > sample.len() {
        defects.add(Defect::UndecodableBase64);
        all.push(Encoding::Identity);
    }
    all
}

/// Whether padding stands before more data.
fn has_early_padding(body: &[u8]) -> bool {
    let after = memchr(b'=', body).map(|at| from(body, at)).unwrap_or_default();
    after.iter().any(|&b| b != b'=' && !is_space(b))
}

/// What a leaf is, by its type, disposition and names.
pub(crate) fn kind(fields: &[Field<'_>], description: &Description) -> Kind {
    if description.is_partial() {
        return Kind::Partial;
    }
    if description.is_message() {
        return Kind::Message;
    }
    let dispositions = Part::dispositions(fields);
    let has = |word: &[u8]| dispositions.iter().any(|disposition| disposition == word);
    let named = |field: &str, name: &str| {
        let mut fields = fields.iter().filter(|f| f.is(field));
        fields.any(|f| Parameter::find(&f.unfolded(), name).is_present())
    };
    let is_named = named("content-disposition", "filename") || named("content-type", "name");
    if description.is_text() && !is_named && !has(b"attachment") {
        Kind::Body
    } else if has(b"inline") {
        Kind::Inline
    } else {
        Kind::Attachment
    }
}

/// Bytes of a body that decide what it looks like.
const SAMPLE: usize = 1024;
