//! Objects of OLE 1.0 in a compound file, packages of files above all: \[MS-OLEDS\] 2.3.6.

use std::borrow::Cow;

use crate::children::Children;
use crate::cursor::{Cursor, Truncated};
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

use super::{Format, UnpackError, Unpacker};

/// The file in a package, or the native data of any other object.
pub(super) struct Ole10Native;

static FORMAT: Format = Format {
    name: "ole10native",
    about: "OLE 1.0 object in an OLE2 stream, such as a package of a file",
    extensions: &[],
    magic: &[],
    specification: &["[MS-OLEDS] 2.3.6 OLENativeStream", "the package as the Packager writes it"],
    limitations: &["a package that only links to a file has no content"],
};

impl Unpacker for Ole10Native {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        let name = subject.name().to_ascii_lowercase();
        name.ends_with(b"\x01ole10native") && subject.bytes().len() > 4
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut fields = Cursor::new(subject.bytes());
        let size = fields.u32_le()?.into();
        let native = fields.rest();
        let (found, size) = match Package::read(native) {
            Ok(package) => {
                children.slice(package.member(), package.content)?;
                (package.content.len(), package.size)
            }
            Err(Truncated) => {
                children.slice("native", native)?;
                (native.len(), size)
            }
        };
        if (found as u64) < size { Err(Reason::Truncated.into()) } else { Ok(()) }
    }
}

/// A file as the Packager wraps it.
pub(super) struct Package<'a> {
    /// The name as the user sees it.
    label: &'a [u8],
    /// The path from which the file came.
    path: &'a [u8],
    /// What the file holds, as far as it is there.
    content: &'a [u8],
    size: u64,
}

impl<'a> Package<'a> {
    /// Reads a package, from the type on that precedes its names.
    ///
    /// # Errors
    /// [`Truncated`] if there is none.
    pub(super) fn read(native: &'a [u8]) -> Result<Self, Truncated> {
        let mut fields = Cursor::new(native);
        if fields.u16_le()? != EMBEDDED {
            return Err(Truncated);
        }
        let label = string(&mut fields)?;
        let path = string(&mut fields)?;
        fields.take(4)?; // type, format
        let length = fields.u32_le()?;
        fields.take(usize::try_from(length).unwrap_or(usize::MAX))?; // path of a temporary file
        let size = fields.u32_le()?.into();
        Ok(Self { label, path, content: fields.take_up_to(size), size })
    }

    /// The file's name and size.
    fn member(&self) -> Member<'a> {
        let name = if self.label.is_empty() { self.path } else { self.label };
        Member { size: Some(self.size), ..Member::named(Cow::Borrowed(name)) }
    }
}

/// Bytes up to a NUL, which is taken too.
fn string<'a>(fields: &mut Cursor<'a>) -> Result<&'a [u8], Truncated> {
    let length = memchr::memchr(0, fields.rest()).ok_or(Truncated)?;
    let text = fields.take(length)?;
    fields.u8()?;
    Ok(text)
}

const EMBEDDED: u16 = 2;
