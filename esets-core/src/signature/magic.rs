//! Magic bytes of kinds of objects, `how:offset:magic:name:kind before:kind[:minfl[:maxfl]]`, in
//! `.ftm`; `how` is 0 or 4 for bytes at an offset, 1 for a pattern.

use super::kinds::kind;
use super::{Loaded, Loader, Offset, Pattern, Rejection, SourceFile, level, name};
use crate::database::DatabaseBuilder;

/// What objects of a kind are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindSignature {
    /// What they hold.
    pub magic: Magic,
    /// The kind that they are otherwise known to be of, by its place in the table of kinds.
    pub(crate) before: u8,
    /// The kind that they are.
    pub(crate) kind: u8,
}

/// What objects of a kind hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Magic {
    /// These bytes at this offset.
    Bytes {
        /// In bytes from the start.
        offset: u32,
        /// At least one.
        bytes: Vec<u8>,
    },
    /// A pattern; one without offset begins in the first kilobyte.
    Pattern {
        /// Where it may begin.
        offset: Offset,
        /// What it looks like.
        pattern: Pattern,
    },
}

/// Reads magic bytes.
pub(super) struct Magics;

impl Loader for Magics {
    fn about(&self) -> &'static str {
        "magic bytes of kinds of objects"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["ftm"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| builder.add_kind(&signature(line)?))
    }
}

fn signature(line: &str) -> Result<KindSignature, Rejection> {
    let fields: Vec<&str> = line.split(':').collect();
    let [how, offset, magic, title, before, after, levels @ ..] = &*fields else {
        return Err(Rejection::Field("number of fields"));
    };
    name(title)?;
    // The lowest level may be left out where there is a highest.
    match levels {
        ["", highest] => level(&["0", highest])?,
        levels => level(levels)?,
    }
    let magic = match *how {
        "0" | "4" => bytes(offset, magic)?,
        "1" => Magic::Pattern { offset: Offset::parse(offset)?, pattern: Pattern::parse(magic)? },
        _ => return Err(Rejection::Field("kind of magic")),
    };
    let before = if *before == "CL_TYPE_PART_ANY" { "CL_TYPE_ANY" } else { before };
    Ok(KindSignature { magic, before: kind(before)?, kind: kind(after)? })
}

fn bytes(offset: &str, magic: &str) -> Result<Magic, Rejection> {
    let offset = offset.parse().map_err(|_| Rejection::Field("offset"))?;
    let bytes = super::unhex(magic).filter(|bytes| !bytes.is_empty() && bytes.len() <= 255);
    bytes.map(|bytes| Magic::Bytes { offset, bytes }).ok_or(Rejection::Field("magic"))
}
