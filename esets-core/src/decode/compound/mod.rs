//! Compound files, also called OLE2 or structured storage, read tolerantly: \[MS-CFB\].
//!
//! Nothing is copied: the tables stay where they lie in the file and are looked up there. What is
//! kept is the position of the allocation table's sectors and of the directory's records.

mod directory;
mod header;
mod stream;

use std::cell::{Cell, OnceCell};

use crate::cursor::Chain;
use crate::decode::head;
use crate::verdict::Reason;

use directory::{Kind, NONE, RECORD};
use header::{Header, words};

pub(crate) use directory::{Node, Tree};
pub(crate) use stream::Stream;

/// A compound file, opened over its bytes.
pub(crate) struct Compound<'a> {
    bytes: &'a [u8],
    header: Header,
    /// The sectors of the allocation table, in order.
    table: Vec<u32>,
    /// Where each record of the directory lies in the file.
    records: Vec<usize>,
    /// Why the directory is not complete.
    damage: Option<Reason>,
    mini: OnceCell<Mini>,
    /// How many bytes of sectors were read for all streams.
    read: Cell<u64>,
}

/// The sectors that hold the table of mini sectors, and those that hold the mini sectors.
struct Mini {
    table: Vec<u32>,
    sectors: Vec<u32>,
}

impl<'a> Compound<'a> {
    /// Reads the header, finds the allocation table and the directory.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Reason> {
        let header = Header::read(bytes)?;
        let mut compound = Self {
            bytes,
            header,
            table: Vec::new(),
            records: Vec::new(),
            damage: None,
            mini: OnceCell::new(),
            read: Cell::new(0),
        };
        compound.find_table();
        compound.find_records();
        if compound.records.is_empty() {
            return Err(compound.damage.unwrap_or(Reason::corrupt("directory")));
        }
        Ok(compound)
    }

    /// A bound for the memory that opening and walking takes.
    pub(crate) fn footprint(bytes: &[u8]) -> u64 {
        (bytes.len() as u64) / 2
    }

    /// Why the directory is not complete, if it is not.
    pub(crate) fn damage(&self) -> Option<&Reason> {
        self.damage.as_ref()
    }

    /// Every record of the directory, in the order of the file, unused ones left out.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node<'a>> {
        let bytes = self.bytes;
        let records = self.records.iter().enumerate();
        let nodes = records.filter_map(move |(index, at)| Node::read(bytes, index, *at));
        nodes.filter(|node| node.kind != Kind::Unused)
    }

    /// The record of this number.
    pub(crate) fn node(&self, index: u32) -> Option<Node<'a>> {
        let index = usize::try_from(index).ok()?;
        Node::read(self.bytes, index, *self.records.get(index)?)
    }

    /// Whether a stream or storage of this name is anywhere; names have no case.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.nodes().any(|node| node.is_named(name))
    }

    /// The class of the whole file, as it lies in the root.
    pub(crate) fn class(&self) -> [u8; 16] {
        self.node(0).map_or([0; 16], |root| root.class)
    }

    /// How many bytes a stream can give at most, whatever its size says.
    pub(crate) fn readable(&self, node: &Node<'_>) -> u64 {
        self.size(node).min(self.bytes.len() as u64)
    }

    /// A reader of the stream's content.
    pub(crate) fn stream(&self, node: &Node<'_>) -> Stream<'_> {
        let size = self.size(node);
        let is_mini = node.kind != Kind::Root && size < self.header.cutoff;
        Stream::new(self, is_mini, node.start, size)
    }

    /// The first `limit` bytes of a stream, or as many as can be read.
    pub(crate) fn head(&self, node: &Node<'_>, limit: usize) -> Vec<u8> {
        head(&mut self.stream(node), limit)
    }

    /// What lies in which storage.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        let mut open = vec![(self.node(0).map_or(NONE, |root| root.child), 0)];
        while let Some((index, parent)) = open.pop() {
            let Some(node) = self.node(index).filter(|node| node.index != 0) else { continue };
            if tree.put(index, parent) {
                open.extend([(node.left, parent), (node.right, parent), (node.child, index)]);
            }
        }
        tree
    }

    /// The path of a node, storages first, without the root.
    pub(crate) fn path(&self, tree: &Tree, node: &Node<'_>) -> String {
        let mut path = node.name();
        let mut index = node.index;
        // A path is for people: storages in storages without end would make it quadratic.
        for _ in 0..MAX_PATH {
            let Some(parent) = tree.parent(index).filter(|parent| *parent != 0) else { break };
            let Some(node) = self.node(parent) else { break };
            path = format!("{}/{path}", node.name());
            index = parent;
        }
        path
    }

    /// Counts what is read for a stream: sectors of their own are read a few times, sectors that
    /// many streams share would be read for each of them.
    fn count(&self, bytes: usize) -> Result<(), Reason> {
        let read = self.read.get().saturating_add(bytes as u64);
        self.read.set(read);
        let allowed = (self.bytes.len() as u64).saturating_mul(READINGS);
        if read > allowed { Err(Reason::corrupt("streams share sectors")) } else { Ok(()) }
    }

    /// The size as stated; small sectors leave its upper half undefined.
    fn size(&self, node: &Node<'_>) -> u64 {
        if self.header.shift == 9 { node.size & 0xFFFF_FFFF } else { node.size }
    }

    fn find_table(&mut self) {
        let per_sector = self.header.sector_size() / 4;
        let enough = self.bytes.len() >> self.header.shift;
        let enough = enough.checked_div(per_sector);
        let enough = enough.unwrap_or(0).saturating_add(1);
        let mut table: Vec<u32> = self.header.table.clone();
        let mut next = self.header.more_table;
        let mut chain = Chain::default();
        while next < LAST_SECTOR && table.len() < enough && chain.step(next.into()) {
            let mut words: Vec<u32> = words(self.sector(next)).collect();
            next = words.pop().unwrap_or(NONE);
            table.extend(words);
        }
        table.truncate(enough);
        self.table = table;
    }

    fn find_records(&mut self) {
        let (sectors, damage) = self.chain(self.header.directory);
        self.damage = damage;
        for sector in sectors {
            let start = self.header.offset(sector);
            let offsets = (start..).step_by(RECORD).take(self.header.sector_size() / RECORD);
            let fits = |at: &usize| at.checked_add(RECORD).is_some_and(|e| e <= self.bytes.len());
            self.records.extend(offsets.take_while(fits));
        }
    }

    /// The sectors of a chain, and why it ends if not by its end mark.
    fn chain(&self, start: u32) -> (Vec<u32>, Option<Reason>) {
        let mut sectors = Vec::new();
        let mut chain = Chain::default();
        let mut next = start;
        while next < LAST_SECTOR {
            if !chain.step(next.into()) {
                return (sectors, Some(LOOP));
            }
            if self.sector(next).is_empty() {
                return (sectors, Some(Reason::Truncated));
            }
            sectors.push(next);
            match self.after(next) {
                Some(after) => next = after,
                None => return (sectors, Some(Reason::Truncated)),
            }
        }
        (sectors, None)
    }

    /// The sector that follows, by the allocation table.
    fn after(&self, sector: u32) -> Option<u32> {
        self.lookup(&self.table, sector)
    }

    /// The word of this number in a table that lies in `sectors`.
    fn lookup(&self, sectors: &[u32], index: u32) -> Option<u32> {
        let index = usize::try_from(index).ok()?;
        let per_sector = self.header.sector_size() / 4;
        let sector = *sectors.get(index.checked_div(per_sector)?)?;
        let at = index.checked_rem(per_sector)?.checked_mul(4)?;
        let word = self.sector(sector).get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*word))
    }

    /// A sector's bytes; fewer at the end of the file, none behind it.
    fn sector(&self, sector: u32) -> &'a [u8] {
        if sector >= LAST_SECTOR {
            return &[];
        }
        let start = self.header.offset(sector);
        let end = start.saturating_add(self.header.sector_size()).min(self.bytes.len());
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn mini(&self) -> &Mini {
        self.mini.get_or_init(|| Mini {
            table: self.chain(self.header.mini_table).0,
            sectors: self.chain(self.node(0).map_or(NONE, |root| root.start)).0,
        })
    }

    /// A mini sector's bytes.
    fn mini_sector(&self, index: u32) -> &'a [u8] {
        let size = 1_usize << self.header.mini_shift;
        let Some(at) = usize::try_from(index).ok().and_then(|index| index.checked_mul(size)) else {
            return &[];
        };
        let Some(sector) = self.mini().sectors.get(at >> self.header.shift) else { return &[] };
        let sector = self.sector(*sector);
        let at = at & self.header.sector_size().saturating_sub(1);
        let end = at.saturating_add(size).min(sector.len());
        sector.get(at..end).unwrap_or_default()
    }
}

/// The first eight bytes of every compound file.
pub(crate) const MAGIC: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
const LOOP: Reason = Reason::corrupt("sector chain in a circle");
/// Numbers from here on are marks, not sectors.
const LAST_SECTOR: u32 = 0xFFFF_FFFA;
const MAX_PATH: usize = 16;
/// How many times the size of the file may be read.
const READINGS: u64 = 8;
