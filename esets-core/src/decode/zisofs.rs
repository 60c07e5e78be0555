//! Files packed block by block for ISO 9660, as mkzftree writes them.

use super::Extent;
use crate::cursor::Cursor;
use crate::verdict::Reason;

/// The blocks of a packed file; `None` if it is none.
pub(crate) fn zisofs(
    file: &[u8],
) -> Option<impl Iterator<Item = Result<Extent<'_>, Reason>> + use<'_>> {
    let cursor = &mut Cursor::new(file.strip_prefix(MAGIC)?);
    let size = u64::from(cursor.u32_le().ok()?);
    let header = u64::from(cursor.u8().ok()?).saturating_mul(4);
    let shift = u32::from(cursor.u8().ok()?);
    let block = (15..=17).contains(&shift).then(|| 1_u64 << shift)?;
    let pointer = move |index: u64| {
        Cursor::at(file, header.saturating_add(index.saturating_mul(4)))?.u32_le().map(u64::from)
    };
    Some((0..size.div_ceil(block)).map(move |index| {
        let length = block.min(size.saturating_sub(index.saturating_mul(block)));
        let (start, end) = (pointer(index)?, pointer(index.saturating_add(1))?);
        if start == end {
            return Ok(Extent::Zeros(length));
        }
        let packed = Cursor::at(file, start)?.take_up_to(end.saturating_sub(start));
        Ok(Extent::Deflate(packed.get(2..).unwrap_or_default(), length)) // behind a zlib header
    }))
}

const MAGIC: &[u8] = b"\x37\xe4\x53\x96\xc9\xdb\xd6\x07";
