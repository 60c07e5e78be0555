//! A mail message: RFC 5322 and MIME, in every reading that a mail program may have of it.

mod password;

use std::io;

use esets_mime::{Defect, Kind, Limits, Message as Mail, Part, charset, looks_like_message, mbox};

use self::password::{candidates, without_tags};
use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::object::Member;
use crate::pieces::Piece;
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

pub(super) struct Message;

impl Unpacker for Message {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let declared = subject.member().media_type.as_deref();
        looks_like_message(subject.bytes())
            || declared.is_some_and(|declared| DECLARED.contains(&declared))
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mail = Mail::parse(subject.bytes(), &Limits::default());
        let _memory = children.lease((mail.parts().len() as u64).saturating_mul(PART))?;
        for defect in mail.defects() {
            match defect {
                Defect::Limit(limit) => children.not_scanned(Reason::Limit(limit_of(*limit))),
                defect => children.defect(defect.to_string()),
            }
        }
        if mail.parts().any(|part| part.kind() == Kind::Partial) {
            children.not_scanned(Reason::unsupported("fragment of a message"));
        }
        // What follows the first message of an mbox is for the unpacker of that.
        let is_mbox = mbox::looks_like(subject.bytes());
        let leaves = || {
            let parts = mail.parts().enumerate();
            parts.filter(move |(_, part)| {
                let is_left = is_mbox && part.kind() == Kind::Epilogue;
                !part.is_container() && !is_left
            })
        };
        learn_passwords(&mail, children);
        // A text may hold the password of an archive beside it.
        for (index, part) in leaves().filter(|(_, part)| part.is_body()) {
            offer(index, part, children)?;
        }
        for (index, part) in leaves().filter(|(_, part)| !part.is_body()) {
            offer(index, part, children)?;
        }
        Ok(())
    }
}

/// Offers a part, and its further names for those who look at names.
fn offer(index: usize, part: &Part<'_>, children: &mut Children<'_>) -> Result<(), UnpackError> {
    let media_type = part.media_type().map(|media_type| media_type.to_string());
    let mut names = part.names().into_iter().map(|name| name.into_owned().into_bytes());
    let name = names.next().unwrap_or_else(|| substitute(index, media_type.as_deref()));
    let piece = part.partial().map(|partial| Piece { set: partial.id, number: partial.number });
    let member = Member {
        index: u64::try_from(index).ok(),
        media_type: media_type.map(Into::into),
        name: name.into(),
        packed_size: Some(part.raw_body().len() as u64),
        piece,
        ..Member::default()
    };
    match part.contents() {
        Some(contents) => children.slice(member, contents)?,
        None => children.stream(member, &mut part.decoded())?,
    }
    for name in names {
        let index = u64::try_from(index).ok();
        children.stream(Member { index, ..Member::named(name) }, &mut io::empty())?;
    }
    Ok(())
}

/// Collects what may be the password of an attachment: from the subject, the texts, file names.
fn learn_passwords(mail: &Mail<'_>, children: &mut Children<'_>) {
    let subject = mail.subject().unwrap_or_default();
    let texts = mail.leaves().filter(|part| part.is_body()).take(TEXTS).map(text);
    let names = mail.leaves().take(NAMES).flat_map(Part::names).map(|name| stem(&name).to_string());
    for text in texts.chain([subject]).chain(names) {
        for word in candidates(&text) {
            children.learn_password(word.as_bytes());
        }
    }
}

/// The beginning of a text part, as its reader sees it.
fn text(part: &Part<'_>) -> String {
    let content = part.decoded().to_vec(TEXT);
    let charset = part.charset().unwrap_or_default();
    let text = charset::decode(charset.as_bytes(), &content);
    let is_html = part.media_type().is_some_and(|media_type| media_type.is("text", "html"));
    if is_html { without_tags(&text) } else { text.into_owned() }
}

/// A file name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The name of a part that has none.
fn substitute(index: usize, media_type: Option<&str>) -> Vec<u8> {
    let extension = match media_type {
        Some("text/html") => ".html",
        Some("message/rfc822") => ".eml",
        None | Some("text/plain") => ".txt",
        Some(_) => "",
    };
    format!("part{index:03}{extension}").into_bytes()
}

fn limit_of(limit: esets_mime::Limit) -> Limit {
    match limit {
        esets_mime::Limit::Depth => Limit::Depth,
        esets_mime::Limit::HeaderBytes => Limit::ObjectSize,
        esets_mime::Limit::Headers | esets_mime::Limit::Parts => Limit::Objects,
        _ => Limit::Readings,
    }
}

/// Types of parts that are messages even if they do not look it.
const DECLARED: &[&str] = &["message/rfc822", "message/global", "message/news"];

/// Where passwords are looked for: so many texts and names, and so many bytes of each text.
const TEXTS: usize = 8;
const NAMES: usize = 32;
const TEXT: usize = 16 << 10;

/// What a parsed part takes, in bytes.
const PART: u64 = 512;

static FORMAT: Format = Format {
    name: "message",
    about: "mail message",
    extensions: &["eml", "mht", "mhtml", "nws"],
    magic: &[],
    specification: &[
        "RFC 5322", "RFC 2045", "RFC 2046", "RFC 2047", "RFC 2183", "RFC 2231", "RFC 6532",
    ],
    limitations: &["message/external-body is not fetched"],
};
