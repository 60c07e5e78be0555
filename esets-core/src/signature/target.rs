//! Which objects a signature is for.

use super::Rejection;
use crate::executable::ExecutableKind;
use crate::subject::Subject;

/// Which objects a signature is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Target {
    /// 0: any.
    #[default]
    Any = 0,
    /// 1: PE.
    Pe = 1,
    /// 2: OLE2 compound files and what is in them.
    Ole2 = 2,
    /// 3: HTML.
    Html = 3,
    /// 4: mail messages.
    Mail = 4,
    /// 5: images.
    Graphics = 5,
    /// 6: ELF.
    Elf = 6,
    /// 7: text.
    Text = 7,
    /// 9: Mach-O.
    MachO = 9,
    /// 10: PDF.
    Pdf = 10,
    /// 11: Flash.
    Flash = 11,
    /// 12: Java classes.
    Java = 12,
    /// 13: used inside of ClamAV; nothing is of it here.
    Internal = 13,
    /// 14: what is none of the others.
    Other = 14,
}

impl Target {
    /// A target by its number.
    ///
    /// # Errors
    /// [`Rejection::Field`] for what is no target; 8 never was one.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let number = text.parse::<u8>().map_err(|_| Rejection::Field("target"))?;
        Self::from_number(number).ok_or(Rejection::Field("target"))
    }

    /// A target by its number.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        TARGETS.iter().find(|target| **target as u8 == number).copied()
    }
}

/// Every target, in the order of their numbers.
static TARGETS: &[Target] = &[
    Target::Any,
    Target::Pe,
    Target::Ole2,
    Target::Html,
    Target::Mail,
    Target::Graphics,
    Target::Elf,
    Target::Text,
    Target::MachO,
    Target::Pdf,
    Target::Flash,
    Target::Java,
    Target::Internal,
    Target::Other,
];

/// The targets of one object, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Targets(u16);

impl Targets {
    /// Those of a page without its comments or its tags.
    pub(crate) const HTML: Self = Self(1 | 1 << Target::Html as u16);
    /// Those of the scripts of a page.
    pub(crate) const SCRIPT: Self = Self(Self::HTML.0 | 1 << Target::Text as u16);

    /// What `subject` is, by its first bytes and by the formats that recognise it.
    pub(crate) fn of(subject: &Subject<'_>) -> Self {
        let mut targets = Self(0);
        let bytes = subject.bytes();
        let format =
            |names: &[&str]| subject.formats().iter().any(|format| names.contains(&format.name));
        let kind = subject.executable().map(|executable| executable.kind);
        targets.set(Target::Pe, kind.is_some_and(ExecutableKind::is_pe));
        targets.set(Target::Elf, kind.is_some_and(ExecutableKind::is_elf));
        targets.set(Target::MachO, kind.is_some_and(ExecutableKind::is_macho));
        let lies_in_ole2 =
            subject.ancestors().next().is_some_and(|parent| parent.bytes().starts_with(OLE2));
        targets.set(Target::Ole2, bytes.starts_with(OLE2) || lies_in_ole2);
        targets.set(Target::Mail, format(&["message", "mbox"]));
        targets.set(Target::Graphics, starts_with_any(bytes, GRAPHICS) || is_webp(bytes));
        targets.set(Target::Pdf, head(bytes, 1024).windows(5).any(|magic| magic == b"%PDF-"));
        targets.set(Target::Flash, starts_with_any(bytes, &[b"FWS", b"CWS", b"ZWS"]));
        targets.set(Target::Java, is_java_class(bytes));
        subject.kinds().targets().for_each(|target| targets.set(target, true));
        targets.set(Target::Html, format(&["html"]) || looks_like_html(bytes));
        let is_none_of_the_others = targets.0 == 0;
        targets.set(Target::Text, is_none_of_the_others && is_text(bytes));
        targets.set(Target::Other, targets.0 == 0);
        targets.set(Target::Any, true);
        targets
    }

    fn set(&mut self, target: Target, is_one: bool) {
        self.0 |= u16::from(is_one) << target as u16;
    }

    /// The others.
    pub(crate) fn without(self, target: Target) -> Self {
        Self(self.0 & !(1 << target as u16))
    }

    /// Whether the object is one.
    pub(crate) fn contains(self, target: Target) -> bool {
        self.0 & (1 << target as u16) != 0
    }
}

fn head(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

fn starts_with_any(bytes: &[u8], magics: &[&[u8]]) -> bool {
    magics.iter().any(|magic| bytes.starts_with(magic))
}

fn is_webp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
}

/// `CAFEBABE` is universal Mach-O as well; a class file has a major version from 45 on there.
fn is_java_class(bytes: &[u8]) -> bool {
    let major = bytes.get(6..8).and_then(|major| <[u8; 2]>::try_from(major).ok());
    bytes.starts_with(b"\xca\xfe\xba\xbe") && major.is_some_and(|m| u16::from_be_bytes(m) >= 43)
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let start = head(bytes, 1024).to_ascii_lowercase();
    HTML.iter().any(|tag| memchr::memmem::find(&start, tag).is_some())
}

/// No control characters but white space in the first kilobytes: ASCII, Latin-1 or UTF-8.
fn is_text(bytes: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < 0x20 && !b"\x07\x08\t\n\x0b\x0c\r\x1b".contains(byte);
    !bytes.is_empty() && !head(bytes, 4096).iter().any(|byte| is_control(byte) || *byte == 0x7f)
}

const OLE2: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

static GRAPHICS: &[&[u8]] =
    &[b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\x00\x00\x01\x00"];

static HTML: &[&[u8]] = &[
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<title",
    b"<iframe",
    b"<table",
    b"<meta",
    b"<img",
    b"<a href",
    b"<div",
    b"<style",
];
