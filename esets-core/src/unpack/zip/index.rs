//! Both readings of an archive: what its central directories list, and the local headers that are
//! there. Programs differ in which of them they follow, so members are the union.

use std::collections::BTreeMap;
use std::mem::size_of;

use super::record::{CENTRAL, Central, DATA_DESCRIPTOR, END, End, LOCAL, Local};

/// A member: one place in the archive and all that is said of it.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) local: Local<'a>,
    /// What central directories say of it; nothing if none lists it.
    pub(super) centrals: Vec<Central<'a>>,
}

/// All members, by the place of their local header.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    pub(super) entries: BTreeMap<usize, Entry<'a>>,
    /// What is listed, but not where it should be.
    pub(super) lost: Vec<Central<'a>>,
    /// Whether there is an end of the central directory.
    pub(super) has_end: bool,
    /// Whether the archive ends inside a header.
    pub(super) is_cut: bool,
    centrals: BTreeMap<usize, Central<'a>>,
    ends: Vec<(usize, End)>,
}

impl<'a> Index<'a> {
    /// How much memory the index of `bytes` may take.
    pub(super) fn cost(bytes: &[u8]) -> u64 {
        let entry =
            size_of::<Entry<'_>>().saturating_mul(2).saturating_add(size_of::<Central<'_>>());
        let headers = memchr::memmem::find_iter(bytes, b"PK")
            .filter(|at| bytes.get(at.saturating_add(2)).is_some_and(|kind| matches!(kind, 1 | 3)));
        (headers.count() as u64).saturating_mul(entry as u64)
    }

    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut index = Self::default();
        if let Some(last) = memchr::memmem::rfind(bytes, END) {
            index.add_end(bytes, last);
        }
        index.follow_ends(bytes);
        let sizes = index.sizes();
        index.sweep(bytes, &sizes);
        index.follow_ends(bytes);
        index.join(bytes);
        index
    }

    /// The packed sizes that the directory gives to the places of local headers.
    fn sizes(&self) -> BTreeMap<u64, u64> {
        let base = self.bases().last().copied().unwrap_or(0);
        let centrals = self.centrals.values();
        centrals
            .map(|central| (base.saturating_add(central.offset), central.fields.packed))
            .collect()
    }

    /// Looks at every signature from start to end, but not into bodies whose end is known.
    fn sweep(&mut self, bytes: &'a [u8], sizes: &BTreeMap<u64, u64>) {
        let mut at = 0;
        while let Some(found) = find(bytes, b"PK", at) {
            at = match bytes.get(found..found.saturating_add(4)) {
                Some(LOCAL) => self.add_local(bytes, found, sizes),
                Some(CENTRAL) => self.add_central(bytes, found),
                Some(END) => self.add_end(bytes, found),
                _ => found.saturating_add(2),
            };
        }
    }

    /// Adds the local header at `at`; returns where to look on.
    fn add_local(&mut self, bytes: &'a [u8], at: usize, sizes: &BTreeMap<u64, u64>) -> usize {
        let behind = at.saturating_add(4);
        let Ok(local) = Local::read(bytes, at as u64) else {
            self.is_cut = true;
            return behind;
        };
        let packed = match local.fields.packed {
            0 => sizes.get(&(at as u64)).copied().unwrap_or(0),
            packed => packed,
        };
        let body = usize::try_from(packed).unwrap_or(usize::MAX);
        let end = local.data.saturating_add(body);
        let rest = bytes.get(end..);
        let is_known = body > 0 && rest.is_some_and(|rest| rest.is_empty() || is_record(rest));
        self.entries.insert(at, Entry { local, centrals: Vec::new() });
        if is_known { end } else { behind }
    }

    fn add_central(&mut self, bytes: &'a [u8], at: usize) -> usize {
        match Central::read(bytes, at) {
            Ok((central, next)) => {
                self.centrals.insert(at, central);
                next
            }
            Err(_) => {
                self.is_cut = true;
                at.saturating_add(4)
            }
        }
    }

    fn add_end(&mut self, bytes: &'a [u8], at: usize) -> usize {
        let is_new = self.ends.iter().all(|(known, _)| *known != at);
        if let Ok(end) = End::read(bytes, at)
            && self.ends.len() < MOST_ENDS
            && is_new
        {
            self.ends.push((at, end));
        }
        at.saturating_add(4)
    }

    /// Reads directories where their ends say that they are: the body of a member that lies about
    /// its size may have covered them.
    fn follow_ends(&mut self, bytes: &'a [u8]) {
        self.has_end = !self.ends.is_empty();
        for (at, end) in self.ends.clone() {
            let before = usize::try_from(end.size).ok().and_then(|size| at.checked_sub(size));
            let stated = usize::try_from(end.offset).ok();
            for start in [before, stated].into_iter().flatten() {
                self.read_directory(bytes, start);
            }
        }
    }

    fn read_directory(&mut self, bytes: &'a [u8], mut at: usize) {
        let is_central = |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(CENTRAL));
        while is_central(at) && !self.centrals.contains_key(&at) {
            at = self.add_central(bytes, at);
        }
    }

    /// Brings both readings together.
    fn join(&mut self, bytes: &'a [u8]) {
        let bases = self.bases();
        for central in std::mem::take(&mut self.centrals).into_values() {
            match self.place(bytes, &central, &bases) {
                Some(at) => self.list(bytes, at, central),
                None => self.lost.push(central),
            }
        }
        self.find_lost();
    }

    /// Where the archives in these bytes may begin: something may stand before them.
    fn bases(&self) -> Vec<u64> {
        let mut bases = vec![0];
        for (at, end) in &self.ends {
            let directory = (*at as u64).checked_sub(end.size);
            let base = directory.and_then(|directory| directory.checked_sub(end.offset));
            bases.extend(base.filter(|base| !bases.contains(base)));
        }
        bases
    }

    /// Where the local header is that `central` speaks of: best where the names agree.
    fn place(&self, bytes: &[u8], central: &Central<'_>, bases: &[u64]) -> Option<usize> {
        let places = bases.iter().filter_map(|base| {
            let at = usize::try_from(base.checked_add(central.offset)?).ok()?;
            let name = at.checked_add(LOCAL_SIZE)?;
            let has_name = bytes.get(name..)?.starts_with(central.fields.name);
            let has_signature = bytes.get(at..)?.starts_with(LOCAL);
            let rank = usize::from(has_name).saturating_add(usize::from(has_signature));
            (rank > 0).then_some((rank, at))
        });
        places.max_by_key(|(rank, _)| *rank).map(|(_, at)| at)
    }

    fn list(&mut self, bytes: &'a [u8], at: usize, central: Central<'a>) {
        if let Some(entry) = self.entries.get_mut(&at) {
            entry.centrals.push(central);
        } else if let Ok(local) = Local::read(bytes, at as u64) {
            self.entries.insert(at, Entry { local, centrals: vec![central] });
        } else {
            self.lost.push(central);
        }
    }

    /// Offsets are of no use in joined volumes: there a member is found by its name.
    fn find_lost(&mut self) {
        if self.lost.is_empty() {
            return;
        }
        let unlisted = self.entries.iter().filter(|(_, entry)| entry.centrals.is_empty());
        let names: BTreeMap<_, _> =
            unlisted.map(|(at, entry)| (entry.local.fields.name, *at)).collect();
        for central in std::mem::take(&mut self.lost) {
            let entry = names.get(central.fields.name).and_then(|at| self.entries.get_mut(at));
            match entry {
                Some(entry) => entry.centrals.push(central),
                None => self.lost.push(central),
            }
        }
    }
}

/// Where a record begins at or behind `from`: the end of data whose size is not known.
pub(super) fn next_record(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = find(bytes, b"PK", at)?;
        if is_record(bytes.get(found..).unwrap_or_default()) {
            return Some(found);
        }
        at = found.saturating_add(2);
    }
}

fn is_record(bytes: &[u8]) -> bool {
    [LOCAL, CENTRAL, END, DATA_DESCRIPTOR].iter().any(|signature| bytes.starts_with(signature))
}

fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let found = memchr::memmem::find(bytes.get(from..)?, needle)?;
    Some(from.saturating_add(found))
}

/// How many ends of directories are followed.
const MOST_ENDS: usize = 16;

/// A local header without its name, in bytes.
const LOCAL_SIZE: usize = 30;
