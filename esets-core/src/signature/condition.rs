//! What a logical signature asks of an object besides its bytes: the target description block.

use std::ops::RangeInclusive;

use super::{FUNCTIONALITY_LEVEL, Rejection, Target};
use crate::subject::Subject;

/// What a logical signature asks of an object besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The object lies directly in a container of this kind; by its place in `CONTAINERS`. The
    /// first of them, any, is no container.
    Container(u8),
    /// The offset of the entry point of an executable.
    EntryPoint(RangeInclusive<u64>),
    /// The size of the object in bytes.
    FileSize(RangeInclusive<u64>),
    /// The containers around the object, the outermost first; by their places in `CONTAINERS`.
    Intermediates(Vec<u8>),
    /// The number of sections of an executable.
    Sections(RangeInclusive<u64>),
}

impl Condition {
    /// Whether it holds for `subject`.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Container(0) => subject.depth() == 0,
            Self::Container(kind) => {
                subject.ancestors().next().is_some_and(|it| is_container(it, *kind))
            }
            Self::EntryPoint(range) => {
                let entry = subject.executable().and_then(|executable| executable.entry_point);
                entry.and_then(|entry| entry.offset).is_some_and(|offset| range.contains(&offset))
            }
            Self::FileSize(range) => range.contains(&(subject.bytes().len() as u64)),
            Self::Intermediates(kinds) => {
                let mut around = subject.ancestors();
                kinds
                    .iter()
                    .rev()
                    .all(|kind| around.next().is_some_and(|it| is_container(it, *kind)))
            }
            Self::Sections(range) => subject
                .executable()
                .is_some_and(|executable| range.contains(&(executable.sections.len() as u64))),
        }
    }
}

/// Whether `subject` is a container of this kind, by its place in the table.
pub(crate) fn is_container(subject: &Subject<'_>, kind: u8) -> bool {
    let row = CONTAINERS.get(usize::from(kind));
    row.is_some_and(|(name, formats)| {
        let magic = MAGICS.iter().find(|(named, ..)| named == name);
        let is_other = |(_, offset, magic): &(&str, usize, &[u8])| {
            !subject.bytes().get(*offset..).unwrap_or_default().starts_with(magic)
        };
        let is_old = *name == "CL_TYPE_OLD_TAR";
        if magic.is_some_and(is_other) || (is_old && subject.bytes().get(257..262) == Some(USTAR)) {
            return false;
        }
        formats.contains(&"*")
            || subject.formats().iter().any(|format| formats.contains(&format.name))
    })
}

const USTAR: &[u8] = b"ustar";

/// The magic bytes, and where they lie, that tell apart what is one format here.
static MAGICS: &[(&str, usize, &[u8])] = &[
    ("CL_TYPE_CPIO_CRC", 0, b"070702"),
    ("CL_TYPE_CPIO_NEWC", 0, b"070701"),
    ("CL_TYPE_CPIO_ODC", 0, b"070707"),
    ("CL_TYPE_POSIX_TAR", 257, USTAR),
];

/// The target and the conditions of `Key:value,…`.
pub(super) fn parse(text: &str) -> Result<(Target, Vec<Condition>), Rejection> {
    let mut target = Target::Any;
    let mut conditions = Vec::new();
    for pair in text.split(',') {
        let (key, value) = pair.split_once(':').ok_or(Rejection::Field("target description"))?;
        match key {
            "Engine" => engine(value)?,
            "Target" => target = Target::parse(value)?,
            "FileSize" => conditions.push(Condition::FileSize(range(value)?)),
            "EntryPoint" => conditions.push(Condition::EntryPoint(range(value)?)),
            "NumberOfSections" => conditions.push(Condition::Sections(range(value)?)),
            "Container" => conditions.push(Condition::Container(container(value)?)),
            "Intermediates" => {
                let kinds: Result<_, _> = value.split('>').map(container).collect();
                conditions.push(Condition::Intermediates(kinds?));
            }
            "IconGroup1" | "IconGroup2" => return Err(Rejection::Unsupported("icon group")),
            "HandlerType" => return Err(Rejection::Unsupported("handler type")),
            _ => return Err(Rejection::Unsupported("key of the target description")),
        }
    }
    Ok((target, conditions))
}

fn engine(value: &str) -> Result<(), Rejection> {
    let levels = range(value)?;
    if levels.contains(&FUNCTIONALITY_LEVEL.into()) { Ok(()) } else { Err(Rejection::Level) }
}

fn range(value: &str) -> Result<RangeInclusive<u64>, Rejection> {
    let numbers = match value.split_once('-') {
        Some((low, high)) => low.parse().ok().zip(high.parse().ok()),
        None => value.parse().ok().map(|number| (number, number)),
    };
    numbers.map(|(low, high)| low..=high).ok_or(Rejection::Field("range"))
}

/// The place of a container in the table.
pub(super) fn container(name: &str) -> Result<u8, Rejection> {
    let place = CONTAINERS.iter().position(|(known, _)| *known == name);
    let place = place.and_then(|place| u8::try_from(place).ok());
    place.ok_or(Rejection::Unsupported("container"))
}

/// ClamAV's names of containers and our formats; the places are stored, so rows are only added.
static CONTAINERS: &[(&str, &[&str])] = &[
    ("CL_TYPE_ANY", &["*"]),
    ("CL_TYPE_ZIP", &["zip"]),
    ("CL_TYPE_RAR", &["rar"]),
    ("CL_TYPE_7Z", &["7z"]),
    ("CL_TYPE_ARJ", &["arj"]),
    ("CL_TYPE_MSCAB", &["cab"]),
    ("CL_TYPE_MSCHM", &["chm"]),
    ("CL_TYPE_MSOLE2", &["ole2", "cfb"]),
    ("CL_TYPE_MAIL", &["message", "mbox"]),
    ("CL_TYPE_PDF", &["pdf"]),
    ("CL_TYPE_HTML", &["html"]),
    ("CL_TYPE_RTF", &["rtf"]),
    ("CL_TYPE_TNEF", &["tnef"]),
    ("CL_TYPE_GZ", &["gzip"]),
    ("CL_TYPE_BZ", &["bzip2"]),
    ("CL_TYPE_XZ", &["xz"]),
    ("CL_TYPE_POSIX_TAR", &["tar"]),
    ("CL_TYPE_OLD_TAR", &["tar"]),
    ("CL_TYPE_NULSFT", &["nsis"]),
    ("CL_TYPE_SWF", &["swf"]),
    ("CL_TYPE_OOXML_WORD", &["ooxml", "zip"]),
    ("CL_TYPE_OOXML_XL", &["ooxml", "zip"]),
    ("CL_TYPE_OOXML_PPT", &["ooxml", "zip"]),
    ("CL_TYPE_MSEXE", &["pe", "upx"]),
    ("CL_TYPE_ISO9660", &["iso", "iso9660"]),
    ("CL_TYPE_LHA_LZH", &["lha"]),
    ("CL_TYPE_ONENOTE", &["onenote"]),
    ("CL_TYPE_ALZ", &["alz"]),
    ("CL_TYPE_APM", &["apm"]),
    ("CL_TYPE_AUTOIT", &["autoit"]),
    ("CL_TYPE_BINHEX", &["binhex"]),
    ("CL_TYPE_CPIO_CRC", &["cpio"]),
    ("CL_TYPE_CPIO_NEWC", &["cpio"]),
    ("CL_TYPE_CPIO_ODC", &["cpio"]),
    ("CL_TYPE_CPIO_OLD", &["cpio"]),
    ("CL_TYPE_DMG", &["dmg"]),
    ("CL_TYPE_EGG", &["egg"]),
    ("CL_TYPE_ELF", &["elf"]),
    ("CL_TYPE_GPT", &["gpt"]),
    ("CL_TYPE_HWP3", &["hwp3"]),
    ("CL_TYPE_LNK", &["lnk"]),
    ("CL_TYPE_MACHO", &["macho"]),
    ("CL_TYPE_MBR", &["mbr"]),
    ("CL_TYPE_MSSZDD", &["szdd"]),
    ("CL_TYPE_SCRIPT", &["script"]),
    ("CL_TYPE_SIS", &["sis"]),
    ("CL_TYPE_UDF", &["udf"]),
    ("CL_TYPE_UUENCODED", &["uuencode"]),
    ("CL_TYPE_XAR", &["xar"]),
    ("CL_TYPE_XML_HWP", &["hwpml"]),
    ("CL_TYPE_XML_WORD", &["wordml", "flatopc"]),
];
