//! LZNT1, the compression of NTFS, as in MS-XCA 2.5.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// Unpacks chunk after chunk, to no more than `limit` bytes.
///
/// # Errors
/// [`Reason::Corrupt`] if it is not LZNT1; what came before is in `output`.
pub(crate) fn lznt1(packed: &[u8], limit: usize, output: &mut Vec<u8>) -> Result<(), Reason> {
    let cursor = &mut Cursor::new(packed);
    while output.len() < limit {
        let Ok(header @ 1..) = cursor.u16_le() else { return Ok(()) };
        let length = usize::from(header & 0x0fff).saturating_add(1);
        let body = cursor.take_up_to(length as u64);
        if header & 0x8000 == 0 {
            output.extend_from_slice(body);
        } else {
            let start = output.len();
            chunk(body, start, output).map_err(|Truncated| Reason::corrupt("LZNT1"))?;
            // Chunks stand for 4096 bytes each; only the last may be shorter.
            let is_last = cursor.rest().get(..2).is_none_or(|header| header == [0, 0]);
            if !is_last {
                output.resize(start.saturating_add(CHUNK), 0);
            }
        }
    }
    output.truncate(limit);
    Ok(())
}

/// Literals and copies, eight to a byte of flags. The further the chunk, the more bits of a copy
/// are for its distance.
fn chunk(body: &[u8], start: usize, output: &mut Vec<u8>) -> Result<(), Truncated> {
    let cursor = &mut Cursor::new(body);
    let done = |output: &Vec<u8>| output.len().saturating_sub(start);
    while let Ok(flags) = cursor.u8() {
        for bit in 0..8 {
            if cursor.is_empty() || done(output) >= CHUNK {
                break;
            }
            if flags >> bit & 1 == 0 {
                output.push(cursor.u8()?);
                continue;
            }
            let pair = usize::from(cursor.u16_le()?);
            let length_bits = 16_u32.saturating_sub(distance_bits(done(output)));
            let distance = (pair >> length_bits).saturating_add(1);
            let length = (pair & !(usize::MAX << length_bits)).saturating_add(3);
            if distance > done(output) {
                return Err(Truncated);
            }
            for _ in 0..length.min(CHUNK.saturating_sub(done(output))) {
                let from = output.len().saturating_sub(distance);
                output.push(output.get(from).copied().ok_or(Truncated)?);
            }
        }
    }
    Ok(())
}

/// How many bits reach back to the start of the chunk, but four at least.
fn distance_bits(done: usize) -> u32 {
    usize::BITS.saturating_sub(done.saturating_sub(1).leading_zeros()).max(4)
}

const CHUNK: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of MS-XCA 3.3.
    #[test]
    fn the_example_of_the_specification_is_unpacked() {
        let packed =
            b"\x38\xb0\x88\x46\x23\x20\x00\x20\x47\x20\x41\x00\x10\xa2\x47\x01\xa0\x45\x20\
            \x44\x00\x08\x45\x01\x50\x79\x00\xc0\x45\x20\x05\x24\x13\x88\x05\xb4\x02\x4a\x44\xef\
            \x03\x58\x02\x8c\x09\x16\x01\x48\x45\x00\xbe\x00\x9e\x00\x04\x01\x18\x90\x00";
        let mut output = Vec::new();
        lznt1(packed, 1000, &mut output).unwrap();
        let text = b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G \
            F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        assert_eq!(output, text);
    }

    #[test]
    fn a_copy_from_before_the_chunk_is_refused() {
        let mut output = vec![0; 10];
        assert!(lznt1(b"\x02\xb0\x01\x00\x00", 1000, &mut output).is_err());
    }
}
