//! OpenDocument in one XML file, as LibreOffice saves it: OpenDocument 1.3 part 3, 3.1.2.

use crate::children::Children;
use crate::decode::xml::{Xml, attribute, has_element};
use crate::subject::Subject;

use super::{Format, UnpackError, Unpacker};

/// What each `office:binary-data` element holds: pictures and objects.
pub(super) struct FlatOdf;

static FORMAT: Format = Format {
    name: "flatodf",
    about: "OpenDocument in one XML file",
    extensions: &["fodg", "fodp", "fods", "fodt", "xml"],
    magic: &[],
    specification: &["OpenDocument 1.3 part 3: 3.1.2, 19.40 <office:binary-data>"],
    limitations: &["text and macros are scanned with the file around them only"],
};

impl Unpacker for FlatOdf {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        has_element(subject.bytes(), "binary-data")
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let xml = Xml::read(subject.bytes(), children)?;
        for element in xml.elements("binary-data") {
            let name = attribute(element.outer, "name").unwrap_or_default();
            element.offer(name, children, |content| content)?;
        }
        Ok(())
    }
}
