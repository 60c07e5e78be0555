//! HTML and SVG: what a page shows, the scripts in it, and the files that it carries in itself.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use esets_mime::charset;
use memchr::memmem;

use super::script::extension;
use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::decode::literals::{Literals, percent_decoded};
use crate::decode::{page, utf16_be, utf16_le};
use crate::object::Member;
use crate::subject::Subject;

pub(super) struct Html;

impl Unpacker for Html {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let declared = subject.member().media_type.as_deref();
        let is_view = subject.name() == VIEW.as_bytes();
        !is_view
            && (declared.is_some_and(|declared| DECLARED.contains(&declared))
                || looks_like(subject.bytes())
                || is_named(subject))
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let _memory = children.lease((bytes.len() as u64).saturating_mul(6))?;
        let text = unicode(bytes);
        let view = page::plain(&text);
        if matches!((&text, &view), (Cow::Owned(_), _) | (_, Cow::Owned(_))) {
            children.stream(VIEW, &mut &*view)?;
        }
        for (index, script) in page::scripts(&view).enumerate() {
            children.stream(Member::from(&*format!("script{index}")), &mut &*script)?;
        }
        for (index, url) in page::data_urls(&view).enumerate() {
            let member = Member {
                media_type: Some(url.media_type.to_ascii_lowercase().into()),
                name: format!("data{index}").into_bytes().into(),
                ..Member::default()
            };
            let content = percent_decoded(url.content);
            if url.is_base64 {
                children.stream(member, &mut esets_mime::Encoding::Base64.decode(&content))?;
            } else {
                children.stream(member, &mut &*content)?;
            }
        }
        offer_literals(&view, children)?;
        if let behind @ [_, ..] = page::behind(bytes) {
            children.slice("(behind the page)", behind)?;
        }
        Ok(())
    }
}

/// Offers what the strings of a script hold.
pub(super) fn offer_literals(
    script: &[u8],
    children: &mut Children<'_>,
) -> Result<(), UnpackError> {
    let found = Literals::read(script);
    if !found.text.is_empty() {
        children.stream("strings", &mut &*found.text)?;
    }
    for (index, data) in found.data.iter().enumerate() {
        children.stream(Member::from(&*format!("literal{index}")), &mut &**data)?;
    }
    if !found.crumbs.is_empty() {
        children.stream("literals", &mut &*found.crumbs)?;
    }
    Ok(())
}

/// Whether it has the name of a page, and a tag wherever that stands: a browser goes by the name,
/// however long the comment before the first tag is.
fn is_named(subject: &Subject<'_>) -> bool {
    FORMAT.extensions.contains(&&*extension(subject))
        && ANY_TAG.as_ref().is_some_and(|tags| tags.is_match(subject.bytes()))
}

fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..HEAD).unwrap_or(bytes)
}

/// Whether it begins with a tag, and one of HTML or SVG is near.
fn looks_like(bytes: &[u8]) -> bool {
    let head = unicode(head(bytes)).to_ascii_lowercase();
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    head.starts_with(b"<") && TAGS.iter().any(|tag| memmem::find(head, tag).is_some())
}

/// The text in UTF-8, or in a character set that has ASCII in it.
fn unicode(bytes: &[u8]) -> Cow<'_, [u8]> {
    match bytes {
        [0xff, 0xfe, text @ ..] | text @ [b'<', 0, ..] => utf16_le(text).into_bytes().into(),
        [0xfe, 0xff, text @ ..] | text @ [0, b'<', ..] => utf16_be(text).into_bytes().into(),
        [b'+', b'/', b'v', ..] => utf7(bytes),
        _ => {
            if memmem::find(&head(bytes).to_ascii_lowercase(), b"utf-7").is_some() {
                utf7(bytes)
            } else {
                bytes.into()
            }
        }
    }
}

fn utf7(bytes: &[u8]) -> Cow<'_, [u8]> {
    charset::decode(b"utf-7", bytes).into_owned().into_bytes().into()
}

/// The name of a page as it is shown; it is not opened again.
const VIEW: &str = "shown.html";

/// Where the tags are looked for, in bytes from the start.
const HEAD: usize = 1024;

const DECLARED: &[&str] =
    &["text/html", "image/svg+xml", "application/xhtml+xml", "application/hta"];

const TAGS: &[&[u8]] = &[
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<svg",
    b"<meta",
    b"<iframe",
    b"<embed",
    b"<hta:",
    b"<img",
    b"<a href",
    b"<table",
    b"<form",
];

static ANY_TAG: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(TAGS).ok());

static FORMAT: Format = Format {
    name: "html",
    about: "HTML or SVG page",
    extensions: &["htm", "html", "hta", "svg", "xhtml"],
    magic: &[],
    specification: &["HTML Living Standard, WHATWG", "RFC 2397", "RFC 2152"],
    limitations: &["scripts are not run", "named character references are left as they are"],
};
