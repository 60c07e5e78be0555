//! Patterns in the oldest format, `name=pattern`, in `.db`: for any object, anywhere in it.

use super::{BodySignature, Loaded, Loader, Offset, Pattern, Rejection, SourceFile, Target, name};
use crate::database::DatabaseBuilder;

/// Reads patterns in the oldest format.
pub(super) struct OldBodies;

impl Loader for OldBodies {
    fn about(&self) -> &'static str {
        "patterns of bytes, in the oldest format"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["db"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| {
            let (title, pattern) = line.split_once('=').ok_or(Rejection::Field("line"))?;
            let title = name(title)?;
            builder.add_body(&BodySignature {
                name: title,
                class: source.class(title),
                target: Target::Any,
                offset: Offset::default(),
                pattern: Pattern::parse(pattern)?,
            })
        })
    }
}
