//! Hangul word processor 3 documents.

use flate2::read::DeflateDecoder;

use crate::children::Children;
use crate::cursor::Cursor;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, Magic, UnpackError, Unpacker};

/// The document behind its headers, inflated if it is deflated.
pub(super) struct Hwp3;

static FORMAT: Format = Format {
    name: "hwp3",
    about: "Hangul word processor document, version 3",
    extensions: &["hwp"],
    magic: &[Magic::start(b"HWP Document File V3.00 \x1A\x01\x02\x03\x04\x05")],
    specification: &["Hancom: Hangul document file formats 3.0 and HWPML, revision 1.2"],
    limitations: &[
        "documents with a password are not decrypted",
        "objects are found by their magic inside the document",
    ],
};

impl Unpacker for Hwp3 {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut fields = Cursor::new(subject.bytes());
        fields.take(SIGNATURE)?;
        let mut info = Cursor::new(fields.take(INFO)?);
        info.take(96)?; // layout, paths
        if info.u16_le()? != 0 {
            return Err(Reason::Encrypted.into());
        }
        info.take(26)?; // version, numbering
        let is_deflated = info.u8()? != 0;
        info.u8()?; // revision
        fields.take(SUMMARY)?;
        fields.take(info.u16_le()?.into())?;
        if is_deflated {
            children.stream("body", &mut DeflateDecoder::new(fields.rest()))?;
        } else {
            children.slice("body", fields.rest())?;
        }
        Ok(())
    }
}

const SIGNATURE: usize = 30;
const INFO: usize = 128;
const SUMMARY: usize = 1008;
