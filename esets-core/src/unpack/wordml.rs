//! XML documents of Word 2003 (WordprocessingML), with macros, objects and pictures in base64.

use crate::children::Children;
use crate::decode::xml::{Xml, attribute, has_element};
use crate::subject::Subject;

use super::{Format, UnpackError, Unpacker};

/// What each `binData` element holds: ActiveMime with macros, a compound file with objects.
pub(super) struct WordMl;

static FORMAT: Format = Format {
    name: "wordml",
    about: "Word 2003 XML document",
    extensions: &["xml"],
    magic: &[],
    specification: &["Microsoft Office 2003 XML Reference Schemas: WordprocessingML"],
    limitations: &["text is scanned with the file around it only"],
};

impl Unpacker for WordMl {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        has_element(subject.bytes(), "binData")
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let xml = Xml::read(subject.bytes(), children)?;
        for element in xml.elements("binData") {
            let name = attribute(element.attributes, "name").unwrap_or_default();
            element.offer(name, children, |content| content)?;
        }
        Ok(())
    }
}
