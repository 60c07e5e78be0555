//! Body signatures, `name:target:offset:pattern[:minfl[:maxfl]]`, in `.ndb`, `.ndu`, `.sdb`.

use super::{GROUPS, Loaded, Loader, Offset, Pattern, Rejection, SourceFile, Target, level, name};
use crate::database::DatabaseBuilder;
use crate::verdict::Class;

/// A pattern that accuses the object it is found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodySignature<'a> {
    /// The name of what it finds.
    pub name: &'a str,
    /// How bad that is.
    pub class: Class,
    /// The objects it is for.
    pub target: Target,
    /// Where it may begin.
    pub offset: Offset,
    /// What it searches for.
    pub pattern: Pattern,
}

/// Reads body signatures.
pub(super) struct Bodies;

impl Loader for Bodies {
    fn about(&self) -> &'static str {
        "patterns of bytes, with offset and type of object"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["ndb", "ndu", "sdb"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| match member(line) {
            Some(member) => {
                let (group, target, pattern) = member?;
                builder.add_group_member(group, target, &pattern)
            }
            None => builder.add_body(&signature(line, source)?),
        })
    }
}

fn signature<'a>(line: &'a str, source: &SourceFile<'_>) -> Result<BodySignature<'a>, Rejection> {
    let fields: Vec<&str> = line.split(':').collect();
    let [title, target, offset, pattern, levels @ ..] = &*fields else {
        return Err(Rejection::Field("number of fields"));
    };
    let title = name(title)?;
    level(levels)?;
    Ok(BodySignature {
        name: title,
        class: source.class(title),
        target: Target::parse(target)?,
        offset: Offset::parse(offset)?,
        pattern: Pattern::parse(pattern)?,
    })
}

/// A pattern of a group, which only logical signatures search for: one with an offset like `$3`.
fn member(line: &str) -> Option<Result<(u8, Target, Pattern), Rejection>> {
    let mut fields = line.split(':');
    let (target, group) = (fields.nth(1)?, fields.next()?.strip_prefix('$')?);
    let pattern = fields.next().unwrap_or_default();
    let group = group.parse().ok().filter(|group| *group < GROUPS);
    let group = group.ok_or(Rejection::Field("macro group"));
    Some(group.and_then(|group| Ok((group, Target::parse(target)?, Pattern::parse(pattern)?))))
}
