//! The syntax of patterns: hexadecimal digits with wildcards, gaps and choices.

use super::{Boundary, Element, MaskedByte, Pattern, Rejection};

/// Reads `6162`, `??`, `a?`, `?a`, `*`, `{n}`, `{n-}`, `{-n}`, `{n-m}`, `[n-m]`, `(61|6263)`,
/// `!(61|62)`, `(B)`, `(L)`, `(W)` and what they make together.
///
/// # Errors
/// [`Rejection::Field`] where the syntax is broken.
pub(super) fn parse(text: &str) -> Result<Pattern, Rejection> {
    let mut parser = Parser { rest: text.as_bytes(), depth: 0 };
    let elements = parser.sequence().filter(|_| parser.rest.is_empty());
    let elements = elements.filter(|elements| is_framed(elements));
    let elements = elements.ok_or(Rejection::Field("pattern"))?;
    Ok(Pattern { elements, ignores_case: false })
}

/// A pattern neither begins nor ends with a gap without limit, and is not empty.
fn is_framed(elements: &[Element]) -> bool {
    let is_open = |element: &Element| matches!(element, Element::Gap { max: None, .. });
    let ends = [elements.first(), elements.last()];
    ends.into_iter().all(|element| element.is_some_and(|element| !is_open(element)))
}

struct Parser<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Elements up to the end, or up to the `|` or `)` that ends an option.
    fn sequence(&mut self) -> Option<Vec<Element>> {
        let mut elements = Vec::new();
        while let Some(first) = self.rest.first() {
            match first {
                b'|' | b')' if self.depth > 0 => break,
                b'(' => elements.push(self.choice(false)?),
                b'!' => {
                    self.expect(b'!')?;
                    elements.push(self.choice(true)?);
                }
                b'*' => {
                    self.expect(b'*')?;
                    self.gap(&mut elements, 0, None)?;
                }
                b'{' => self.braces(&mut elements)?,
                b'[' => self.brackets(&mut elements)?,
                _ => elements.push(Element::Byte(self.byte()?)),
            }
        }
        Some(elements)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    /// What stands before `end`, which is skipped.
    fn until(&mut self, end: u8) -> Option<&'a str> {
        let length = self.rest.iter().position(|byte| *byte == end)?;
        let (inner, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest.get(1..)?;
        std::str::from_utf8(inner).ok()
    }

    fn braces(&mut self, elements: &mut Vec<Element>) -> Option<()> {
        self.expect(b'{')?;
        let range = self.until(b'}')?;
        let (min, max) = match range.split_once('-') {
            None => (number(range)?, Some(number(range)?)),
            Some(("", max)) => (0, Some(number(max)?)),
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        self.gap(elements, min, max)
    }

    fn brackets(&mut self, elements: &mut Vec<Element>) -> Option<()> {
        self.expect(b'[')?;
        let (min, max) = self.until(b']')?.split_once('-')?;
        let (min, max) = (number(min)?, number(max)?);
        (max <= MAX_BRACKETS).then(|| self.gap(elements, min, Some(max)))?
    }

    /// Adds a gap; two in a row become one. Inside of a choice every gap has its end.
    fn gap(&self, elements: &mut Vec<Element>, min: u32, max: Option<u32>) -> Option<()> {
        if max.is_some_and(|max| max < min) || (self.depth > 0 && max.is_none()) {
            return None;
        }
        if let Some(Element::Gap { min: lower, max: upper }) = elements.last_mut() {
            *lower = lower.checked_add(min)?;
            *upper = match (*upper, max) {
                (Some(upper), Some(max)) => Some(upper.checked_add(max)?),
                _ => None,
            };
        } else {
            elements.push(Element::Gap { min, max });
        }
        Some(())
    }

    fn choice(&mut self, negated: bool) -> Option<Element> {
        self.expect(b'(')?;
        if let Some(boundary) = self.boundary() {
            return Some(Element::Boundary { boundary, negated });
        }
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let mut options = Vec::new();
        loop {
            options.push(self.sequence().filter(|option| !option.is_empty())?);
            if self.expect(b'|').is_none() {
                break;
            }
        }
        self.expect(b')')?;
        self.depth = self.depth.saturating_sub(1);
        let fits = options.len() <= MAX_OPTIONS && (!negated || one_length(&options).is_some());
        fits.then_some(Element::Choice { options, negated })
    }

    fn boundary(&mut self) -> Option<Boundary> {
        let [letter, b')', rest @ ..] = self.rest else { return None };
        let boundary = match letter {
            b'B' => Boundary::Word,
            b'L' => Boundary::Line,
            b'W' => Boundary::NotAlphanumeric,
            _ => return None,
        };
        self.rest = rest;
        Some(boundary)
    }

    fn byte(&mut self) -> Option<MaskedByte> {
        let [high, low, rest @ ..] = self.rest else { return None };
        self.rest = rest;
        let (high, high_mask) = digit(*high)?;
        let (low, low_mask) = digit(*low)?;
        Some(MaskedByte { value: high << 4 | low, mask: high_mask << 4 | low_mask })
    }
}

/// The value of a hexadecimal digit and its mask; `?` is any.
fn digit(digit: u8) -> Option<(u8, u8)> {
    if digit == b'?' {
        return Some((0, 0));
    }
    let value = char::from(digit).to_digit(16)?;
    Some((u8::try_from(value).ok()?, 0xf))
}

/// The length of all options, if each is of plain bytes and they are equally long.
fn one_length(options: &[Vec<Element>]) -> Option<usize> {
    let length = options.first()?.len();
    let is_plain = |option: &Vec<Element>| {
        option.iter().all(|element| matches!(element, Element::Byte(_))) && option.len() == length
    };
    options.iter().all(is_plain).then_some(length)
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The most that ClamAV allows between square brackets.
const MAX_BRACKETS: u32 = 32;
/// The deepest nesting of choices.
const MAX_DEPTH: usize = 8;
/// The most options of one choice.
const MAX_OPTIONS: usize = 1024;
