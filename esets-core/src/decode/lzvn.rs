//! LZVN, the fast one of Apple's codecs: LZ77 in whole bytes, alone or as a block of LZFSE.

use super::adc::copy;
use crate::cursor::Cursor;
use crate::verdict::Reason;

/// Unpacks one stream behind `output`, which it may reach back into, up to `limit` bytes in all.
pub(crate) fn lzvn(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<(), Reason> {
    let input = &mut Cursor::new(input);
    let mut distance = 0;
    while !input.is_empty() {
        let code = input.u8()?;
        let Some(step) = step(code, input)? else { return Ok(()) };
        let length = step.literals.saturating_add(step.length);
        if output.len().saturating_add(length) > limit {
            return Err(Reason::corrupt("block size"));
        }
        output.extend_from_slice(input.take(step.literals)?);
        distance = step.distance.unwrap_or(distance);
        if step.length > 0 {
            copy(output, distance, step.length)?;
        }
    }
    Ok(())
}

/// Literals, then a match; without a distance it is that of the match before.
struct Step {
    literals: usize,
    length: usize,
    distance: Option<usize>,
}

/// What a code says; `None` at the end.
fn step(code: u8, input: &mut Cursor<'_>) -> Result<Option<Step>, Reason> {
    let low = usize::from(code & 15);
    // Most codes have two bits for literals and three for a match.
    let literals = usize::from(code >> 6);
    let length = usize::from(code >> 3 & 7).saturating_add(3);
    let only_literals = |literals| Step { literals, length: 0, distance: None };
    let only_match = |length| Step { literals: 0, length, distance: None };
    Ok(Some(match code {
        0x06 => return Ok(None),
        0x0e | 0x16 => only_literals(0),
        0x1e | 0x26 | 0x2e | 0x36 | 0x3e | 0x70..=0x7f | 0xd0..=0xdf => {
            return Err(Reason::corrupt("LZVN code"));
        }
        0xa0..=0xbf => {
            let word = usize::from(input.u16_le()?);
            let length = (usize::from(code & 7) << 2 | (word & 3)).saturating_add(3);
            let literals = usize::from(code >> 3 & 3);
            Step { literals, length, distance: Some(word >> 2) }
        }
        0xe0 => only_literals(usize::from(input.u8()?).saturating_add(16)),
        0xe1..=0xef => only_literals(low),
        0xf0 => only_match(usize::from(input.u8()?).saturating_add(16)),
        0xf1.. => only_match(low),
        _ => {
            let distance = match code & 7 {
                6 => None,
                7 => Some(usize::from(input.u16_le()?)),
                high => Some(usize::from(high) << 8 | usize::from(input.u8()?)),
            };
            Step { literals, length, distance }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Apple's encoder makes of the text below.
    const PACKED: &[u8] =
        b"\xe0\x00line 0 of lzvn, \x10\x10n1\xf7n2\xf7n3\xf7n4\xf7n5\xf7n6\xf7n7\xf7n8\xf7\
            n9\xf7h\xa11\xf98\xa2\xf1h\x01a\xf0!\xe4 end\x06\x00\x00\x00\x00\x00\x00\x00";

    #[test]
    fn what_the_encoder_packs_is_unpacked() {
        let lines: String = (0..12).map(|line| format!("line {line} of lzvn, ")).collect();
        let text = format!("{lines}{} end", "a".repeat(58));
        let mut output = Vec::new();
        assert_eq!(lzvn(PACKED, &mut output, 4096), Ok(()));
        assert_eq!(String::from_utf8(output), Ok(text));
        assert_eq!(lzvn(PACKED, &mut Vec::new(), 9), Err(Reason::corrupt("block size")));
    }
}
