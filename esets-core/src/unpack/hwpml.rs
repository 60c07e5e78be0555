//! XML documents of the Hangul word processor (HWPML).

use flate2::read::DeflateDecoder;

use crate::children::Children;
use crate::decode::xml::{Xml, attribute, has_element};
use crate::subject::Subject;

use super::{Format, UnpackError, Unpacker};

/// What each `BINDATA` element holds, inflated if it says so.
pub(super) struct HwpMl;

static FORMAT: Format = Format {
    name: "hwpml",
    about: "Hangul word processor XML document",
    extensions: &["hml"],
    magic: &[],
    specification: &["Hancom: Hangul document file formats, HWPML, revision 1.2"],
    limitations: &["text and scripts are scanned with the file around them only"],
};

impl Unpacker for HwpMl {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        has_element(subject.bytes(), "BINDATA")
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let xml = Xml::read(subject.bytes(), children)?;
        for element in xml.elements("BINDATA") {
            let name = attribute(element.attributes, "Id").unwrap_or_default();
            let is_deflated = attribute(element.attributes, "Compress") == Some(b"true");
            element.offer(name, children, |content| match is_deflated {
                true => Box::new(DeflateDecoder::new(content)),
                false => content,
            })?;
        }
        Ok(())
    }
}
