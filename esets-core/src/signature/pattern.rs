//! A pattern of bytes: what a body signature searches for.

use super::Rejection;

/// A pattern: its elements, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// What must follow what.
    pub elements: Vec<Element>,
    /// Whether letters (ASCII) match in either case.
    pub ignores_case: bool,
}

/// One element of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Element {
    /// An edge between words or lines.
    Boundary {
        /// Which.
        boundary: Boundary,
        /// Whether it must not be there.
        negated: bool,
    },
    /// A byte.
    Byte(MaskedByte),
    /// Any of several sequences, or none of them.
    Choice {
        /// The sequences; those of a negated choice are all of one length.
        options: Vec<Vec<Element>>,
        /// Whether bytes of that length must be there that equal none of them.
        negated: bool,
    },
    /// Any bytes, this many of them.
    Gap {
        /// At least this many bytes.
        min: u32,
        /// At most this many bytes; `None` is without limit.
        max: Option<u32>,
    },
}

/// The bits of a byte that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaskedByte {
    /// The byte; bits outside of the mask are 0.
    pub value: u8,
    /// The bits that must agree: `ff`, `f0`, `0f`.
    pub mask: u8,
}

impl MaskedByte {
    /// A byte of which every bit matters.
    #[must_use]
    pub fn exact(value: u8) -> Self {
        Self { value, mask: 0xff }
    }

    /// Whether `byte` is one.
    #[must_use]
    pub fn matches(self, byte: u8) -> bool {
        byte & self.mask == self.value
    }
}

/// An edge in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Boundary {
    /// `(L)`: LF, CR LF, or the edge of the object.
    Line,
    /// `(B)`: a byte that is neither a letter nor a digit, or the edge of the object.
    Word,
    /// `(W)`: a byte that is neither a letter nor a digit.
    NotAlphanumeric,
    /// No letter or digit stands before this place; takes no byte.
    WordStart,
    /// No letter or digit stands at this place; takes no byte.
    WordEnd,
    /// The same before this place in text of 16-bit units.
    WideWordStart,
    /// The same at this place in text of 16-bit units.
    WideWordEnd,
}

impl Pattern {
    /// Reads ClamAV's syntax: `6162`, `??`, `a?`, `?a`, `*`, `{n}`, `{n-}`, `{-n}`, `{n-m}`,
    /// `[n-m]`, `(61|6263)`, `!(61|62)`, `(B)`, `(L)`, `(W)`.
    ///
    /// # Errors
    /// [`Rejection::Field`] where the syntax is broken.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        super::body::parse(text)
    }

    /// The same pattern in text of 16-bit units: a zero byte after each byte.
    #[must_use]
    pub fn widened(&self) -> Self {
        Self { elements: widen(&self.elements), ..*self }
    }
}

fn widen(elements: &[Element]) -> Vec<Element> {
    let zero = Element::Byte(MaskedByte::exact(0));
    let wide = |element: &Element| match element {
        Element::Byte(_) => vec![element.clone(), zero.clone()],
        Element::Choice { options, negated } => {
            let options = options.iter().map(|option| widen(option)).collect();
            vec![Element::Choice { options, negated: *negated }]
        }
        Element::Boundary { .. } | Element::Gap { .. } => vec![element.clone()],
    };
    elements.iter().flat_map(wide).collect()
}
