//! The entries in a block of an ext folder. A hashed tree hides its nodes in unused entries, so
//! that it is read like a plain list.

use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// Inodes and names, but those for the folder itself and its parent.
pub(super) fn entries(block: &[u8]) -> impl Iterator<Item = Result<(u64, &[u8]), Reason>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            match entry(&mut rest) {
                Ok((0, _) | (_, b"." | b"..")) => {}
                Ok(entry) => return Some(Ok(entry)),
                Err(Truncated) => {
                    rest = b"";
                    return Some(Err(Reason::corrupt("folder")));
                }
            }
        }
        None
    })
}

fn entry<'a>(rest: &mut &'a [u8]) -> Result<(u64, &'a [u8]), Truncated> {
    let cursor = &mut Cursor::new(rest);
    let inode = u64::from(cursor.u32_le()?);
    let length = match cursor.u16_le()? {
        // The length of a block of 64 KiB.
        0 | u16::MAX if rest.len() > usize::from(u16::MAX) => rest.len(),
        length => usize::from(length),
    };
    let name_length = usize::from(cursor.u8()?);
    cursor.take(1)?; // type
    let name = cursor.take(name_length)?;
    if length < 8 {
        return Err(Truncated);
    }
    *rest = rest.get(length..).ok_or(Truncated)?;
    Ok((inode, name))
}
