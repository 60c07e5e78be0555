//! Ignore lists: names of signatures that are left out. `.ign` has lines `database:line:name`,
//! `.ign2` has `name[:md5]`, the MD5 of the line that is meant.

use super::{Loaded, Loader, Rejection, SourceFile, hex, name};
use crate::database::DatabaseBuilder;

/// Reads ignore lists.
pub(super) struct IgnoreLists;

impl Loader for IgnoreLists {
    fn about(&self) -> &'static str {
        "names of signatures that are left out"
    }

    fn extensions(&self) -> &'static [&'static str] {
        EXTENSIONS
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        let is_old = source.extension() == "ign";
        source.each_line(builder, |line, builder| {
            let fields: Vec<&str> = line.split(':').collect();
            let (title, digest) = match *fields {
                [_, _, title] if is_old => (title, None),
                [title] if !is_old => (title, None),
                [title, digest] if !is_old => {
                    let digest = hex::<16>(digest).ok_or(Rejection::Field("hash"))?;
                    (title, Some(digest))
                }
                _ => return Err(Rejection::Field("number of fields")),
            };
            builder.add_ignored(name(title)?, digest);
            Ok(())
        })
    }
}

pub(super) static EXTENSIONS: &[&str] = &["ign", "ign2"];
