//! Allow-lists, `hash:size:name`, in `.fp` and `.sfp`: objects that no signature may accuse.

use super::digest::DigestLine;
use super::{Loaded, Loader, SourceFile};
use crate::database::DatabaseBuilder;

/// Reads allow-lists.
pub(super) struct Allow;

impl Loader for Allow {
    fn about(&self) -> &'static str {
        "digests of objects that are known to be good"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["fp", "sfp"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| {
            let line = DigestLine::parse(line)?;
            builder.add_allowed(line.digest, line.size);
            Ok(())
        })
    }
}
