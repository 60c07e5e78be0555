//! Sub-signatures of logical signatures: what a field behind the expression may hold.

use super::comparison::Comparison;
use super::expression::{Expression, MAX_SUBS};
use super::regex::Regex;
use super::{Boundary, Element, Offset, Pattern, Rejection};

/// A sub-signature of a logical signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sub {
    /// A number near the place where another sub-signature lies.
    Comparison(Comparison),
    /// A pattern of a group so far behind the start of the sub-signature before: `${2-9}3$`.
    Group {
        /// The group, from 0 to 31; patterns with the offset `$3` are of group 3.
        group: u8,
        /// At least so many bytes.
        min: u32,
        /// At most so many bytes.
        max: u32,
    },
    /// Any of several patterns: the same one in 8-bit and in 16-bit text.
    Patterns {
        /// Where it may begin.
        offset: Offset,
        /// What it looks like.
        patterns: Vec<Pattern>,
    },
    /// A regular expression, tried when others were found.
    Regex(Regex),
}

impl Sub {
    /// Reads `[offset:]pattern[::modifiers]`, `[offset:]trigger/regex/flags`,
    /// `0(>>4#ib2#=7)`, `${2-9}3$`.
    ///
    /// # Errors
    /// [`Rejection::Field`] where the syntax is broken, [`Rejection::Unsupported`] for other kinds.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        if text.starts_with("fuzzy_img#") {
            Err(Rejection::Unsupported("image hash"))
        } else if text.contains('/') {
            Regex::parse(text).map(Self::Regex)
        } else if text.contains('#') {
            Comparison::parse(text).map(Self::Comparison)
        } else if text.starts_with('$') {
            group(text).ok_or(Rejection::Field("macro"))
        } else {
            patterns(text)
        }
    }

    /// The other sub-signatures that must be found before this one is looked for.
    pub(crate) fn trigger(&self, own: u8) -> Option<Expression> {
        match self {
            Self::Comparison(comparison) => Some(Expression::Sub(comparison.of)),
            Self::Group { .. } => Some(Expression::Sub(own.saturating_sub(1))),
            Self::Patterns { .. } => None,
            Self::Regex(regex) => Some(regex.trigger.clone()),
        }
    }
}

/// Whether every sub-signature depends on patterns, or on others before it, and so on none that
/// depends on it.
pub(super) fn is_sound(subs: &[Sub]) -> bool {
    let is_pattern = |sub: u8| matches!(subs.get(usize::from(sub)), Some(Sub::Patterns { .. }));
    let is_regex = |sub: u8| matches!(subs.get(usize::from(sub)), Some(Sub::Regex(_)));
    (0..MAX_SUBS).zip(subs).all(|(own, sub)| {
        let Some(trigger) = sub.trigger(own) else { return true };
        let is_before = |sub: u8| sub < own;
        let wanted = (0..MAX_SUBS).filter(|sub| trigger.subs() >> sub & 1 == 1);
        let is_fit = |other: u8| match sub {
            Sub::Group { .. } => own > 0 && is_pattern(other),
            Sub::Comparison(_) => is_pattern(other),
            // Expressions that wait for one another could wait in exponentially many ways.
            _ => is_pattern(other) || (is_before(other) && !is_regex(other)),
        };
        wanted.into_iter().all(is_fit) && usize::from(trigger.highest()) < subs.len()
    })
}

fn patterns(text: &str) -> Result<Sub, Rejection> {
    let (body, modifiers) = text.split_once("::").unwrap_or((text, ""));
    let (offset, body) = body.rsplit_once(':').unwrap_or(("*", body));
    let offset = Offset::parse(offset)?;
    let mut pattern = Pattern::parse(body)?;
    let is = |modifier| modifiers.contains(modifier);
    if modifiers.chars().any(|modifier| !"iwfa".contains(modifier)) {
        return Err(Rejection::Field("modifiers"));
    }
    pattern.ignores_case = is('i');
    let narrow = |pattern: &Pattern| match is('f') {
        true => whole_word(pattern, Boundary::WordStart, Boundary::WordEnd),
        false => pattern.clone(),
    };
    let wide = |pattern: &Pattern| match is('f') {
        true => whole_word(&pattern.widened(), Boundary::WideWordStart, Boundary::WideWordEnd),
        false => pattern.widened(),
    };
    let patterns = match (is('w'), is('a')) {
        (true, true) => vec![wide(&pattern), narrow(&pattern)],
        (true, false) => vec![wide(&pattern)],
        (false, _) => vec![narrow(&pattern)],
    };
    Ok(Sub::Patterns { offset, patterns })
}

fn whole_word(pattern: &Pattern, start: Boundary, end: Boundary) -> Pattern {
    let mut word = pattern.clone();
    word.elements.insert(0, Element::Boundary { boundary: start, negated: false });
    word.elements.push(Element::Boundary { boundary: end, negated: false });
    word
}

/// `${min-max}group$`
fn group(text: &str) -> Option<Sub> {
    let (range, group) = text.strip_prefix("${")?.strip_suffix('$')?.split_once('}')?;
    let (min, max) = range.split_once('-')?;
    let (min, max) = (min.parse().ok()?, max.parse().ok()?);
    let group = group.parse().ok().filter(|group| *group < GROUPS)?;
    (min <= max).then_some(Sub::Group { group, min, max })
}

/// How many groups of patterns there are.
pub(crate) const GROUPS: u8 = 32;
