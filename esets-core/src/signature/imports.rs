//! Digests of what PE files import, `hash:size:name[:minfl[:maxfl]]`, in `.imp`.

use super::digest::DigestLine;
use super::{DigestSignature, Loaded, Loader, SourceFile};
use crate::database::DatabaseBuilder;

/// Reads digests of imports.
pub(super) struct Imports;

impl Loader for Imports {
    fn about(&self) -> &'static str {
        "digests of what PE files import"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["imp"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| {
            let line = DigestLine::parse(line)?;
            builder.add_imports(&DigestSignature {
                name: line.name,
                class: source.class(line.name),
                digest: line.digest,
                size: line.size,
            })
        })
    }
}
