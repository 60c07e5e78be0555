//! Signatures of what a container says of a member, in `.cdb`:
//! `name:container:its size:file name:packed size:size:encrypted:position:CRC-32:unused[:levels]`,
//! and in the formats before it, `.zmd` of zip and `.rmd` of rar:
//! `name:encrypted:file name:size:packed size:CRC-32:method:position:depth`.

use std::ops::RangeInclusive;

use super::regex::RegexFlags;
use super::{Loaded, Loader, Rejection, SourceFile, ere, kinds, level, name};
use crate::database::DatabaseBuilder;
use crate::verdict::Class;

/// What a container says of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSignature<'a> {
    /// The name of what it finds.
    pub name: &'a str,
    /// How bad that is.
    pub class: Class,
    /// The kind of container, by its place in the table of kinds.
    pub(crate) container: Option<u8>,
    /// The size of the container in bytes.
    pub container_size: Span,
    /// The name of the member: a regular expression as our engine reads it, and whether either
    /// case will do.
    pub file_name: Option<(String, bool)>,
    /// The size of the member in the container, in bytes.
    pub packed_size: Span,
    /// The size of the member once unpacked, in bytes.
    pub size: Span,
    /// Whether the container marks the member as encrypted.
    pub encrypted: Option<bool>,
    /// The position of the member in the container: from 1 or from 0, as ClamAV counts.
    pub position: Span,
    /// The CRC-32 that the container states.
    pub crc32: Option<u32>,
}

/// The numbers that will do; all of them where nothing is asked.
pub(crate) type Span = RangeInclusive<u64>;

/// Every number.
const ALL: Span = 0..=u64::MAX;

/// Reads signatures of members.
pub(super) struct Members;

impl Loader for Members {
    fn about(&self) -> &'static str {
        "what a container says of its members: names, sizes, positions"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["cdb"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| builder.add_member(&signature(line, source)?))
    }
}

/// Reads signatures of members in the formats before `.cdb`.
pub(super) struct OldMembers;

impl Loader for OldMembers {
    fn about(&self) -> &'static str {
        "what zip (.zmd) and rar files (.rmd) say of their members, in formats before .cdb"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["rmd", "zmd"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| builder.add_member(&old(line, source)?))
    }
}

fn signature<'a>(line: &'a str, source: &SourceFile<'_>) -> Result<MemberSignature<'a>, Rejection> {
    let fields: Vec<&str> = line.split(':').collect();
    let [title, kind, container_size, file_name, packed, size, encrypted, rest @ ..] = &*fields
    else {
        return Err(Rejection::Field("number of fields"));
    };
    let [position, crc32, _, levels @ ..] = rest else {
        return Err(Rejection::Field("number of fields"));
    };
    let title = name(title)?;
    level(levels)?;
    // Of other containers it is not the CRC-32 that stands there.
    let has_crc32 = matches!(*kind, "CL_TYPE_ZIP" | "CL_TYPE_RAR");
    Ok(MemberSignature {
        name: title,
        class: source.class(title),
        container: some(kind, kinds::kind)?,
        container_size: span(container_size)?,
        file_name: some(file_name, expression)?,
        packed_size: span(packed)?,
        size: span(size)?,
        encrypted: some(encrypted, flag)?,
        position: span(position)?,
        crc32: some(crc32, checksum)?.filter(|crc32| has_crc32 && *crc32 != 0),
    })
}

fn old<'a>(line: &'a str, source: &SourceFile<'_>) -> Result<MemberSignature<'a>, Rejection> {
    let fields: Vec<&str> = line.split(':').collect();
    let [title, encrypted, file_name, size, packed, crc32, _, position, _] = &*fields else {
        return Err(Rejection::Field("number of fields"));
    };
    let title = name(title)?;
    let kind = if source.extension() == "rmd" { "CL_TYPE_RAR" } else { "CL_TYPE_ZIP" };
    Ok(MemberSignature {
        name: title,
        class: source.class(title),
        container: Some(kinds::kind(kind)?),
        container_size: ALL,
        file_name: some(file_name, expression)?,
        packed_size: span(packed)?,
        size: span(size)?,
        encrypted: some(encrypted, flag)?,
        position: span(position)?,
        crc32: some(crc32, checksum)?.filter(|crc32| *crc32 != 0),
    })
}

/// What `read` makes of a field; `*` asks nothing.
fn some<T>(
    field: &str,
    read: impl FnOnce(&str) -> Result<T, Rejection>,
) -> Result<Option<T>, Rejection> {
    if field == "*" { Ok(None) } else { read(field).map(Some) }
}

/// `*`, `7`, or `3-9`, of which 0 is no bound.
fn span(field: &str) -> Result<Span, Rejection> {
    let number = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse::<u32>().ok()).flatten();
        number.map(u64::from).ok_or(Rejection::Field("number"))
    };
    match field.split_once('-') {
        _ if field == "*" => Ok(ALL),
        None => number(field).map(|number| number..=number),
        Some((low, high)) => match (number(low)?, number(high)?) {
            (low, 0) if low > 0 => Ok(low..=u64::MAX),
            (low, high) => Ok(low..=high),
        },
    }
}

fn flag(field: &str) -> Result<bool, Rejection> {
    match field {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Rejection::Field("mark of encryption")),
    }
}

fn checksum(field: &str) -> Result<u32, Rejection> {
    let is_good = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_good.then(|| u32::from_str_radix(field, 16).ok()).flatten();
    number.ok_or(Rejection::Field("checksum"))
}

fn expression(field: &str) -> Result<(String, bool), Rejection> {
    let (pattern, ignores_case) = ere::translate(field);
    if crate::matcher::Regex::is_sound(&pattern, RegexFlags::of_name(ignores_case)) {
        Ok((pattern, ignores_case))
    } else {
        Err(Rejection::Unsupported("regular expression"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_ranges_or_all() {
        assert_eq!(span("*"), Ok(ALL));
        assert_eq!(span("7"), Ok(7..=7));
        assert_eq!(span("3-9"), Ok(3..=9));
        assert_eq!(span("3-0"), Ok(3..=u64::MAX));
        for bad in ["", "-", "a", "1-", "+1", "99999999999"] {
            assert_eq!(span(bad), Err(Rejection::Field("number")), "{bad}");
        }
    }

    #[test]
    fn a_checksum_is_of_zip_and_rar() {
        let source = SourceFile::new("a.cdb", b"");
        let crc32 = |kind: &str| {
            let line = format!("N:{kind}:*:*:*:*:*:*:00ff:*");
            signature(&line, &source).unwrap().crc32
        };
        assert_eq!(crc32("CL_TYPE_ZIP"), Some(255));
        assert_eq!(crc32("CL_TYPE_7Z"), None);
        assert_eq!(crc32("*"), None);
    }
}
