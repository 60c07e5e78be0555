//! The files of an image: a tree of entries, each with the hashes of its streams.

use std::collections::{HashMap, HashSet};

use super::resource::to_size;
use crate::budget::Lease;
use crate::cursor::{Cursor, Truncated};
use crate::decode::{Walk, Way, utf16_le};
use crate::verdict::{Limit, Reason};

pub(super) type Hash = [u8; 20];

/// The names of blobs.
pub(super) struct Names {
    /// Paths by the hash of the blob. Hard links with the same name in several folders are one.
    paths: HashMap<Hash, Vec<Vec<u8>>>,
    met: HashSet<(Hash, Vec<u8>)>,
    /// Files without content, which have no blob.
    pub(super) empty: Vec<Vec<u8>>,
    lease: Lease,
}

/// One entry, and where the next one is.
struct Entry {
    name: Vec<u8>,
    /// Names and hashes; a file's own content has no name.
    streams: Vec<(Vec<u8>, Hash)>,
    /// Where the entries below it are, if it is a folder.
    folder: Option<u64>,
    next: u64,
}

impl Names {
    pub(super) fn new(lease: Lease) -> Self {
        Self { paths: HashMap::new(), met: HashSet::new(), empty: Vec::new(), lease }
    }

    /// Takes the paths of a blob out.
    pub(super) fn take(&mut self, hash: &Hash) -> Option<Vec<Vec<u8>>> {
        self.paths.remove(hash)
    }

    /// What has not been taken out.
    pub(super) fn rest(self) -> impl Iterator<Item = Vec<u8>> {
        let mut rest: Vec<_> = self.paths.into_values().flatten().collect();
        rest.sort();
        rest.into_iter()
    }

    /// Adds the files of an image as its metadata describe them.
    pub(super) fn add(&mut self, metadata: &[u8]) -> Result<(), Reason> {
        let security = u64::from(Cursor::new(metadata).u32_le()?);
        let root = security.next_multiple_of(8).max(8);
        let mut walk = Walk::new(metadata.len() as u64, u64::MAX, root);
        while let Some((mut at, way)) = walk.next() {
            while let Some(entry) = Entry::read(metadata, at)? {
                walk.take(entry.next.saturating_sub(at))?;
                at = entry.next;
                for (stream, hash) in &entry.streams {
                    self.name(&way, &entry, stream, *hash)?;
                }
                if let Some(folder) = entry.folder {
                    walk.add(folder, folder, &way, &entry.name);
                }
            }
        }
        Ok(())
    }

    fn name(&mut self, way: &Way, entry: &Entry, stream: &[u8], hash: Hash) -> Result<(), Reason> {
        let name = match stream {
            b"" => entry.name.clone(),
            stream => [&entry.name, &b":"[..], stream].concat(),
        };
        let path = way.to(&name);
        let path = path.strip_prefix(b"/").map(<[u8]>::to_vec).unwrap_or(path);
        let memory = path.len().saturating_add(name.len()).saturating_add(200);
        if !self.lease.grow(memory as u64) {
            return Err(Reason::Limit(Limit::Memory));
        }
        if hash == [0; 20] {
            self.empty.push(path);
        } else if self.met.insert((hash, name.to_ascii_lowercase())) {
            self.paths.entry(hash).or_default().push(path);
        }
        Ok(())
    }
}

impl Entry {
    /// The entry at an offset of the metadata; `None` at the end of a folder.
    fn read(metadata: &[u8], offset: u64) -> Result<Option<Self>, Reason> {
        let cursor = &mut Cursor::at(metadata, offset)?;
        let length = cursor.u64_le()?;
        if length <= 8 {
            return Ok(None);
        }
        let attributes = cursor.u32_le()?;
        cursor.take(4)?; // security
        let folder = cursor.u64_le()?;
        cursor.take(40)?; // unused, times
        let hash = cursor.array()?;
        cursor.take(12)?; // reparse points and hard links
        let streams = cursor.u16_le()?;
        let short = cursor.u16_le()?;
        let name = cursor.u16_le()?;
        let name = utf16_le(cursor.take(name.into())?).into_bytes();
        cursor.take(short.into())?;
        let is_folder = attributes & FOLDER != 0;
        let mut entry = Self {
            name,
            streams: Vec::new(),
            folder: (is_folder && folder != 0).then_some(folder),
            next: behind(offset, length)?,
        };
        if !is_folder || hash != [0; 20] {
            entry.streams.push((Vec::new(), hash));
        }
        for _ in 0..streams {
            entry.stream(metadata)?;
        }
        Ok(Some(entry))
    }

    /// Reads a further stream, which stands behind the entry.
    fn stream(&mut self, metadata: &[u8]) -> Result<(), Reason> {
        let cursor = &mut Cursor::at(metadata, self.next)?;
        let length = cursor.u64_le()?;
        cursor.take(8)?; // reserved
        let hash: Hash = cursor.array()?;
        let name = cursor.u16_le()?;
        let name = utf16_le(cursor.take(name.into())?).into_bytes();
        if length < 38 {
            return Err(Reason::corrupt("stream of a file"));
        }
        self.next = behind(self.next, length)?;
        // Then the file's own content may be among them, too.
        let own = self.streams.first().filter(|(name, hash)| name.is_empty() && *hash == [0; 20]);
        if name.is_empty() && own.is_some() {
            self.streams.remove(0);
        }
        self.streams.push((name, hash));
        Ok(())
    }
}

/// Where what begins at `offset` and is `length` bytes long ends.
fn behind(offset: u64, length: u64) -> Result<u64, Truncated> {
    let end = offset.checked_add(length).and_then(|end| end.checked_next_multiple_of(8));
    end.filter(|end| to_size(*end) < usize::MAX).ok_or(Truncated)
}

const FOLDER: u32 = 0x10;
