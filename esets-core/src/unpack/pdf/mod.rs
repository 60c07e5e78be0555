//! PDF: ISO 32000-2. Objects are found by their marks, so tables that lead elsewhere hide nothing.

mod document;
mod filter;
mod lexer;
mod lock;
mod lzw;
mod predictor;
mod sweep;
mod text;
mod value;

use memchr::memmem;

use crate::children::Children;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, Magic, UnpackError, Unpacker};
use document::Document;
use sweep::Sweep;

/// Every stream decoded, every script, and the addresses that actions lead to.
pub(super) struct Pdf;

static FORMAT: Format = Format {
    name: "pdf",
    about: "PDF document",
    extensions: &["pdf", "fdf"],
    magic: &[],
    specification: &["ISO 32000-2"],
    limitations: &[
        "pictures (DCT, JPX, JBIG2, CCITT) are offered as they lie",
        "TIFF prediction of other than 8 bits",
        "encryption by certificates",
    ],
};

impl Unpacker for Pdf {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        header(subject.bytes()).is_some()
    }

    fn carved_by(&self) -> &'static [Magic] {
        const { &[Magic::start(b"%PDF-")] }
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let bytes = subject.bytes();
        let start = header(bytes).ok_or(Reason::corrupt("header"))?;
        if let Some(before @ [_, ..]) = bytes.get(..start) {
            children.slice("(before the document)", before)?;
        }
        let memory = sweep::memory(bytes.len()).saturating_add(value::memory(bytes.len()));
        let _lease = children.lease(memory)?;
        let mut document = Document::new(bytes, Sweep::new(bytes));
        document.unlock(children);
        document.offer_values(children)?;
        document.offer_streams(children)?;
        if let behind @ [_, ..] = behind(bytes) {
            children.slice("(behind the document)", behind)?;
        }
        Ok(())
    }
}

/// Where the header is; viewers look for it in the first 1024 bytes.
fn header(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes.get(..1024).unwrap_or(bytes), b"%PDF-")
}

/// What lies behind the last end of a document, without the line break.
fn behind(bytes: &[u8]) -> &[u8] {
    let end = memmem::rfind(bytes, b"%%EOF").and_then(|at| bytes.get(at.saturating_add(5)..));
    end.unwrap_or_default().trim_ascii()
}
