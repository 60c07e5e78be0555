//! Hangul word processor 5 documents: a compound file with deflated streams.

use std::io::Read;

use flate2::read::DeflateDecoder;

use crate::children::Children;
use crate::decode::compound::{Compound, Node, Stream};
use crate::subject::Subject;
use crate::verdict::Reason;

use super::ole2::{self, Kind, member};
use super::{Format, UnpackError, Unpacker};

/// Every stream, inflated where the format says so.
pub(super) struct Hwp5;

static FORMAT: Format = Format {
    name: "hwp5",
    about: "Hangul word processor document, version 5",
    extensions: &["hwp", "hwt"],
    magic: &[],
    specification: &["Hancom: Hangul document file formats 5.0, revision 1.3"],
    limitations: &["documents with a password and distribution documents are not decrypted"],
};

impl Unpacker for Hwp5 {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        Kind::Hwp.recognises(subject)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let (compound, _lease) = ole2::open(subject, children)?;
        let flags = flags(&compound).unwrap_or_default();
        if flags & (ENCRYPTED | DISTRIBUTION) != 0 {
            children.not_scanned(Reason::Encrypted);
        }
        let tree = compound.tree();
        for node in compound.nodes().filter(Node::is_stream) {
            let path = compound.path(&tree, &node);
            let mut stream = compound.stream(&node);
            if flags & COMPRESSED != 0 && is_deflated(&path) && inflates(compound.stream(&node)) {
                children.stream(path.as_str(), &mut DeflateDecoder::new(stream))?;
            } else {
                children.stream(member(&node, &path), &mut stream)?;
            }
        }
        Ok(())
    }
}

/// Whether the compound file is such a document: its header stream says so.
pub(super) fn is_document(compound: &Compound<'_>) -> bool {
    flags(compound).is_some()
}

/// The properties in the header stream.
fn flags(compound: &Compound<'_>) -> Option<u32> {
    let header = compound.nodes().find(|node| node.is_named("FileHeader"))?;
    let header = compound.head(&header, 40);
    let flags = header.starts_with(b"HWP Document File").then(|| header.get(36..40))??;
    Some(u32::from_le_bytes(*flags.first_chunk()?))
}

fn is_deflated(path: &str) -> bool {
    path == "DocInfo" || DEFLATED.iter().any(|storage| path.starts_with(storage))
}

/// Whether the stream begins as deflated data: a picture may be stored as it is.
fn inflates(stream: Stream<'_>) -> bool {
    DeflateDecoder::new(stream).read(&mut [0; 16]).is_ok_and(|count| count > 0)
}

const COMPRESSED: u32 = 1;
const ENCRYPTED: u32 = 2;
const DISTRIBUTION: u32 = 4;
/// Storages whose streams are deflated.
const DEFLATED: &[&str] = &["BinData/", "BodyText/", "Scripts/", "ViewText/", "DocHistory/"];
