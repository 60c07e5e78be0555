//! What is wrong or ambiguous in a message. Nothing is repaired without a record here.

use std::fmt;

/// One way in which a message departs from RFC 5322, 2045, 2046, 2047 or 2231, or can be read in
/// several ways.
///
/// A message lists each kind at most once, in the order in which they were met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Defect {
    /// Several boundaries are declared, and more than one of them divides the body.
    AmbiguousBoundary,
    /// A line starts with a boundary, but goes on with other text or begins with white space.
    AmbiguousDelimiter,
    /// A carriage return stands alone in a header: some readers end the line there.
    BareCarriageReturn,
    /// A line of white space only: some readers end the header there.
    BlankLineInHeader,
    /// The message or a part starts with empty lines, and a header follows them.
    BlankLinesBeforeHeader,
    /// A boundary is declared, but the media type is not multipart.
    BoundaryWithoutMultipart,
    /// A byte order mark stands before the header.
    ByteOrderMark,
    /// Characters that are no base64 in the midst of it, or padding before its end.
    DirtyBase64,
    /// More than one disposition field.
    DuplicateDisposition,
    /// The same parameter twice in a field.
    DuplicateParameter,
    /// More than one transfer encoding field.
    DuplicateTransferEncoding,
    /// More than one content type field.
    DuplicateType,
    /// Base64 whose content is base64 again.
    EncodedTwice,
    /// A transfer encoding, other than none, on a multipart.
    EncodedMultipart,
    /// A header and a body of their own in a text that was not declared to hold any.
    EntityInText,
    /// A boundary was not declared, or does not occur, and was guessed from the body.
    GuessedBoundary,
    /// A line in a header that is no field: some readers end the header there.
    JunkInHeader,
    /// Something was left out, because it is too much.
    Limit(Limit),
    /// A transfer encoding that is recognised, but not by every reader.
    MalformedTransferEncoding,
    /// A media type that readers may take for different ones.
    MalformedType,
    /// A part's header is not closed by an empty line.
    MissingBlankLine,
    /// A multipart in whose body no boundary was found.
    MissingDelimiter,
    /// The boundary that divides the body is not one that every reader sees in the field.
    NonstandardBoundary,
    /// A NUL byte in a header.
    NulInHeader,
    /// A field name with white space, comments or control characters in it.
    OddFieldName,
    /// Parts after the delimiter that closes the multipart.
    PartsAfterClose,
    /// Base64 was declared, but the body is something else.
    UndecodableBase64,
    /// A body is base64, but was not declared so.
    UndeclaredBase64,
    /// A transfer encoding that nobody knows, or several in one field.
    UnknownTransferEncoding,
    /// A multipart without its closing delimiter.
    Unterminated,
    /// The whole message is in UTF-16.
    Utf16,
}

/// The limit that cut something: a field of [`Limits`](crate::Limits), or the work of comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Limit {
    /// Multiparts and messages are nested too deep.
    Depth,
    /// A header field is too long.
    HeaderBytes,
    /// A header has too many fields.
    Headers,
    /// The message has too many parts.
    Parts,
    /// The message can be read in too many ways.
    Readings,
    /// The lines that look like delimiters would take too long to compare.
    Work,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::AmbiguousBoundary => "several boundaries divide the body",
            Self::AmbiguousDelimiter => "boundary with other text on its line",
            Self::BareCarriageReturn => "lone carriage return in a header",
            Self::BlankLineInHeader => "line of white space in a header",
            Self::BlankLinesBeforeHeader => "empty lines before a header",
            Self::BoundaryWithoutMultipart => "boundary without a multipart type",
            Self::ByteOrderMark => "byte order mark before the header",
            Self::DirtyBase64 => "foreign characters or early padding in base64",
            Self::DuplicateDisposition => "several content dispositions",
            Self::DuplicateParameter => "the same parameter twice",
            Self::DuplicateTransferEncoding => "several transfer encodings",
            Self::DuplicateType => "several content types",
            Self::EncodedMultipart => "transfer encoding on a multipart",
            Self::EncodedTwice => "base64 within base64",
            Self::EntityInText => "header of a part within a text",
            Self::GuessedBoundary => "boundary guessed from the body",
            Self::JunkInHeader => "line without a field name in a header",
            Self::Limit(limit) => return write!(f, "too much: {limit}"),
            Self::MalformedTransferEncoding => "malformed transfer encoding",
            Self::MalformedType => "malformed content type",
            Self::MissingBlankLine => "no empty line after a header",
            Self::MissingDelimiter => "multipart without its boundary in the body",
            Self::NonstandardBoundary => "boundary in a disguise",
            Self::NulInHeader => "NUL in a header",
            Self::OddFieldName => "white space or comment in a field name",
            Self::PartsAfterClose => "parts after the closing delimiter",
            Self::UndeclaredBase64 => "base64 that is not declared",
            Self::UndecodableBase64 => "declared base64 that is none",
            Self::UnknownTransferEncoding => "unknown transfer encoding",
            Self::Unterminated => "multipart without closing delimiter",
            Self::Utf16 => "message in UTF-16",
        };
        f.write_str(text)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Depth => "depth",
            Self::HeaderBytes => "header length",
            Self::Headers => "header fields",
            Self::Parts => "parts",
            Self::Readings => "readings",
            Self::Work => "delimiter lines",
        })
    }
}

/// The defects of one message, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defects(Vec<Defect>);

impl Defects {
    pub(crate) fn add(&mut self, defect: Defect) {
        if !self.0.contains(&defect) {
            self.0.push(defect);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Defect> {
        self.0
    }
}
