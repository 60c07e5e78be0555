//! LZMS, the densest compression of WIM images: matches and matches of differences, told apart by
//! an arithmetic coder that reads forwards, with Huffman codes that are read from the end. There
//! is no specification; the facts are those that wimlib's authors found.

mod calls;
mod code;
mod range;

use self::code::{Adaptive, Backwards};
use self::range::{Decisions, Range};
use super::adc::copy;
use crate::verdict::Reason;

/// Unpacks a chunk to `size` bytes.
///
/// # Errors
/// [`Reason::Corrupt`] or [`Reason::Truncated`] if it is not as long, or no LZMS.
pub(crate) fn lzms(packed: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
    let mut lzms = Lzms::new(packed, size)?;
    while lzms.output.len() < size {
        lzms.step()?;
    }
    calls::undo(&mut lzms.output);
    Ok(lzms.output)
}

/// What a decoder of `size` bytes takes beside them.
pub(crate) const LZMS_MEMORY: u64 = 1 << 20;

struct Lzms<'a> {
    range: Range<'a>,
    bits: Backwards<'a>,
    is_match: Decisions<16>,
    is_delta: Decisions<32>,
    matches: Recent<u32>,
    deltas: Recent<(u32, u32)>,
    literals: Adaptive,
    distances: Adaptive,
    lengths: Adaptive,
    powers: Adaptive,
    delta_distances: Adaptive,
    size: usize,
    output: Vec<u8>,
}

/// What matches of one kind had last, and whether the next one has the same.
struct Recent<T> {
    /// The last one first. It cannot be meant if the item before was of this kind, as that would
    /// have been one match.
    list: [T; 4],
    was_last: bool,
    is_repeated: Decisions<64>,
    is_not: [Decisions<64>; 2],
}

impl<T: Copy> Recent<T> {
    fn new(list: [T; 4]) -> Self {
        let is_not = [Decisions::new(), Decisions::new()];
        Self { list, was_last: false, is_repeated: Decisions::new(), is_not }
    }

    /// One that was met before, if the next match has one.
    fn repeated(&mut self, range: &mut Range<'_>) -> Option<T> {
        if !self.is_repeated.next(range) {
            return None;
        }
        let mut place = usize::from(self.was_last);
        for is_not in &mut self.is_not {
            if !is_not.next(range) {
                break;
            }
            place = place.saturating_add(1);
        }
        self.list.get_mut(..=place)?.rotate_right(1);
        Some(self.list[0])
    }

    fn remember(&mut self, new: T) {
        self.list.rotate_right(1);
        self.list[0] = new;
    }
}

impl<'a> Lzms<'a> {
    fn new(packed: &'a [u8], size: usize) -> Result<Self, Reason> {
        let (words, []) = packed.as_chunks() else { return Err(Reason::corrupt("LZMS size")) };
        // So many places of distances as a chunk of that size can need.
        let last = u32::try_from(size.saturating_sub(1)).unwrap_or(u32::MAX);
        let slots = code::DISTANCES.partition_point(|(first, _)| *first <= last);
        Ok(Self {
            range: Range::new(words)?,
            bits: Backwards::new(words),
            is_match: Decisions::new(),
            is_delta: Decisions::new(),
            matches: Recent::new([1, 2, 3, 4]),
            deltas: Recent::new([(0, 1), (0, 2), (0, 3), (0, 4)]),
            literals: Adaptive::new(256, 1024)?,
            distances: Adaptive::new(slots, 1024)?,
            lengths: Adaptive::new(code::LENGTHS.len(), 512)?,
            powers: Adaptive::new(8, 512)?,
            delta_distances: Adaptive::new(slots, 1024)?,
            size,
            output: Vec::new(),
        })
    }

    fn step(&mut self) -> Result<(), Reason> {
        self.range.check()?;
        if !self.is_match.next(&mut self.range) {
            let literal = self.literals.next(&mut self.bits)?;
            self.output.push(literal.to_le_bytes()[0]);
            (self.matches.was_last, self.deltas.was_last) = (false, false);
            return Ok(());
        }
        let is_delta = self.is_delta.next(&mut self.range);
        if is_delta {
            self.delta()?
        } else {
            self.plain()?
        }
        (self.matches.was_last, self.deltas.was_last) = (!is_delta, is_delta);
        Ok(())
    }

    /// A match of bytes.
    fn plain(&mut self) -> Result<(), Reason> {
        let distance = match self.matches.repeated(&mut self.range) {
            Some(distance) => distance,
            None => {
                let distance = code::number(&mut self.distances, &code::DISTANCES, &mut self.bits)?;
                self.matches.remember(distance);
                distance
            }
        };
        let length = self.length()?;
        copy(&mut self.output, to_size(distance), length)
    }

    /// A match of the differences between bytes that are 2^`power` bytes apart.
    fn delta(&mut self) -> Result<(), Reason> {
        let (power, distance) = match self.deltas.repeated(&mut self.range) {
            Some(pair) => pair,
            None => {
                let power = u32::from(self.powers.next(&mut self.bits)?);
                let codes = &mut self.delta_distances;
                let distance = code::number(codes, &code::DISTANCES, &mut self.bits)?;
                self.deltas.remember((power, distance));
                (power, distance)
            }
        };
        let length = self.length()?;
        let span = 1_usize << (power & 7);
        let distance = to_size(distance).saturating_mul(span);
        let from = self.output.len().checked_sub(distance.saturating_add(span));
        let from = from.ok_or(Reason::corrupt("distance"))?;
        for from in (from..).take(length) {
            let near = self.output.len().saturating_sub(span);
            let at = |place: usize| self.output.get(place).copied().unwrap_or_default();
            let then = at(from.saturating_add(span)).wrapping_sub(at(from));
            let byte = at(near).wrapping_add(then);
            self.output.push(byte);
        }
        Ok(())
    }

    fn length(&mut self) -> Result<usize, Reason> {
        let length = to_size(code::number(&mut self.lengths, &code::LENGTHS, &mut self.bits)?);
        let fits = length <= self.size.saturating_sub(self.output.len());
        if fits { Ok(length) } else { Err(Reason::corrupt("LZMS length")) }
    }
}

fn to_size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_short_or_odd_is_refused() {
        assert_eq!(lzms(&[0; 3], 1), Err(Reason::corrupt("LZMS size")));
        assert_eq!(lzms(&[0; 2], 1), Err(Reason::Truncated));
    }

    #[test]
    fn a_decoder_ends_soon_behind_its_input() {
        assert!(lzms(&[0; 16], 1 << 20).is_err());
    }

    #[test]
    fn what_was_just_used_is_not_meant() {
        let mut recent = Recent::new([1, 2, 3, 4]);
        recent.remember(9);
        assert_eq!(recent.list, [9, 1, 2, 3]);
        recent.was_last = true;
        // All of the highest code decides for "yes": repeated, and neither of the first two.
        let mut range = Range::new(&[[0xff; 2]; 8]).unwrap();
        assert_eq!(recent.repeated(&mut range), Some(3));
        assert_eq!(recent.list, [3, 9, 1, 2]);
    }
}
