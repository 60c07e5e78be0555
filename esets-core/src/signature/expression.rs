//! The expression of a logical signature: which of its sub-signatures must be found, and how often.

use super::Rejection;

/// Which sub-signatures must be found, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expression {
    /// All of them.
    All(Vec<Expression>),
    /// Any of them.
    Any(Vec<Expression>),
    /// So many matches in all, of so many different sub-signatures at least.
    Count {
        /// What is counted.
        of: Box<Expression>,
        /// How the number of matches compares with `number`.
        test: Test,
        /// What it is compared with.
        number: u32,
        /// How many different sub-signatures must be among the matches.
        distinct: u32,
    },
    /// The sub-signature of this number, from 0.
    Sub(u8),
}

/// How a count compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Test {
    /// It is the number.
    Equal,
    /// It is more.
    Greater,
    /// It is less.
    Less,
}

impl Expression {
    /// Reads `0&1`, `0|1`, `(0|1)>2`, `(0|1|2)=3,2`, `0=0`, `0<3`. What stands behind an operator
    /// belongs together: `0&1|2` is `0&(1|2)`.
    ///
    /// # Errors
    /// [`Rejection::Field`] where the syntax is broken or nested too deep.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let mut parser = Parser { rest: text, depth: 0 };
        let parsed = parser.expression().filter(|_| parser.rest.is_empty());
        parsed.ok_or(Rejection::Field("expression"))
    }

    /// The highest number of a sub-signature.
    #[must_use]
    pub fn highest(&self) -> u8 {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().map(Self::highest).max().unwrap_or_default()
            }
            Self::Count { of, .. } => of.highest(),
            Self::Sub(number) => *number,
        }
    }

    /// One bit for each sub-signature whose matches are counted.
    #[must_use]
    pub fn counted(&self) -> u64 {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().fold(0, |bits, part| bits | part.counted())
            }
            Self::Count { of, .. } => of.subs(),
            Self::Sub(_) => 0,
        }
    }

    /// The same expression with the cheapest parts of each operator first.
    pub(crate) fn sorted(&self, cost: &dyn Fn(u8) -> u64) -> Self {
        let sort = |parts: &[Self]| {
            let mut parts: Vec<Self> = parts.iter().map(|part| part.sorted(cost)).collect();
            parts.sort_by_cached_key(|part| part.cost(cost));
            parts
        };
        match self {
            Self::All(parts) => Self::All(sort(parts)),
            Self::Any(parts) => Self::Any(sort(parts)),
            Self::Count { of, test, number, distinct } => Self::Count {
                of: Box::new(of.sorted(cost)),
                test: *test,
                number: *number,
                distinct: *distinct,
            },
            Self::Sub(number) => Self::Sub(*number),
        }
    }

    /// What it costs to look for all of its sub-signatures.
    pub(crate) fn cost(&self, cost: &dyn Fn(u8) -> u64) -> u64 {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().fold(0, |sum, part| part.cost(cost).saturating_add(sum))
            }
            Self::Count { of, .. } => of.cost(cost),
            Self::Sub(number) => cost(*number),
        }
    }

    /// One bit for each sub-signature.
    pub(crate) fn subs(&self) -> u64 {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().fold(0, |bits, part| bits | part.subs())
            }
            Self::Count { of, .. } => of.subs(),
            Self::Sub(number) => 1_u64.checked_shl((*number).into()).unwrap_or_default(),
        }
    }

    /// The cheapest set of sub-signatures of which one must be found if the expression is to hold;
    /// `None` if it may hold without any. `leaf` is the same for a sub-signature.
    pub(crate) fn necessary(
        &self,
        cost: &dyn Fn(u8) -> u64,
        leaf: &dyn Fn(u8) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let price =
            |set: &Vec<u8>| set.iter().fold(0_u64, |sum, sub| sum.saturating_add(cost(*sub)));
        match self {
            Self::All(parts) => {
                parts.iter().filter_map(|part| part.necessary(cost, leaf)).min_by_key(price)
            }
            Self::Any(parts) => {
                let sets: Option<Vec<_>> =
                    parts.iter().map(|part| part.necessary(cost, leaf)).collect();
                sets.map(|sets| sets.concat())
            }
            Self::Count { test: Test::Less, .. } => None,
            Self::Count { test: Test::Equal, number: 0, .. } => None,
            Self::Count { of, .. } => {
                let subs = (0..64).filter(|sub| of.subs() >> sub & 1 == 1);
                let sets: Option<Vec<_>> = subs.map(leaf).collect();
                sets.map(|sets| sets.concat())
            }
            Self::Sub(number) => leaf(*number),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: u8,
}

impl Parser<'_> {
    fn expression(&mut self) -> Option<Expression> {
        let mut parts = vec![self.term()?];
        let Some(operator) = self.rest.chars().next().filter(|next| "&|".contains(*next)) else {
            return parts.pop();
        };
        while let Some(rest) = self.rest.strip_prefix(operator) {
            self.rest = rest;
            parts.push(self.term()?);
        }
        if self.rest.starts_with(['&', '|']) {
            // The other operator: it takes what stood last, and what follows.
            let last = parts.pop()?;
            parts.push(self.continued(last)?);
        }
        Some(if operator == '&' { Expression::All(parts) } else { Expression::Any(parts) })
    }

    fn continued(&mut self, first: Expression) -> Option<Expression> {
        let operator = self.rest.chars().next()?;
        self.rest = self.rest.strip_prefix(operator)?;
        let parts = vec![first, self.expression()?];
        Some(if operator == '&' { Expression::All(parts) } else { Expression::Any(parts) })
    }

    fn term(&mut self) -> Option<Expression> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let inner = if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let inner = self.expression()?;
            self.rest = self.rest.strip_prefix(')')?;
            inner
        } else {
            let number = u8::try_from(self.number()?).ok()?;
            Expression::Sub(Some(number).filter(|number| *number < MAX_SUBS)?)
        };
        self.depth = self.depth.saturating_sub(1);
        self.count(inner)
    }

    fn count(&mut self, of: Expression) -> Option<Expression> {
        let test = match self.rest.chars().next() {
            Some('=') => Test::Equal,
            Some('>') => Test::Greater,
            Some('<') => Test::Less,
            _ => return Some(of),
        };
        self.rest = self.rest.get(1..)?;
        let number = self.number()?;
        let mut distinct = 0;
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            distinct = self.number()?;
        }
        Some(Expression::Count { of: Box::new(of), test, number, distinct })
    }

    fn number(&mut self) -> Option<u32> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        digits.parse().ok()
    }
}

/// The most sub-signatures of a signature.
pub(crate) const MAX_SUBS: u8 = 64;
/// The deepest nesting of parentheses.
const MAX_DEPTH: u8 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syntax_is_read_or_refused() {
        for good in ["0", "0&1&2", "(0|1)&2", "0=0&1", "((0|1)>3,2)&5", "0&1|2&3", "(0&1)|(2<4)"] {
            assert!(Expression::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "&", "0&", "(0", "0)", "64", "0=", "0>x", "a", "0 & 1", "0=1,"] {
            assert_eq!(Expression::parse(bad), Err(Rejection::Field("expression")), "{bad}");
        }
    }

    #[test]
    fn the_cheapest_necessary_set_is_found() {
        let necessary = |text: &str| {
            Expression::parse(text).unwrap().necessary(&|sub| sub.into(), &|sub| Some(vec![sub]))
        };
        assert_eq!(necessary("3&1&2"), Some(vec![1]));
        assert_eq!(necessary("3|1|2"), Some(vec![3, 1, 2]));
        assert_eq!(necessary("(1|2)&9"), Some(vec![1, 2]));
        assert_eq!(necessary("1=0&9"), Some(vec![9]));
        assert_eq!(necessary("1=0|9"), None);
        assert_eq!(necessary("(4|5)>2"), Some(vec![4, 5]));
        assert_eq!(necessary("4<2"), None);
    }
}
