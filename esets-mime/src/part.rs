//! One part of a message, in one reading.

use crate::bytes::slice;
use crate::describe::{MOST_FIELDS, MediaType, Partial, disposition, values};
use crate::field::Field;
use crate::parameter::Parameter;
use crate::transfer::{Decoded, Encoding};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What a part is in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A file: it has a name, is declared an attachment, or is no text.
    Attachment,
    /// Text to read.
    Body,
    /// A file within a text: uuencode, yEnc and their like.
    Embedded,
    /// Text after a closing delimiter, which readers do not show.
    Epilogue,
    /// Something to show within the text, such as a picture.
    Inline,
    /// A message in the message.
    Message,
    /// A container of parts.
    Multipart,
    /// A fragment of a message (message/partial).
    Partial,
    /// Text before the first delimiter, which readers do not show.
    Preamble,
}

/// A part: an entity in one of its readings, or text between the entities.
#[derive(Clone)]
pub struct Part<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) fields: Arc<[Field<'a>]>,
    pub(crate) range: Range<usize>,
    pub(crate) body: Range<usize>,
    pub(crate) kind: Kind,
    pub(crate) encoding: Encoding,
    pub(crate) is_container: bool,
    pub(crate) reading: u16,
    pub(crate) depth: u16,
    pub(crate) parent: Option<usize>,
    pub(crate) embedded_name: &'a [u8],
    /// Whether this is the file of another part, as it may have been before it was sent.
    pub(crate) is_repeated: bool,
}

impl<'a> Part<'a> {
    /// What the part is in its message.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this is text to read; bodies are worth scanning first, they may hold passwords.
    #[must_use]
    pub fn is_body(&self) -> bool {
        matches!(self.kind, Kind::Body | Kind::Epilogue | Kind::Preamble)
    }

    /// Whether the content is all in other parts, those that name this one as their parent.
    #[must_use]
    pub fn is_container(&self) -> bool {
        self.is_container
    }

    /// The index, among the parts of the message, of the multipart or message around this part.
    #[must_use]
    pub fn parent(&self) -> Option<usize> {
        self.parent
    }

    /// How many multiparts and messages are around this part.
    #[must_use]
    pub fn depth(&self) -> u16 {
        self.depth
    }

    /// 0 for the likeliest reading of an entity, more for others.
    #[must_use]
    pub fn reading(&self) -> u16 {
        self.reading
    }

    /// Where the entity stands in the message: header and body, without the delimiters around.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Where the body stands in the message.
    #[must_use]
    pub fn body_range(&self) -> Range<usize> {
        self.body.clone()
    }

    /// The body as it stands in the message.
    #[must_use]
    pub fn raw_body(&self) -> &'a [u8] {
        slice(self.raw, self.body.clone())
    }

    /// How the body is encoded in this reading.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// A reader of the content. It never fails, and costs nothing until it is read.
    #[must_use]
    pub fn decoded(&self) -> Decoded<'a> {
        self.encoding.decode(self.raw_body())
    }

    /// The content without a copy, if the body is not encoded.
    #[must_use]
    pub fn contents(&self) -> Option<&'a [u8]> {
        (self.encoding == Encoding::Identity).then(|| self.raw_body())
    }

    /// All fields of the header, in order.
    #[must_use]
    pub fn headers(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The first field `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// The media type of the first content type field.
    #[must_use]
    pub fn media_type(&self) -> Option<MediaType> {
        self.header("content-type").map(|field| MediaType::read(&field.unfolded()))
    }

    /// The media types of all content type fields.
    #[must_use]
    pub fn media_types(&self) -> Vec<MediaType> {
        values(&self.fields, "content-type").iter().map(|value| MediaType::read(value)).collect()
    }

    /// The label of the character set, in lower case.
    #[must_use]
    pub fn charset(&self) -> Option<String> {
        let value = self.header("content-type")?.unfolded();
        let label = Parameter::find(&value, "charset").standard()?;
        Some(String::from_utf8_lossy(&label).to_ascii_lowercase())
    }

    /// A parameter of a field, as the standards read it: the first occurrence, without its quotes.
    #[must_use]
    pub fn parameter(&self, field: &str, name: &str) -> Option<Vec<u8>> {
        Parameter::find(&self.header(field)?.unfolded(), name).standard()
    }

    /// Whether this is a container whose parts are covered by a signature or encryption (RFC 1847).
    pub(crate) fn is_sealed(&self) -> bool {
        let media = self.media_type().unwrap_or_default();
        matches!(media.sub(), "signed" | "encrypted")
    }

    /// Which fragment of which message this is, for message/partial.
    #[must_use]
    pub fn partial(&self) -> Option<Partial> {
        values(&self.fields, "content-type").iter().find_map(|value| Partial::read(value))
    }

    /// The name under which a mail program would most likely save the part.
    #[must_use]
    pub fn file_name(&self) -> Option<Cow<'a, str>> {
        self.names().into_iter().next()
    }

    /// Every file name that the header holds in any reading, each once, the likeliest first; none
    /// if the names were those of the reading before.
    #[must_use]
    pub fn names(&self) -> Vec<Cow<'a, str>> {
        if self.is_repeated {
            return Vec::new();
        }
        if !self.embedded_name.is_empty() {
            return vec![crate::charset::guess(self.embedded_name)];
        }
        let mut names: Vec<String> = Vec::new();
        for (field, parameter) in [("content-disposition", "filename"), ("content-type", "name")] {
            for value in values(&self.fields, field).iter().take(MOST_FIELDS) {
                names.extend(Parameter::find(value, parameter).texts());
            }
        }
        let mut seen: Vec<&String> = Vec::new();
        for name in &names {
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        seen.into_iter().map(|name| Cow::Owned(name.clone())).collect()
    }

    /// The words of all dispositions, such as `attachment`, in lower case.
    pub(crate) fn dispositions(fields: &[Field<'_>]) -> Vec<Vec<u8>> {
        values(fields, "content-disposition").iter().map(|value| disposition(value)).collect()
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("kind", &self.kind)
            .field("range", &self.range)
            .field("body", &self.body)
            .field("encoding", &self.encoding)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}
