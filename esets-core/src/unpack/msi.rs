//! Windows Installer packages: tables, binaries and cabinets as streams of a compound file.

use crate::children::Children;
use crate::decode::compound::Compound;
use crate::subject::Subject;

use super::ole2::{self, Kind};
use super::{Format, UnpackError, Unpacker};

/// Every stream, its name decoded.
pub(super) struct Msi;

static FORMAT: Format = Format {
    name: "msi",
    about: "Windows Installer package",
    extensions: &["msi", "msm", "msp", "mst"],
    magic: &[],
    specification: &["[MS-CFB]: Compound File Binary File Format", "the names as Wine reads them"],
    limitations: &["tables are offered as they lie, not as rows"],
};

impl Unpacker for Msi {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        Kind::Installer.recognises(subject)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let (compound, _lease) = ole2::open(subject, children)?;
        ole2::offer(&compound, children, |tree, node| decoded(&compound.path(tree, node)))
    }
}

/// Whether the compound file is of the class of installers, patches or transforms.
pub(super) fn is_installer(compound: &Compound<'_>) -> bool {
    let class = compound.class();
    // {000C1082-…} transforms, {000C1084-…} packages, {000C1086-…} patches.
    let [kind, rest @ ..] = class;
    matches!(kind, 0x82 | 0x84 | 0x86) && rest == CLASS
}

/// A stream's name in clear: pairs of 64 characters are packed into one from U+3800 on.
fn decoded(name: &str) -> String {
    let mut clear = String::new();
    for letter in name.chars() {
        match u32::from(letter) {
            packed @ 0x3800..0x4800 => {
                let packed = packed.saturating_sub(0x3800);
                clear.extend([packed & 0x3F, packed >> 6].map(character));
            }
            packed @ 0x4800..0x4840 => clear.push(character(packed & 0x3F)),
            TABLE => clear.push('!'),
            _ => clear.push(letter),
        }
    }
    clear
}

/// One of the 64 characters.
fn character(index: u32) -> char {
    let index = usize::try_from(index).unwrap_or_default();
    CHARACTERS.get(index).copied().map_or('_', char::from)
}

const CHARACTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
const CLASS: [u8; 15] = *b"\x10\x0C\x00\x00\x00\x00\x00\xC0\x00\x00\x00\x00\x00\x00\x46";
/// The mark in front of a table's name.
const TABLE: u32 = 0x4840;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded() {
        assert_eq!(decoded("\u{4840}\u{3F7F}\u{4164}\u{422F}\u{4836}"), "!_Tables");
        assert_eq!(decoded("\u{5}SummaryInformation"), "\u{5}SummaryInformation");
    }
}
