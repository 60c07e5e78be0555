//! Documents in one XML file, with their binary parts in base64 in elements of one name.

use flate2::read::DeflateDecoder;

use super::{Format, UnpackError, Unpacker};
use crate::children::Children;
use crate::decode::xml::{Element, Xml, attribute, has_element};
use crate::subject::Subject;

/// One kind of such documents.
pub(super) struct XmlDocument {
    format: &'static Format,
    /// The local name of the elements with binary parts.
    element: &'static str,
    /// What names a part.
    name: Name,
    /// The attribute that is `true` where a part is deflated.
    deflated: Option<&'static str>,
}

/// The attribute that names a part: of its element, or of the element around it.
enum Name {
    Own(&'static str),
    Outer(&'static str),
}

impl XmlDocument {
    fn name<'x>(&self, element: &Element<'x>) -> &'x [u8] {
        let name = match self.name {
            Name::Own(name) => attribute(element.attributes, name),
            Name::Outer(name) => attribute(element.outer, name),
        };
        name.unwrap_or_default()
    }
}

impl Unpacker for XmlDocument {
    fn format(&self) -> &'static Format {
        self.format
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        has_element(subject.bytes(), self.element)
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let xml = Xml::read(subject.bytes(), children)?;
        for element in xml.elements(self.element) {
            let packed = self.deflated.and_then(|name| attribute(element.attributes, name));
            element.offer(self.name(&element), children, |content| match packed {
                Some(b"true") => Box::new(DeflateDecoder::new(content)),
                _ => content,
            })?;
        }
        Ok(())
    }
}

pub(super) static FLAT_ODF: XmlDocument = XmlDocument {
    format: &Format {
        name: "flatodf",
        about: "OpenDocument in one XML file",
        extensions: &["fodg", "fodp", "fods", "fodt", "xml"],
        magic: &[],
        specification: &["OpenDocument 1.3 part 3: 3.1.2, 19.40 <office:binary-data>"],
        limitations: &["text and macros are scanned with the file around them only"],
    },
    element: "binary-data",
    name: Name::Outer("name"),
    deflated: None,
};

pub(super) static FLAT_OPC: XmlDocument = XmlDocument {
    format: &Format {
        name: "flatopc",
        about: "Office Open XML in one XML file",
        extensions: &["xml"],
        magic: &[],
        specification: &["the namespace http://schemas.microsoft.com/office/2006/xmlPackage"],
        limitations: &["parts that are XML are scanned with the file around them only"],
    },
    element: "binaryData",
    name: Name::Outer("name"),
    deflated: None,
};

pub(super) static HWP_ML: XmlDocument = XmlDocument {
    format: &Format {
        name: "hwpml",
        about: "Hangul word processor XML document",
        extensions: &["hml"],
        magic: &[],
        specification: &["Hancom: Hangul document file formats, HWPML, revision 1.2"],
        limitations: &["text and scripts are scanned with the file around them only"],
    },
    element: "BINDATA",
    name: Name::Own("Id"),
    deflated: Some("Compress"),
};

/// With macros as ActiveMime, and objects in a compound file.
pub(super) static WORD_ML: XmlDocument = XmlDocument {
    format: &Format {
        name: "wordml",
        about: "Word 2003 XML document",
        extensions: &["xml"],
        magic: &[],
        specification: &["Microsoft Office 2003 XML Reference Schemas: WordprocessingML"],
        limitations: &["text is scanned with the file around it only"],
    },
    element: "binData",
    name: Name::Own("name"),
    deflated: None,
};
