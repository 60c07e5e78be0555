//! The content of an object while it comes in: in memory, or in a file without a name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use esets_policy::core::{Limit, Reason};
use sha2::{Digest as _, Sha256};

use crate::service::Content;
use crate::worker::Payload;

/// The content of an object while it comes in.
#[derive(Debug)]
pub(crate) struct Draft {
    bytes: Vec<u8>,
    digest: Sha256,
    /// Bytes that are kept; what comes after them is not scanned.
    limit: usize,
    is_cut: bool,
    lease: Lease,
}

/// Memory for contents, taken from what all connections have together.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<AtomicU64>,
    bytes: u64,
}

impl Draft {
    /// A draft that keeps at most `limit` bytes; `pool` holds the bytes that are left for all.
    pub(crate) fn new(limit: u64, pool: &Arc<AtomicU64>) -> Self {
        Self {
            bytes: Vec::new(),
            digest: Sha256::new(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            is_cut: false,
            lease: Lease { pool: Arc::clone(pool), bytes: 0 },
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// There is no memory for them.
    pub(crate) fn extend(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        let room = self.limit.saturating_sub(self.bytes.len());
        let kept = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.is_cut |= kept.len() < bytes.len();
        if !self.lease.grow(kept.len() as u64) || self.bytes.try_reserve(kept.len()).is_err() {
            return Err(Reason::Limit(Limit::Memory));
        }
        self.digest.update(kept);
        self.bytes.extend_from_slice(kept);
        Ok(())
    }

    /// The whole content, and the memory that it takes as long as it is in use.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn finish(self) -> Result<(Content, Lease), Reason> {
        let Self { bytes, digest, is_cut, lease, .. } = self;
        let digest = digest.finalize().into();
        let payload = if bytes.len() <= INLINE {
            Payload::Bytes(Bytes::from(bytes))
        } else {
            let file = esets_sys::memory_file(&bytes);
            Payload::File(Arc::new(file.map_err(|_| Reason::Limit(Limit::Memory))?))
        };
        Ok((Content::Known { payload, digest, is_cut }, lease))
    }
}

impl Lease {
    fn grow(&mut self, more: u64) -> bool {
        let take = |left: u64| left.checked_sub(more);
        let taken = self.pool.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if taken {
            self.bytes = self.bytes.saturating_add(more);
        }
        taken
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// The longest content that goes to a worker through its socket.
const INLINE: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_and_what_is_too_long_is_cut() {
        let pool = Arc::new(AtomicU64::new(10));
        let mut draft = Draft::new(6, &pool);
        draft.extend(b"12345").unwrap();
        draft.extend(b"67890").unwrap();
        assert_eq!(pool.load(Ordering::Relaxed), 4);
        let mut other = Draft::new(100, &pool);
        assert_eq!(other.extend(b"12345"), Err(Reason::Limit(Limit::Memory)));
        let (content, lease) = draft.finish().unwrap();
        let Content::Known { payload: Payload::Bytes(bytes), is_cut, .. } = content else {
            panic!("not in memory")
        };
        assert_eq!((bytes.as_ref(), is_cut), (&b"123456"[..], true));
        drop(lease);
        assert_eq!(pool.load(Ordering::Relaxed), 10);
    }
}
