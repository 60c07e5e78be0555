//! The archive behind the header of a container: tar (POSIX.1-1988), mostly in gzip.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use crate::signature::Rejection;

/// Hands name and content of each member to `take`.
pub(super) fn each_member(
    archive: &[u8],
    take: &mut dyn FnMut(&str, &[u8]),
) -> Result<(), Rejection> {
    let most = (archive.len() as u64).saturating_mul(MOST_RATIO).saturating_add(1 << 20);
    let outcome = if archive.starts_with(b"\x1f\x8b") {
        members(&mut MultiGzDecoder::new(archive).take(most), take)
    } else {
        members(&mut archive.take(most), take)
    };
    outcome.map_err(|_| Rejection::Field("archive"))
}

#[expect(clippy::disallowed_methods, reason = "the caller has cut the reader")]
fn members(reader: &mut dyn Read, take: &mut dyn FnMut(&str, &[u8])) -> io::Result<()> {
    let mut content = Vec::new();
    loop {
        content.clear();
        reader.take(512).read_to_end(&mut content)?;
        // Some writers leave out the block of zeros at the end.
        if content.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let header = content.first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        let (name, size) = parse(header).ok_or(io::ErrorKind::InvalidData)?;
        content.clear();
        reader.take(size).read_to_end(&mut content)?;
        if content.len() as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let padding = size.next_multiple_of(512).saturating_sub(size);
        io::copy(&mut reader.take(padding), &mut io::sink())?;
        take(&name, &content);
    }
}

/// The name and the size of a member; `None` if it is no plain file in no folder.
fn parse(header: &[u8; 512]) -> Option<(String, u64)> {
    let text = |from: usize, to: usize| {
        let field = header.get(from..to)?.split(|byte| *byte == 0).next()?;
        std::str::from_utf8(field).ok()
    };
    let name = text(0, 100)?;
    let size = u64::from_str_radix(text(124, 136)?.trim(), 8).ok()?;
    let is_file = matches!(header.get(156), Some(0 | b'0'));
    (is_file && !name.is_empty() && !name.contains('/')).then(|| (name.to_owned(), size))
}

/// So many times larger than in the container its content may be; signatures shrink to a third.
const MOST_RATIO: u64 = 64;
