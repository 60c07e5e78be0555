//! `invoice.pdf.exe`: a harmless extension in front of the one that the system obeys.

use crate::heuristic::{Findings, Heuristic};
use crate::subject::Subject;
use crate::verdict::Detection;

/// A name with a harmless extension before an executable one.
pub(super) struct DoubleExtension;

impl Heuristic for DoubleExtension {
    fn name(&self) -> &'static str {
        "DoubleExtension"
    }

    fn inspect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        if hides_its_type(subject.name()) == Some(true) {
            findings.add(Detection::heuristic(self.name()));
        }
    }
}

fn hides_its_type(name: &[u8]) -> Option<bool> {
    let (stem, last) = split_extension(name)?;
    let (_, first) = split_extension(stem)?;
    Some(is_one_of(first, HARMLESS) && is_one_of(last, EXECUTABLE))
}

/// The name before its last dot and the extension behind it. Windows drops dots and spaces at
/// the end of a name, and a run of spaces pushes the real extension out of sight.
fn split_extension(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = trim_end(name);
    let dot = memchr::memrchr(b'.', name)?;
    let (stem, extension) = name.split_at_checked(dot)?;
    Some((stem, extension.get(1..)?.trim_ascii()))
}

fn trim_end(mut name: &[u8]) -> &[u8] {
    while let [rest @ .., b'.' | b' ' | b'\t'] = name {
        name = rest;
    }
    name
}

fn is_one_of(extension: &[u8], list: &[&str]) -> bool {
    list.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}

/// What Windows runs on a double click.
const EXECUTABLE: &[&str] = &[
    "apk",
    "appx",
    "bat",
    "chm",
    "cmd",
    "com",
    "cpl",
    "dll",
    "exe",
    "hta",
    "iqy",
    "jar",
    "js",
    "jse",
    "lnk",
    "msc",
    "msi",
    "msp",
    "pif",
    "ps1",
    "reg",
    "scf",
    "scr",
    "settingcontent-ms",
    "url",
    "vb",
    "vbe",
    "vbs",
    "wsf",
    "wsh",
    "xll",
];

/// What a reader takes for a document, a picture, a sound or an archive.
const HARMLESS: &[&str] = &[
    "avi", "bmp", "csv", "doc", "docx", "eml", "gif", "htm", "html", "jpeg", "jpg", "mov", "mp3",
    "mp4", "mpg", "odp", "ods", "odt", "pdf", "png", "ppt", "pptx", "rar", "rtf", "svg", "tif",
    "tiff", "txt", "wav", "webp", "xls", "xlsx", "xml", "zip", "7z",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_end_behind_a_harmless_one_hides_its_type() {
        for name in ["invoice.pdf.exe", "A.DOC   .ScR", "x/photo.jpg.lnk", "b.txt.js. ."] {
            assert_eq!(hides_its_type(name.as_bytes()), Some(true), "{name}");
        }
    }

    #[test]
    fn ordinary_names_hide_nothing() {
        for name in ["setup.exe", "jquery.min.js", "a.tar.gz", "report.pdf", "v1.2.exe", ""] {
            assert_ne!(hides_its_type(name.as_bytes()), Some(true), "{name}");
        }
    }
}
