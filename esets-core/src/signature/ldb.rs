//! Logical signatures, `name;target description;expression;sub0;sub1;…`, in `.ldb`, `.ldu`.

use super::condition::{self, Condition};
use super::expression::{Expression, MAX_SUBS};
use super::{
    Boundary, Element, Loaded, Loader, Offset, Pattern, Rejection, SourceFile, Target, name,
};
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
    /// The sub-signatures: each is found if one of its patterns is.
    pub subs: Vec<Sub>,
}

/// A sub-signature of a logical signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sub {
    /// Where it may begin.
    pub offset: Offset,
    /// What it looks like: in 8-bit or 16-bit text, or both.
    pub patterns: Vec<Pattern>,
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
        source.each_line(|line| builder.add_logical(&signature(line, source)?))
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
    let subs: Vec<Sub> = subs.iter().map(|text| sub(text)).collect::<Result<_, _>>()?;
    let is_complete = usize::from(expression.highest()) < subs.len();
    if !is_complete || subs.len() > usize::from(MAX_SUBS) {
        return Err(Rejection::Field("number of sub-signatures"));
    }
    let class = source.class(title);
    Ok(LogicalSignature { name: title, class, target, conditions, expression, subs })
}

/// A sub-signature: `[offset:]pattern[::modifiers]`.
fn sub(text: &str) -> Result<Sub, Rejection> {
    if let Some(kind) = other_kind(text) {
        return Err(Rejection::Unsupported(kind));
    }
    let (body, modifiers) = text.split_once("::").unwrap_or((text, ""));
    let (offset, body) = body.rsplit_once(':').unwrap_or(("*", body));
    let offset = Offset::parse(offset)?;
    let mut pattern = Pattern::parse(body)?;
    let is = |modifier| modifiers.contains(modifier);
    if modifiers.chars().any(|modifier| !"iwfa".contains(modifier)) {
        return Err(Rejection::Field("modifiers"));
    }
    pattern.ignores_case = is('i');
    if is('f') {
        if is('w') || offset != Offset::default() {
            return Err(Rejection::Unsupported("full words of 16-bit text or with an offset"));
        }
        let edge = Element::Boundary { boundary: Boundary::Word, negated: false };
        pattern.elements.insert(0, edge.clone());
        pattern.elements.push(edge);
    }
    let patterns = match (is('w'), is('a')) {
        (true, true) => vec![pattern.widened(), pattern],
        (true, false) => vec![pattern.widened()],
        (false, _) => vec![pattern],
    };
    Ok(Sub { offset, patterns })
}

/// What a sub-signature is if it is not a pattern.
fn other_kind(text: &str) -> Option<&'static str> {
    let is_macro = text.starts_with('$') || text.contains(":$");
    if text.starts_with("fuzzy_img#") {
        Some("image hash")
    } else if text.contains('/') {
        Some("regular expression")
    } else if text.contains('#') {
        Some("byte comparison")
    } else {
        is_macro.then_some("macro group")
    }
}
