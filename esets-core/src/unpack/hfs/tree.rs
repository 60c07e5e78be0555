//! What both generations of Apple's hierarchical file system share: allocation blocks, forks and
//! the leaves of B-trees.

use std::collections::HashMap;
use std::iter;

use crate::children::Children;
use crate::cursor::{Chain, Cursor, Truncated};
use crate::decode::{Run, offer_runs};
use crate::object::Member;
use crate::unpack::UnpackError;
use crate::verdict::Reason;

/// A stretch of allocation blocks: the first, and how many.
pub(in crate::unpack) type Stretch = (u32, u32);

/// Which content of a file: the number of the file, and whether it is its resource fork.
pub(in crate::unpack) type ForkId = (u32, bool);

/// Where allocation blocks lie, and the stretches of files that have many of them.
pub(in crate::unpack) struct Blocks<'a> {
    pub(in crate::unpack) image: &'a [u8],
    /// Where the first block is.
    pub(in crate::unpack) at: u64,
    /// Bytes in a block.
    pub(in crate::unpack) size: u64,
    /// Behind the stretches that the catalog lists.
    pub(in crate::unpack) overflow: HashMap<ForkId, Vec<Stretch>>,
}

/// The data or the resources of a file.
#[derive(Clone, Debug)]
pub(in crate::unpack) struct Fork {
    pub(in crate::unpack) id: ForkId,
    pub(in crate::unpack) size: u64,
    pub(in crate::unpack) stretches: Vec<Stretch>,
}

impl Fork {
    /// Takes the number from a file whose number another one had: stretches behind those in the
    /// catalog belong to one file only, so that they cannot be gone over for each of many.
    pub(in crate::unpack) fn only_once(forks: &mut [Self; 2], met: &mut Chain) {
        let [Self { id: (number, _), .. }, _] = forks;
        if !met.step(u64::from(*number)) {
            forks.iter_mut().for_each(|fork| fork.id.0 = 0);
        }
    }
}

impl<'a> Blocks<'a> {
    /// The stretches of a fork as places in the image.
    pub(in crate::unpack) fn runs(
        &self,
        fork: &Fork,
    ) -> impl Iterator<Item = Result<Run, Reason>> + use<'_> {
        let more = self.overflow.get(&fork.id).map(Vec::as_slice).unwrap_or_default();
        let listed = fork.stretches.clone().into_iter().filter(|(_, count)| *count > 0);
        listed.chain(more.iter().copied()).map(|(start, count)| {
            let at = self.at.saturating_add(u64::from(start).saturating_mul(self.size));
            Ok(Run::Stored { at, length: u64::from(count).saturating_mul(self.size) })
        })
    }

    /// Offers a fork, unless it is empty resources.
    pub(in crate::unpack) fn offer(
        &self,
        fork: &Fork,
        path: &[u8],
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let (_, is_resources) = fork.id;
        if is_resources && fork.size == 0 {
            return Ok(());
        }
        let suffix: &[u8] = if is_resources { b"/..namedfork/rsrc" } else { b"" };
        let member = Member { size: Some(fork.size), ..Member::named([path, suffix].concat()) };
        Ok(offer_runs(self.image, self.runs(fork), fork.size, member, children)?)
    }
}

/// Where the stretches of a fork are, to read parts of it from.
pub(in crate::unpack) struct Places<'a> {
    image: &'a [u8],
    /// Where each begins in the fork, in the image, and its length.
    stretches: Vec<(u64, u64, u64)>,
    size: u64,
}

impl<'a> Places<'a> {
    pub(in crate::unpack) fn of(blocks: &Blocks<'a>, fork: &Fork) -> Self {
        let mut size = 0_u64;
        let mut stretches = Vec::new();
        for run in blocks.runs(fork) {
            let Ok(Run::Stored { at, length }) = run else { continue };
            stretches.push((size, at, length));
            size = size.saturating_add(length);
        }
        Self { image: blocks.image, stretches, size }
    }

    /// `size` bytes from `offset` of the fork.
    pub(in crate::unpack) fn part(&self, offset: u64, size: u64) -> Result<Vec<u8>, Truncated> {
        if offset.saturating_add(size) > self.size {
            return Err(Truncated);
        }
        let mut at = offset;
        let mut part = Vec::new();
        while let Some(left @ 1..) = size.checked_sub(part.len() as u64) {
            let place = self.stretches.partition_point(|(offset, _, _)| *offset <= at);
            let place = place.checked_sub(1).and_then(|place| self.stretches.get(place));
            let (offset, start, length) = *place.ok_or(Truncated)?;
            let within = at.saturating_sub(offset);
            let count = length.saturating_sub(within).min(left);
            let stored = Cursor::at(self.image, start.saturating_add(within))?;
            part.extend_from_slice({ stored }.take(to_size(count))?);
            at = at.saturating_add(count);
        }
        Ok(part)
    }
}

/// A B-tree, of which only the leaves are read.
pub(in crate::unpack) struct Tree<'a> {
    places: Places<'a>,
    node: u64,
    first: u32,
    count: u32,
}

impl<'a> Tree<'a> {
    /// Reads the header, the first node.
    pub(in crate::unpack) fn open(blocks: &Blocks<'a>, fork: &Fork) -> Result<Self, Reason> {
        let places = Places::of(blocks, fork);
        let header = places.part(0, HEADER)?;
        let cursor = &mut Cursor::at(&header, 14)?;
        cursor.take(10)?; // depth, root, count of records
        let first = cursor.u32_be()?;
        cursor.take(4)?; // last leaf
        let node = u64::from(cursor.u16_be()?);
        cursor.take(2)?; // longest key
        let count = cursor.u32_be()?;
        if !node.is_power_of_two() || node < 512 {
            return Err(Reason::corrupt("size of nodes"));
        }
        let room = places.size.checked_div(node).unwrap_or_default();
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        Ok(Self { places, node, first, count: count.min(room) })
    }

    /// Hands every record of the leaves to `each`, in order; behind damage those of the leaves that
    /// can be found are still read. What was wrong is returned behind them.
    pub(in crate::unpack) fn records(
        &self,
        each: &mut dyn FnMut(&[u8]) -> Result<(), UnpackError>,
    ) -> Result<(), UnpackError> {
        let mut met = Chain::default();
        let mut next = self.first;
        let mut flaw = None;
        let mut is_broken = false;
        while next != 0 && !is_broken {
            is_broken = !met.step(next.into());
            match self.leaf(next).filter(|_| !is_broken) {
                Some((node, behind)) => {
                    records(&node, each, &mut flaw)?;
                    next = behind;
                }
                None => is_broken = true,
            }
        }
        if is_broken {
            flaw.get_or_insert(Reason::corrupt("B-tree"));
            for at in (1..self.count).filter(|at| met.step(u64::from(*at))) {
                if let Some((node, _)) = self.leaf(at) {
                    records(&node, each, &mut flaw)?;
                }
            }
        }
        flaw.map_or(Ok(()), |flaw| Err(flaw.into()))
    }

    /// The node, and which leaf is behind it; `None` if it is no leaf.
    fn leaf(&self, number: u32) -> Option<(Vec<u8>, u32)> {
        let node = self.places.part(u64::from(number).saturating_mul(self.node), self.node).ok()?;
        let behind = Cursor::new(&node).u32_be().ok()?;
        let is_leaf = node.get(8) == Some(&LEAF);
        is_leaf.then_some((node, behind))
    }
}

/// The records of a node, as the offsets at its end say. No two of them overlap. What is wrong
/// with one of them is kept, and does not hide the others.
fn records(
    node: &[u8],
    each: &mut dyn FnMut(&[u8]) -> Result<(), UnpackError>,
    flaw: &mut Option<Reason>,
) -> Result<(), UnpackError> {
    let count = Cursor::at(node, 10)?.u16_be()?;
    let offset = |index: u16| {
        let from_end = usize::from(index).saturating_add(1).saturating_mul(2);
        let at = node.len().checked_sub(from_end).ok_or(Truncated)?;
        Ok::<_, Truncated>(usize::from(Cursor::at(node, at as u64)?.u16_be()?))
    };
    let mut behind = 0;
    for index in 0..count {
        let (Ok(start), Ok(end)) = (offset(index), offset(index.saturating_add(1))) else { break };
        let record = node.get(start..end).filter(|_| start >= behind);
        behind = behind.max(end);
        match record.map_or(Err(Truncated.into()), &mut *each) {
            Err(UnpackError::Reason(Reason::Truncated)) => {
                flaw.get_or_insert(Reason::corrupt("record of a B-tree"));
            }
            Err(UnpackError::Reason(reason)) => {
                flaw.get_or_insert(reason);
            }
            other => other?,
        }
    }
    Ok(())
}

/// The folders of a catalog: the parent and the name of each.
#[derive(Default)]
pub(in crate::unpack) struct Folders(HashMap<u32, (u32, Vec<u8>)>);

impl Folders {
    pub(in crate::unpack) fn add(&mut self, id: u32, parent: u32, name: Vec<u8>) {
        self.0.insert(id, (parent, name));
    }

    /// The path of `name` in the folder `parent`, without the name of the volume. Of one that no
    /// system would open the beginning is left out.
    pub(in crate::unpack) fn path(&self, parent: u32, name: &[u8]) -> Vec<u8> {
        let mut next = parent;
        let mut length = name.len();
        let up = iter::from_fn(|| {
            let (parent, name) = self.0.get(&next).filter(|_| next != ROOT)?;
            next = *parent;
            length = length.saturating_add(name.len()).saturating_add(1);
            (length <= LONGEST_PATH).then_some(name.as_slice())
        });
        let mut names: Vec<&[u8]> = up.take(DEEPEST).collect();
        names.reverse();
        names.push(name);
        names.join(&b'/')
    }
}

/// What a record of the tree of stretches says.
pub(in crate::unpack) type Listed = Result<(ForkId, Vec<Stretch>), Truncated>;

/// Collects the stretches of files that have many, from the tree of them.
pub(in crate::unpack) fn overflow(
    blocks: &Blocks<'_>,
    fork: &Fork,
    read: &dyn Fn(&[u8]) -> Listed,
) -> (HashMap<ForkId, Vec<Stretch>>, Option<Reason>) {
    let mut overflow: HashMap<ForkId, Vec<Stretch>> = HashMap::new();
    let mut each = |record: &[u8]| {
        let (id, stretches) = read(record)?;
        let used = stretches.into_iter().filter(|(_, count)| *count > 0);
        overflow.entry(id).or_default().extend(used);
        Ok(())
    };
    let outcome = match Tree::open(blocks, fork) {
        Ok(tree) => tree.records(&mut each),
        Err(reason) => Err(reason.into()),
    };
    let flaw = match outcome {
        Err(UnpackError::Reason(reason)) => Some(reason),
        Ok(()) | Err(UnpackError::Stop(_)) => None,
    };
    (overflow, flaw)
}

pub(in crate::unpack) fn to_size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// What of the first node is read.
const HEADER: u64 = 128;
const LEAF: u8 = 0xff;
/// The number of the root folder.
const ROOT: u32 = 2;
const LONGEST_PATH: usize = 4096;
const DEEPEST: usize = 256;
