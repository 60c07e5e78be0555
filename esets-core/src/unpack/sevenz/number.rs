//! The numbers, bits and digests of which headers are made.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// A number of one to nine bytes; the first says how many follow.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<u64, Truncated> {
    let first = cursor.u8()?;
    let more = first.leading_ones();
    let mut value = 0;
    for byte in 0..more {
        value |= u64::from(cursor.u8()?) << byte.saturating_mul(8);
    }
    let rest = u64::from(first) & (0x7f_u64 >> more);
    Ok(value | rest.checked_shl(more.saturating_mul(8)).unwrap_or_default())
}

/// A number of things each of which takes at least a bit of what is left.
pub(super) fn count(cursor: &mut Cursor<'_>) -> Result<usize, Reason> {
    let count = usize::try_from(number(cursor)?).unwrap_or(usize::MAX);
    let left = cursor.rest().len();
    if count > left { Err(Reason::corrupt("header")) } else { Ok(count) }
}

pub(super) fn numbers(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u64>, Reason> {
    (0..count).map(|_| Ok(number(cursor)?)).collect()
}

pub(super) fn take<'h>(cursor: &mut Cursor<'h>, count: u64) -> Result<&'h [u8], Truncated> {
    cursor.take(usize::try_from(count).map_err(|_| Truncated)?)
}

/// Bits, the highest of each byte first.
pub(super) fn bits(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<bool>, Truncated> {
    let bytes = cursor.take(count.div_ceil(8))?;
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80 != 0));
    Ok(bits.take(count).collect())
}

/// CRC-32s, some of which may not be defined.
pub(super) fn digests(
    cursor: &mut Cursor<'_>,
    count: usize,
) -> Result<Vec<Option<u32>>, Truncated> {
    let all = cursor.u8()? != 0;
    let defined = if all { vec![true; count] } else { bits(cursor, count)? };
    let crcs = defined.iter().map(|defined| defined.then(|| cursor.u32_le()).transpose());
    crcs.collect()
}

pub(super) fn refuse_external(cursor: &mut Cursor<'_>) -> Result<(), Reason> {
    if cursor.u8()? == 0 { Ok(()) } else { Err(Reason::unsupported("header in other streams")) }
}
