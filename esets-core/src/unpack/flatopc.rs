//! Office Open XML in one XML file ("Flat OPC"), as Office 2007 and later save it.

use crate::children::Children;
use crate::decode::xml::{Xml, attribute, has_element};
use crate::subject::Subject;

use super::{Format, UnpackError, Unpacker};

/// Every part that is not XML itself.
pub(super) struct FlatOpc;

static FORMAT: Format = Format {
    name: "flatopc",
    about: "Office Open XML in one XML file",
    extensions: &["xml"],
    magic: &[],
    specification: &["the namespace http://schemas.microsoft.com/office/2006/xmlPackage"],
    limitations: &["parts that are XML are scanned with the file around them only"],
};

impl Unpacker for FlatOpc {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        has_element(subject.bytes(), "binaryData")
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let xml = Xml::read(subject.bytes(), children)?;
        for element in xml.elements("binaryData") {
            let name = attribute(element.outer, "name").unwrap_or_default();
            element.offer(name, children, |content| content)?;
        }
        Ok(())
    }
}
