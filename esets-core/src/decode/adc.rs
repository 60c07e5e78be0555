//! Apple Data Compression, the first one of disk images: LZ77 in whole bytes.

use crate::cursor::Cursor;
use crate::verdict::Reason;

/// Unpacks one block into at most `limit` bytes.
pub(crate) fn adc(input: &[u8], limit: usize) -> Result<Vec<u8>, Reason> {
    let input = &mut Cursor::new(input);
    let mut output = Vec::new();
    while !input.is_empty() {
        let code = input.u8()?;
        let high = usize::from(code & 0x3f);
        let (length, distance) = match code {
            0x80.. => {
                let count = usize::from(code & 0x7f).saturating_add(1);
                check(&output, count, limit)?;
                output.extend_from_slice(input.take(count)?);
                continue;
            }
            0x40.. => (high.saturating_add(4), usize::from(input.u16_be()?)),
            _ => ((high >> 2).saturating_add(3), (high & 3) << 8 | usize::from(input.u8()?)),
        };
        check(&output, length, limit)?;
        copy(&mut output, distance.saturating_add(1), length)?;
    }
    Ok(output)
}

fn check(output: &[u8], more: usize, limit: usize) -> Result<(), Reason> {
    let fits = output.len().saturating_add(more) <= limit;
    if fits { Ok(()) } else { Err(Reason::corrupt("block size")) }
}

/// Repeats `length` bytes from `distance` bytes before the end; they may overlap.
pub(crate) fn copy(output: &mut Vec<u8>, distance: usize, length: usize) -> Result<(), Reason> {
    let start = output.len().checked_sub(distance).filter(|_| distance > 0);
    let start = start.ok_or(Reason::corrupt("distance"))?;
    for at in (start..).take(length) {
        let byte = output.get(at).copied().unwrap_or_default();
        output.push(byte);
    }
    Ok(())
}
