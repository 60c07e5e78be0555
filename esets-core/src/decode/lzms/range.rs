//! The arithmetic coder of LZMS: decisions, each with a model for what was decided before.

use crate::cursor::Truncated;

/// Reads words from the first on.
pub(super) struct Range<'a> {
    words: std::slice::Iter<'a, [u8; 2]>,
    /// How many words were missing.
    missing: u32,
    range: u32,
    code: u32,
}

impl<'a> Range<'a> {
    pub(super) fn new(words: &'a [[u8; 2]]) -> Result<Self, Truncated> {
        let mut range = Self { words: words.iter(), missing: 0, range: u32::MAX, code: 0 };
        let (high, low) = (range.word(), range.word());
        range.code = high << 16 | low;
        if range.missing > 0 { Err(Truncated) } else { Ok(range) }
    }

    fn word(&mut self) -> u32 {
        let word = self.words.next();
        self.missing = self.missing.saturating_add(u32::from(word.is_none()));
        word.map_or(0, |word| u16::from_le_bytes(*word).into())
    }

    /// # Errors
    /// [`Truncated`] well behind the end; up to it the decoder may look ahead.
    pub(super) fn check(&self) -> Result<(), Truncated> {
        if self.missing > 2 { Err(Truncated) } else { Ok(()) }
    }
}

/// One kind of decision.
pub(super) struct Decisions<const N: usize> {
    /// The last ones, as bits.
    before: usize,
    models: [Model; N],
}

impl<const N: usize> Decisions<N> {
    pub(super) fn new() -> Self {
        Self { before: 0, models: [Model::NEW; N] }
    }

    pub(super) fn next(&mut self, range: &mut Range<'_>) -> bool {
        let Some(model) = self.models.get_mut(self.before) else { return false };
        let decision = model.next(range);
        self.before = (self.before << 1 | usize::from(decision)) & N.saturating_sub(1);
        decision
    }
}

/// The last 64 decisions after the same ones, the latest in the lowest bit.
#[derive(Clone, Copy)]
struct Model {
    last: u64,
}

impl Model {
    const NEW: Self = Self { last: 0x5555_5555 };

    fn next(&mut self, range: &mut Range<'_>) -> bool {
        let share = self.last.count_zeros().clamp(1, 63);
        if range.range <= 0xffff {
            range.range <<= 16;
            range.code = range.code << 16 | range.word();
        }
        let bound = (range.range >> 6).saturating_mul(share);
        let decision = range.code >= bound;
        if decision {
            range.range = range.range.saturating_sub(bound);
            range.code = range.code.saturating_sub(bound);
        } else {
            range.range = bound;
        }
        self.last = self.last << 1 | u64::from(decision);
        decision
    }
}
