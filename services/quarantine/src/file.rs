//! The file of an entry: a line that names the format, the head as one line of JSON, the content.
//!
//! The content is XORed with its own SHA-256, repeated. That keeps other scanners from deleting
//! it and people from running it by mistake; it is no secret.

use std::io::{self, BufRead, Read, Write};

use sha2::{Digest as _, Sha256};

use crate::entry::Entry;
use crate::error::Cause;

/// Writes an entry.
pub(crate) fn write(to: &mut dyn Write, entry: &Entry, content: &[u8]) -> io::Result<()> {
    to.write_all(MAGIC)?;
    serde_json::to_writer(&mut *to, entry)?;
    to.write_all(b"\n")?;
    let mask = Sha256::digest(content);
    for chunk in content.chunks(CHUNK) {
        to.write_all(&masked(chunk, &mask))?;
    }
    to.write_all(&mask)
}

/// Reads the head and leaves the reader at the content.
pub(crate) fn read_head(from: &mut dyn BufRead) -> Result<Entry, Cause> {
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic).map_err(damaged("it is too short"))?;
    if magic != MAGIC {
        return Err(Cause::Damaged("it does not begin as one"));
    }
    let mut line = Vec::new();
    from.take(MAX_HEAD).read_until(b'\n', &mut line)?;
    serde_json::from_slice(&line).map_err(|_| Cause::Damaged("its head cannot be read"))
}

/// Reads the whole and checks the content against the head.
pub(crate) fn read(from: &mut dyn BufRead) -> Result<(Entry, Vec<u8>), Cause> {
    let entry = read_head(from)?;
    let mut content = Vec::new();
    from.take(entry.size.saturating_add(MASK)).read_to_end(&mut content)?;
    let at = usize::try_from(entry.size).map_err(|_| Cause::Damaged("its size is absurd"))?;
    let (content, mask) =
        content.split_at_checked(at).ok_or(Cause::Damaged("its content is not complete"))?;
    if mask.len() as u64 != MASK {
        return Err(Cause::Damaged("its content is not complete"));
    }
    let content = masked(content, mask);
    let digest = Sha256::digest(&content);
    if digest[..] != *mask || hexadecimal(&digest) != entry.digest {
        return Err(Cause::Damaged("its content does not fit its digest"));
    }
    Ok((entry, content))
}

/// A digest as text.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn masked(bytes: &[u8], mask: &[u8]) -> Vec<u8> {
    bytes.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
}

fn damaged(how: &'static str) -> impl Fn(io::Error) -> Cause {
    move |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Cause::Damaged(how),
        _ => error.into(),
    }
}

const MAGIC: &[u8] = b"ESETS quarantine 1\n";
const MASK: u64 = 32;
/// A multiple of the length of the mask, so that every chunk begins with its first byte.
const CHUNK: usize = 64 << 10;
/// The longest head that is read: 16 MiB, more than any verdict takes.
const MAX_HEAD: u64 = 16 << 20;
