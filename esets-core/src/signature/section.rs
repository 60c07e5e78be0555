//! Digests of sections of PE files, `size:hash:name[:minfl[:maxfl]]`, in `.mdb`, `.msb`, `.mdu`,
//! `.msu`.

use super::digest::DigestLine;
use super::{DigestSignature, Loaded, Loader, SourceFile};
use crate::database::DatabaseBuilder;

/// Reads digests of sections.
pub(super) struct Sections;

impl Loader for Sections {
    fn about(&self) -> &'static str {
        "digests of sections of PE files: MD5, SHA-1, SHA-256"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["mdb", "mdu", "msb", "msu"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| {
            let line = DigestLine::parse_size_first(line)?;
            builder.add_section(&DigestSignature {
                name: line.name,
                class: source.class(line.name),
                digest: line.digest,
                size: line.size,
            })
        })
    }
}
