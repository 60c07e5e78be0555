//! What is added of signatures that are patterns.

use super::super::patterns::User;
use super::super::row::LOGICAL;
use super::super::{logical, special};
use super::{DatabaseBuilder, SignatureKind};
use crate::matcher::{Compiled, compile};
use crate::signature::{BodySignature, LogicalSignature, Offset, Pattern, Rejection, Sub, Target};

impl DatabaseBuilder {
    /// Adds a pattern.
    ///
    /// # Errors
    /// [`Rejection::Weak`] if it cannot be searched for at a bearable cost.
    pub fn add_body(&mut self, signature: &BodySignature<'_>) -> Result<(), Rejection> {
        let compiled = compile(&signature.pattern, &signature.offset)?;
        let name = self.name(signature.name, signature.class)?;
        let row = self.patterns.add(compiled, signature.offset, signature.target)?;
        self.patterns.used_by(row, User::Name(name));
        self.counts.add(SignatureKind::Body);
        Ok(())
    }

    /// Adds a pattern to a group that logical signatures name: `${2-9}3$`.
    ///
    /// # Errors
    /// [`Rejection::Weak`] if it cannot be searched for at a bearable cost.
    pub fn add_group_member(
        &mut self,
        group: u8,
        target: Target,
        pattern: &Pattern,
    ) -> Result<(), Rejection> {
        let offset = Offset::default();
        let row = self.patterns.add(compile(pattern, &offset)?, offset, target)?;
        self.groups.push((group, row));
        self.counts.add(SignatureKind::Body);
        Ok(())
    }

    /// Adds a logical signature.
    ///
    /// # Errors
    /// [`Rejection::Weak`] if one of its patterns cannot be searched for at a bearable cost.
    pub fn add_logical(&mut self, signature: &LogicalSignature<'_>) -> Result<(), Rejection> {
        let compiled: Vec<Vec<Compiled>> =
            signature.subs.iter().map(compiled).collect::<Result<_, _>>()?;
        let trigger = |sub: u8| signature.subs.get(usize::from(sub)).and_then(|it| it.trigger(sub));
        let own = |sub: u8| compiled.get(usize::from(sub)).map_or(0, |patterns| price(patterns));
        let cost = |sub: u8| match trigger(sub) {
            None => own(sub),
            // It is tried only when all that is cheaper was found.
            Some(trigger) => trigger.cost(&own).saturating_add(SPECIAL_PRICE),
        };
        let pattern = |sub: u8| Some(vec![sub]);
        let leaf = |sub: u8| match trigger(sub) {
            None => pattern(sub),
            Some(trigger) => trigger.necessary(&own, &|sub| match signature
                .subs
                .get(usize::from(sub))
            {
                Some(Sub::Patterns { .. }) => pattern(sub),
                // Whatever it depends on in turn, a pattern of it is only one step away.
                _ => signature.subs.get(usize::from(sub))?.trigger(sub)?.necessary(&own, &pattern),
            }),
        };
        let necessary = signature.expression.necessary(&cost, &leaf);
        let counted = (0..64).filter_map(trigger).map(|trigger| trigger.counted());
        let counted = counted.fold(signature.expression.counted(), |all, bits| all | bits);
        let expression = signature.expression.sorted(&cost);
        let number = u32::try_from(self.logicals.len()).ok().filter(|number| *number < LOGICAL);
        let number = number.ok_or(Rejection::Unsupported("number of signatures"))?;
        let name = self.name(signature.name, signature.class)?;
        let subs = self.add_subs(signature, compiled)?;
        match necessary {
            None => self.unconditional.push(number),
            Some(necessary) => {
                let rows = necessary.iter().filter_map(|sub| subs.get(usize::from(*sub))).flatten();
                rows.for_each(|row| self.patterns.used_by(*row, User::Logical(number)));
            }
        }
        let (target, conditions) = (signature.target, signature.conditions.clone());
        self.logicals.push(logical::Entry { name, target, conditions, expression, counted, subs });
        self.counts.add(SignatureKind::Logical);
        Ok(())
    }

    /// For each sub-signature the rows of its patterns, or its place among the special ones.
    fn add_subs(
        &mut self,
        signature: &LogicalSignature<'_>,
        compiled: Vec<Vec<Compiled>>,
    ) -> Result<Vec<Vec<u32>>, Rejection> {
        let mut subs = Vec::new();
        for ((own, sub), compiled) in (0_u8..).zip(&signature.subs).zip(compiled) {
            subs.push(if let Sub::Patterns { offset, .. } = sub {
                let add = |pattern| self.patterns.add(pattern, *offset, signature.target);
                compiled.into_iter().map(add).collect::<Result<_, _>>()?
            } else {
                let place = special::push(own, sub, &mut self.specials);
                let place = place.ok_or(Rejection::Unsupported("number of sub-signatures"))?;
                vec![place | special::SPECIAL]
            });
        }
        Ok(subs)
    }
}

/// The patterns of a sub-signature, if it has some.
fn compiled(sub: &Sub) -> Result<Vec<Compiled>, Rejection> {
    match sub {
        Sub::Patterns { offset, patterns } => {
            patterns.iter().map(|pattern| compile(pattern, offset)).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// What it costs to search for any of these patterns all the time.
fn price(patterns: &[Compiled]) -> u64 {
    patterns.iter().map(Compiled::price).fold(0, u64::saturating_add)
}

/// What a sub-signature costs that is no pattern: more than any pattern.
const SPECIAL_PRICE: u64 = 1 << 40;
