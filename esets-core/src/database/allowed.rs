//! The section of allowed objects: algorithm (1), 7 zeros, size (8, all ones is any), the whole
//! digest (32, zeros behind a shorter one); sorted.

use crate::signature::SourceDigest;
use crate::subject::{Algorithm, Subject};

/// An entry as it stands in the file, but for the byte order of the size.
pub(super) type Entry = (u8, u64, [u8; 32]);

pub(super) fn entry(digest: SourceDigest, size: Option<u64>) -> Entry {
    (code(digest.algorithm), size.unwrap_or(ANY), digest.bytes)
}

pub(super) fn build(mut entries: Vec<Entry>) -> Vec<u8> {
    entries.sort_unstable();
    entries.dedup();
    let mut section = Vec::new();
    for (algorithm, size, digest) in &entries {
        section.extend([*algorithm, 0, 0, 0, 0, 0, 0, 0]);
        section.extend(size.to_be_bytes());
        section.extend(digest);
    }
    section
}

/// Whether the section names the object. Its digest is computed only if the size fits.
pub(super) fn contains(section: &[u8], subject: &Subject<'_>) -> bool {
    let (rows, _) = section.as_chunks::<ROW>();
    let size = subject.bytes().len() as u64;
    ALGORITHMS.iter().any(|algorithm| {
        [size, ANY].iter().any(|size| {
            let head = head(*algorithm, *size);
            let from = rows.partition_point(|row| row.get(..16) < Some(&head[..]));
            let fits = rows.get(from).is_some_and(|row| row.starts_with(&head));
            fits && {
                let mut wanted = [0; ROW];
                let digest = subject.digest(*algorithm).as_bytes();
                let bytes = head.iter().chain(digest);
                wanted.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                rows.binary_search(&wanted).is_ok()
            }
        })
    })
}

fn head(algorithm: Algorithm, size: u64) -> [u8; 16] {
    (u128::from(code(algorithm)) << 120 | u128::from(size)).to_be_bytes()
}

fn code(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Md5 => 0,
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
    }
}

static ALGORITHMS: &[Algorithm] = &[Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256];

const ANY: u64 = u64::MAX;
const ROW: usize = 48;
