//! ClamAV's names for kinds of objects, and what they are here.

use super::{Rejection, Target};
use crate::subject::Subject;

/// Kinds of one object, one bit each, by their places in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u128);

impl Kinds {
    /// Adds a kind.
    pub(crate) fn insert(&mut self, kind: u8) {
        self.0 |= 1_u128.checked_shl(kind.into()).unwrap_or_default();
    }

    /// Those of both.
    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn rows(self) -> impl Iterator<Item = &'static Row> {
        let has = move |place: usize| self.0.checked_shr(u32::try_from(place).unwrap_or(128));
        let rows = KINDS.iter().enumerate();
        rows.filter(move |(place, _)| has(*place).is_some_and(|bits| bits & 1 == 1))
            .map(|(_, row)| row)
    }

    /// The targets of signatures that objects of these kinds are for.
    pub(super) fn targets(self) -> impl Iterator<Item = Target> {
        self.rows().filter_map(|(.., target)| *target)
    }

    /// The names of the formats that open objects of these kinds.
    pub(crate) fn formats(self) -> impl Iterator<Item = &'static str> {
        self.rows().flat_map(|(_, formats, _)| formats.iter().copied())
    }
}

/// Whether `subject` is of this kind, by its place in the table.
pub(crate) fn is_kind(subject: &Subject<'_>, kind: u8) -> bool {
    let mut of_kind = Kinds::default();
    of_kind.insert(kind);
    if subject.kinds().0 & of_kind.0 != 0 {
        return true;
    }
    let row = KINDS.get(usize::from(kind));
    row.is_some_and(|(name, formats, _)| {
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

/// The place of a kind in the table.
pub(super) fn kind(name: &str) -> Result<u8, Rejection> {
    let place = KINDS.iter().position(|(known, ..)| *known == name);
    let place = place.and_then(|place| u8::try_from(place).ok());
    place.ok_or(Rejection::Unsupported("kind of object"))
}

const USTAR: &[u8] = b"ustar";

/// The magic bytes, and where they lie, that tell apart what is one format here.
static MAGICS: &[(&str, usize, &[u8])] = &[
    ("CL_TYPE_CPIO_CRC", 0, b"070702"),
    ("CL_TYPE_CPIO_NEWC", 0, b"070701"),
    ("CL_TYPE_CPIO_ODC", 0, b"070707"),
    ("CL_TYPE_POSIX_TAR", 257, USTAR),
];

/// A name, the formats that open such objects, and the target of signatures for them.
type Row = (&'static str, &'static [&'static str], Option<Target>);

/// The places are stored in databases, so rows are only added.
static KINDS: &[Row] = &[
    ("CL_TYPE_ANY", &["*"], None),
    ("CL_TYPE_ZIP", &["zip"], None),
    ("CL_TYPE_RAR", &["rar"], None),
    ("CL_TYPE_7Z", &["7z"], None),
    ("CL_TYPE_ARJ", &["arj"], None),
    ("CL_TYPE_MSCAB", &["cab"], None),
    ("CL_TYPE_MSCHM", &["chm"], None),
    ("CL_TYPE_MSOLE2", &["ole2", "cfb"], Some(Target::Ole2)),
    ("CL_TYPE_MAIL", &["message", "mbox"], Some(Target::Mail)),
    ("CL_TYPE_PDF", &["pdf"], Some(Target::Pdf)),
    ("CL_TYPE_HTML", &["html"], Some(Target::Html)),
    ("CL_TYPE_RTF", &["rtf"], None),
    ("CL_TYPE_TNEF", &["tnef"], None),
    ("CL_TYPE_GZ", &["gzip"], None),
    ("CL_TYPE_BZ", &["bzip2"], None),
    ("CL_TYPE_XZ", &["xz"], None),
    ("CL_TYPE_POSIX_TAR", &["tar"], None),
    ("CL_TYPE_OLD_TAR", &["tar"], None),
    ("CL_TYPE_NULSFT", &["nsis"], None),
    ("CL_TYPE_SWF", &["swf"], Some(Target::Flash)),
    ("CL_TYPE_OOXML_WORD", &["ooxml", "zip"], None),
    ("CL_TYPE_OOXML_XL", &["ooxml", "zip"], None),
    ("CL_TYPE_OOXML_PPT", &["ooxml", "zip"], None),
    ("CL_TYPE_MSEXE", &["pe", "upx"], Some(Target::Pe)),
    ("CL_TYPE_ISO9660", &["iso", "iso9660"], None),
    ("CL_TYPE_LHA_LZH", &["lha"], None),
    ("CL_TYPE_ONENOTE", &["onenote"], None),
    ("CL_TYPE_ALZ", &["alz"], None),
    ("CL_TYPE_APM", &["apm"], None),
    ("CL_TYPE_AUTOIT", &["autoit"], None),
    ("CL_TYPE_BINHEX", &["binhex"], None),
    ("CL_TYPE_CPIO_CRC", &["cpio"], None),
    ("CL_TYPE_CPIO_NEWC", &["cpio"], None),
    ("CL_TYPE_CPIO_ODC", &["cpio"], None),
    ("CL_TYPE_CPIO_OLD", &["cpio"], None),
    ("CL_TYPE_DMG", &["dmg"], None),
    ("CL_TYPE_EGG", &["egg"], None),
    ("CL_TYPE_ELF", &["elf"], Some(Target::Elf)),
    ("CL_TYPE_GPT", &["gpt"], None),
    ("CL_TYPE_HWP3", &["hwp3"], None),
    ("CL_TYPE_LNK", &["lnk"], None),
    ("CL_TYPE_MACHO", &["macho"], Some(Target::MachO)),
    ("CL_TYPE_MBR", &["mbr"], None),
    ("CL_TYPE_MSSZDD", &["szdd"], None),
    ("CL_TYPE_SCRIPT", &["script"], None),
    ("CL_TYPE_SIS", &["sis"], None),
    ("CL_TYPE_UDF", &["udf"], None),
    ("CL_TYPE_UUENCODED", &["uuencode"], None),
    ("CL_TYPE_XAR", &["xar"], None),
    ("CL_TYPE_XML_HWP", &["hwpml"], None),
    ("CL_TYPE_XML_WORD", &["wordml", "flatopc"], None),
    ("CL_TYPE_GRAPHICS", &[], Some(Target::Graphics)),
    ("CL_TYPE_GIF", &[], Some(Target::Graphics)),
    ("CL_TYPE_JPEG", &[], Some(Target::Graphics)),
    ("CL_TYPE_PNG", &[], Some(Target::Graphics)),
    ("CL_TYPE_TIFF", &[], Some(Target::Graphics)),
    ("CL_TYPE_JAVA", &[], Some(Target::Java)),
    ("CL_TYPE_MACHO_UNIBIN", &["macho"], Some(Target::MachO)),
    ("CL_TYPE_TEXT_ASCII", &[], Some(Target::Text)),
    ("CL_TYPE_TEXT_UTF8", &[], Some(Target::Text)),
    ("CL_TYPE_TEXT_UTF16LE", &[], Some(Target::Text)),
    ("CL_TYPE_TEXT_UTF16BE", &[], Some(Target::Text)),
    ("CL_TYPE_SCRENC", &["script"], None),
];
