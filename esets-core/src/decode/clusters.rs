//! The allocation table of the FAT family: chains of clusters.

use super::Run;
use crate::cursor::{Chain, Cursor};
use crate::verdict::Reason;

/// An allocation table and the clusters that it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clusters<'a> {
    pub(crate) image: &'a [u8],
    pub(crate) table: &'a [u8],
    pub(crate) width: Width,
    /// Where the first cluster is, whose number is 2.
    pub(crate) at: u64,
    /// Bytes in a cluster.
    pub(crate) size: u64,
    /// How many clusters there are.
    pub(crate) count: u64,
}

/// How wide the entries of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// One and a half bytes: FAT12.
    Bits12,
    /// Two bytes: FAT16.
    Bits16,
    /// Four bytes, of which 28 bits count: FAT32.
    Bits28,
    /// Four bytes: exFAT.
    Bits32,
}

impl Width {
    /// The entries from this value on end a chain; the one before marks a cluster as bad.
    fn end(self) -> u64 {
        match self {
            Self::Bits12 => 0xff8,
            Self::Bits16 => 0xfff8,
            Self::Bits28 => 0x0fff_fff8,
            Self::Bits32 => 0xffff_fff8,
        }
    }
}

impl<'a> Clusters<'a> {
    /// Where the cluster lies, if there is one of that number.
    pub(crate) fn place(&self, cluster: u64) -> Result<u64, Reason> {
        let index = cluster.checked_sub(2).filter(|index| *index < self.count);
        let index = index.ok_or(Reason::corrupt("number of a cluster"))?;
        Ok(self.at.saturating_add(index.saturating_mul(self.size)))
    }

    /// The clusters of the chain that begins with `first`, as runs. One that runs into itself, or
    /// out of the table, ends in a reason.
    pub(crate) fn chain(self, first: u64) -> impl Iterator<Item = Result<Run, Reason>> + use<'a> {
        let mut met = Chain::default();
        let mut next = Some(Ok(first));
        std::iter::from_fn(move || {
            let cluster = match next.take()? {
                Ok(cluster) => cluster,
                Err(reason) => return Some(Err(reason)),
            };
            if !met.step(cluster) {
                return Some(Err(Reason::corrupt("chain of clusters")));
            }
            let run = self.place(cluster).map(|at| Run::Stored { at, length: self.size });
            if run.is_ok() {
                next = self.behind(cluster).transpose();
            }
            Some(run)
        })
    }

    /// So many bytes in clusters that follow one another, without a chain.
    pub(crate) fn stretch(self, first: u64, size: u64) -> Result<Run, Reason> {
        let at = self.place(first)?;
        let room = (self.count.saturating_add(2)).saturating_sub(first).saturating_mul(self.size);
        if size > room {
            return Err(Reason::corrupt("size of a file"));
        }
        Ok(Run::Stored { at, length: size })
    }

    /// The bytes of a run, as far as the image goes.
    pub(crate) fn bytes(&self, run: Run) -> &'a [u8] {
        let Run::Stored { at, length } = run else { return b"" };
        Cursor::at(self.image, at).map(|mut rest| rest.take_up_to(length)).unwrap_or_default()
    }

    /// The cluster behind that one, `None` if it is the last.
    fn behind(&self, cluster: u64) -> Result<Option<u64>, Reason> {
        let entry = self.entry(cluster)?;
        if entry >= self.width.end() {
            return Ok(None);
        }
        if entry < 2 {
            return Err(Reason::corrupt("chain of clusters"));
        }
        Ok(Some(entry))
    }

    fn entry(&self, cluster: u64) -> Result<u64, Reason> {
        let at = |offset| Cursor::at(self.table, offset);
        Ok(match self.width {
            Width::Bits12 => {
                let pair = u64::from(at(cluster.saturating_add(cluster / 2))?.u16_le()?);
                if cluster.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 }
            }
            Width::Bits16 => at(cluster.saturating_mul(2))?.u16_le()?.into(),
            Width::Bits28 => u64::from(at(cluster.saturating_mul(4))?.u32_le()?) & 0x0fff_ffff,
            Width::Bits32 => at(cluster.saturating_mul(4))?.u32_le()?.into(),
        })
    }
}
