//! XPRESS with Huffman codes, of WIM images and of files that NTFS packs (MS-XCA 2.1 and 2.2).

use super::adc::copy;
use super::{Huffman, Words};
use crate::cursor::Cursor;
use crate::verdict::Reason;

/// Unpacks a chunk to `size` bytes, of which one code serves 64 KiB.
///
/// # Errors
/// [`Reason::Corrupt`] or [`Reason::Truncated`] if it is not as long, or no XPRESS.
pub(crate) fn xpress(packed: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
    let cursor = &mut Cursor::new(packed);
    let lengths = cursor.take(CODE)?.iter().flat_map(|byte| [byte & 15, byte >> 4]);
    let code = Huffman::new(&lengths.collect::<Vec<_>>())?;
    let mut words = Words::new(cursor.rest());
    let mut output = Vec::new();
    while output.len() < size {
        step(&mut words, &code, size, &mut output)?;
    }
    Ok(output)
}

/// A literal, or a match.
fn step(
    words: &mut Words<'_>,
    code: &Huffman,
    size: usize,
    output: &mut Vec<u8>,
) -> Result<(), Reason> {
    let symbol = words.symbol(code)?;
    let Some(symbol) = symbol.checked_sub(256) else {
        output.push(symbol.to_le_bytes()[0]);
        return Ok(());
    };
    // The bytes of a long length stand behind the words that its distance begins in.
    words.peek();
    let length = match symbol & 15 {
        15 => long(words)?,
        length => length.into(),
    };
    let length = length.saturating_add(3);
    let bits = u32::from(symbol >> 4);
    let distance = 1_usize << bits | words.bits(bits)? as usize;
    if length > size.saturating_sub(output.len()) {
        return Err(Reason::corrupt("XPRESS length"));
    }
    copy(output, distance, length)
}

/// A length of 15 or more.
fn long(words: &mut Words<'_>) -> Result<usize, Reason> {
    let byte = Cursor::new(words.bytes(1)?).u8()?;
    if byte < 255 {
        return Ok(usize::from(byte).saturating_add(15));
    }
    Ok(Cursor::new(words.bytes(2)?).u16_le()?.into())
}

/// Two lengths of codes in a byte.
const CODE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_with_a_long_length_is_unpacked() {
        // Codes of one bit: the literal 0, and a match at distance 1 with a long length.
        let mut packed = vec![0; CODE];
        packed[0] = 1;
        packed[135] = 0x10;
        packed.extend_from_slice(b"\x00\x40\x00\x00\xff\x00\x01\0\0");
        assert_eq!(xpress(&packed, 260).unwrap(), vec![0; 260]);
    }

    #[test]
    fn a_chunk_that_is_cut_is_truncated() {
        assert_eq!(xpress(&[0; 255], 1), Err(Reason::Truncated));
        let mut packed = vec![0; CODE];
        packed[0] = 1;
        assert_eq!(xpress(&packed, 1000), Err(Reason::Truncated));
    }
}
