//! Logical signatures, `name;target description;expression;sub0;sub1;…`, in `.ldb`, `.ldu`.

use super::condition::{self, Condition};
use super::expression::{Expression, MAX_SUBS};
use super::sub::{self, Sub};
use super::{Loaded, Loader, Rejection, SourceFile, Target, name};
use crate::database::DatabaseBuilder;
use crate::verdict::Class;

/// Several patterns and what must hold of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalSignature<'a> {
    /// The name of what it finds.
    pub name: &'a str,
    /// How bad that is.
    pub class: Class,
    /// The objects it is for.
    pub target: Target,
    /// What else must hold of the object.
    pub conditions: Vec<Condition>,
    /// Which sub-signatures must be found.
    pub expression: Expression,
    /// The sub-signatures.
    pub subs: Vec<Sub>,
}

/// Reads logical signatures.
pub(super) struct Logicals;

impl Loader for Logicals {
    fn about(&self) -> &'static str {
        "several patterns and which of them must be found"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["ldb", "ldu"]
    }

    fn load(&self, source: &SourceFile<'_>, builder: &mut DatabaseBuilder) -> Loaded {
        source.each_line(builder, |line, builder| builder.add_logical(&signature(line, source)?))
    }
}

fn signature<'a>(
    line: &'a str,
    source: &SourceFile<'_>,
) -> Result<LogicalSignature<'a>, Rejection> {
    let fields: Vec<&str> = line.split(';').collect();
    let [title, description, expression, subs @ ..] = &*fields else {
        return Err(Rejection::Field("number of fields"));
    };
    let title = name(title)?;
    let (target, conditions) = condition::parse(description)?;
    let expression = Expression::parse(expression)?;
    let subs: Vec<Sub> = subs.iter().map(|text| Sub::parse(text)).collect::<Result<_, _>>()?;
    let is_complete = usize::from(expression.highest()) < subs.len();
    if !is_complete || subs.len() > usize::from(MAX_SUBS) {
        return Err(Rejection::Field("number of sub-signatures"));
    }
    if !sub::is_sound(&subs) {
        return Err(Rejection::Field("trigger"));
    }
    let class = source.class(title);
    Ok(LogicalSignature { name: title, class, target, conditions, expression, subs })
}
