//! The compiled form of patterns: a byte code that is executed where it lies in the database.
//!
//! A pattern is cut at its gaps without limit into *chains*. A chain has a *pivot*, the place in
//! it where a run of fixed bytes begins that is searched for. What stands before the pivot is
//! stored back to front and matched backwards from there, the rest forwards.

use super::rarity::{rarity, words};
use crate::cursor::{Cursor, Truncated};
use crate::signature::{Boundary, Element, MaskedByte, Offset, Pattern, Rejection};

/// A chain of a compiled pattern: what lies between two gaps without limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain<'p> {
    /// How many bytes lie between the chain before and this one at least.
    pub(crate) gap: u32,
    /// What stands before the pivot, back to front.
    pub(crate) before: &'p [u8],
    /// What begins at the pivot.
    pub(crate) after: &'p [u8],
}

impl<'p> Chain<'p> {
    /// The next chain at `cursor`.
    pub(crate) fn read(cursor: &mut Cursor<'p>) -> Result<Self, Truncated> {
        let gap = cursor.u32_le()?;
        Ok(Self { gap, before: block(cursor)?, after: block(cursor)? })
    }
}

impl Chain<'_> {
    /// The fixed bytes at the pivot, letters in some case.
    pub(crate) fn run(&self) -> Vec<u8> {
        match Op::read(&mut Cursor::new(self.after)) {
            Ok(Op::Folded(veiled) | Op::Literal(veiled)) => unveil(veiled),
            _ => Vec::new(),
        }
    }
}

pub(super) fn unveil(veiled: &[u8]) -> Vec<u8> {
    veiled.iter().map(|byte| byte ^ VEIL).collect()
}

/// An instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op<'p> {
    /// An edge; the first flag is for its kind, the second for "not".
    Boundary(Boundary, bool),
    /// Any option, or with the flag none of them: blocks in a row.
    Choice(&'p [u8], bool),
    /// Bytes, either case of letters, masked by [`VEIL`].
    Folded(&'p [u8]),
    /// So many bytes at least and at most.
    Gap(u32, u32),
    /// Bytes, masked by [`VEIL`].
    Literal(&'p [u8]),
    /// Pairs of value and mask, masked by [`VEIL`].
    Masked(&'p [u8]),
    /// One byte of a set: a bit for each of the 256.
    Set(&'p [u8]),
}

impl<'p> Op<'p> {
    /// The next instruction at `cursor`.
    pub(crate) fn read(cursor: &mut Cursor<'p>) -> Result<Self, Truncated> {
        Ok(match cursor.u8()? {
            BOUNDARY => Self::Boundary(boundary(cursor.u8()?), cursor.u8()? != 0),
            CHOICE => Self::Choice(block(cursor)?, false),
            FOLDED => Self::Folded(block(cursor)?),
            GAP => Self::Gap(cursor.u32_le()?, cursor.u32_le()?),
            LITERAL => Self::Literal(block(cursor)?),
            MASKED => Self::Masked(block(cursor)?),
            NEGATED => Self::Choice(block(cursor)?, true),
            SET => Self::Set(cursor.take(32)?),
            _ => return Err(Truncated),
        })
    }
}

/// Length and bytes.
pub(crate) fn block<'p>(cursor: &mut Cursor<'p>) -> Result<&'p [u8], Truncated> {
    let length = cursor.u32_le()?;
    cursor.take(usize::try_from(length).map_err(|_| Truncated)?)
}

fn boundary(code: u8) -> Boundary {
    match code {
        0 => Boundary::Line,
        1 => Boundary::Word,
        2 => Boundary::NotAlphanumeric,
        3 => Boundary::WordStart,
        4 => Boundary::WordEnd,
        5 => Boundary::WideWordStart,
        _ => Boundary::WideWordEnd,
    }
}

/// Compiles a pattern: its chains in a row. If it is known where it may begin, but for a few
/// places, then the pivot of the first chain is its start: it is tried there and nowhere else.
///
/// # Errors
/// [`Rejection::Weak`] if a chain has no two fixed bytes in a row.
pub(crate) fn compile(pattern: &Pattern, offset: &Offset) -> Result<Compiled, Rejection> {
    let mut compiled = Compiled::default();
    let mut gap = 0;
    let is_cut = |element: &Element| matches!(element, Element::Gap { max: None, .. });
    for piece in pattern.elements.split_inclusive(is_cut) {
        let (elements, next) = match piece {
            [elements @ .., Element::Gap { min, max: None }] => (elements, *min),
            elements => (elements, 0),
        };
        let pivot = pivot(elements).ok_or(Rejection::Weak)?;
        let is_placed = compiled.chains == 0 && offset.is_narrow();
        let pivot = if is_placed { 0 } else { pivot };
        compiled.chain(gap, elements.split_at(pivot), pattern.ignores_case)?;
        gap = next;
    }
    Ok(compiled)
}

/// A pattern in its compiled form.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Compiled {
    pub(crate) chains: u16,
    pub(crate) program: Vec<u8>,
}

impl Compiled {
    /// What it costs to search for it all the time: how common its rarest anchor is, and little
    /// for each chain.
    pub(crate) fn price(&self) -> u64 {
        let mut cursor = Cursor::new(&self.program);
        let chains = std::iter::from_fn(|| Chain::read(&mut cursor).ok());
        let rarest = |chain: Chain<'_>| words(&chain.run()).map(rarity).max().unwrap_or_default();
        let rarest = chains.map(rarest).max().unwrap_or_default();
        (1_u64 << 20_u8.saturating_sub(rarest)).saturating_add(self.chains.into())
    }

    fn chain(
        &mut self,
        gap: u32,
        (before, after): (&[Element], &[Element]),
        folds: bool,
    ) -> Result<(), Rejection> {
        self.program.extend(gap.to_le_bytes());
        let code = |elements, direction| Coder { folds, direction }.sequence(elements);
        push_block(&mut self.program, &code(before, Direction::Backwards));
        push_block(&mut self.program, &code(after, Direction::Forwards));
        self.chains = self.chains.checked_add(1).ok_or(Rejection::Field("pattern"))?;
        Ok(())
    }
}

/// Where the run of fixed bytes begins that is best to search for; `None` if there is none of two.
///
/// That is the one with the rarest four bytes, and of equal ones the longest.
fn pivot(elements: &[Element]) -> Option<usize> {
    let is_fixed = |element: &Element| exact(element).is_some();
    let runs = elements.chunk_by(|a, b| is_fixed(a) == is_fixed(b));
    let mut start = 0_usize;
    let mut best = None;
    for run in runs {
        let bytes: Vec<u8> = run.iter().map_while(exact).collect();
        let rarest = words(&bytes).map(rarity).max();
        let score = (rarest, bytes.len());
        if bytes.len() >= 2 && best.is_none_or(|(known, _)| score > known) {
            best = Some((score, start));
        }
        start = start.saturating_add(run.len());
    }
    best.map(|(_, start)| start)
}

fn exact(element: &Element) -> Option<u8> {
    match element {
        Element::Byte(MaskedByte { value, mask: 0xff }) => Some(*value),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

struct Coder {
    folds: bool,
    direction: Direction,
}

impl Coder {
    /// Runs of bytes become one instruction; the order is that of matching.
    fn sequence(&self, elements: &[Element]) -> Vec<u8> {
        let same = |a: &Element, b: &Element| kind(a) == kind(b) && kind(a) != Kind::Other;
        let mut runs: Vec<&[Element]> = elements.chunk_by(same).collect();
        if self.direction == Direction::Backwards {
            runs.reverse();
        }
        let mut code = Vec::new();
        runs.into_iter().for_each(|run| self.run(run, &mut code));
        code
    }

    fn run(&self, run: &[Element], code: &mut Vec<u8>) {
        let bytes = run.iter().filter_map(|element| match element {
            Element::Byte(byte) => Some(*byte),
            _ => None,
        });
        match run {
            [Element::Byte(byte), ..] if byte.mask == 0 => {
                let count = u32::try_from(run.len()).unwrap_or(u32::MAX);
                push_gap(code, count, count);
            }
            [Element::Byte(byte), ..] if byte.mask == 0xff => {
                let values: Vec<u8> = bytes.map(|byte| byte.value ^ VEIL).collect();
                code.push(if self.folds { FOLDED } else { LITERAL });
                push_block(code, &values);
            }
            [Element::Byte(_), ..] => {
                let pairs: Vec<u8> = bytes.flat_map(|byte| self.pair(byte)).collect();
                code.push(MASKED);
                push_block(code, &pairs);
            }
            [element] => self.other(element, code),
            _ => {}
        }
    }

    /// The bytes that fit, if every option is one byte.
    fn set(&self, options: &[Vec<Element>], negated: bool) -> Option<[u8; 32]> {
        let mut set = [0_u8; 32];
        for option in options {
            let [Element::Byte(wanted)] = &**option else { return None };
            for byte in 0..=u8::MAX {
                let fits = |byte: u8| wanted.matches(byte);
                let other = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
                if fits(byte) || (self.folds && other.into_iter().any(fits)) {
                    *set.get_mut(usize::from(byte >> 3))? |= 1 << (byte & 7);
                }
            }
        }
        Some(if negated { set.map(|bits| !bits) } else { set })
    }

    fn pair(&self, byte: MaskedByte) -> [u8; 2] {
        [byte.value ^ VEIL, byte.mask ^ VEIL]
    }

    fn other(&self, element: &Element, code: &mut Vec<u8>) {
        match element {
            Element::Boundary { boundary, negated } => {
                code.extend([BOUNDARY, *boundary as u8, u8::from(*negated)]);
            }
            Element::Choice { options, negated } => {
                if let Some(set) = self.set(options, *negated) {
                    code.push(SET);
                    return code.extend(set);
                }
                let mut blocks = Vec::new();
                options.iter().for_each(|o| push_block(&mut blocks, &self.sequence(o)));
                code.push(if *negated { NEGATED } else { CHOICE });
                push_block(code, &blocks);
            }
            Element::Gap { min, max } => push_gap(code, *min, max.unwrap_or(u32::MAX)),
            Element::Byte(_) => {}
        }
    }
}

/// What can share an instruction.
#[derive(PartialEq, Eq)]
enum Kind {
    Any,
    Exact,
    Masked,
    Other,
}

fn kind(element: &Element) -> Kind {
    match element {
        Element::Byte(MaskedByte { mask: 0, .. }) => Kind::Any,
        Element::Byte(MaskedByte { mask: 0xff, .. }) => Kind::Exact,
        Element::Byte(_) => Kind::Masked,
        _ => Kind::Other,
    }
}

fn push_gap(code: &mut Vec<u8>, min: u32, max: u32) {
    code.push(GAP);
    code.extend(min.to_le_bytes());
    code.extend(max.to_le_bytes());
}

fn push_block(code: &mut Vec<u8>, block: &[u8]) {
    code.extend(u32::try_from(block.len()).unwrap_or(u32::MAX).to_le_bytes());
    code.extend(block);
}

/// Bytes of patterns are stored under this mask, so that no scanner finds them in the database.
pub(crate) const VEIL: u8 = 0xa5;

const BOUNDARY: u8 = b'B';
const CHOICE: u8 = b'C';
const FOLDED: u8 = b'F';
const GAP: u8 = b'G';
const LITERAL: u8 = b'L';
const MASKED: u8 = b'M';
const NEGATED: u8 = b'N';
const SET: u8 = b'S';
