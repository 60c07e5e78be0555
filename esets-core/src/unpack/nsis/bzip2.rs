//! bzip2 as NSIS has it: blocks begin with one byte instead of six, and there are no checksums.

use std::io;

use crate::decode::{Bits, Bytewise};
use crate::verdict::Reason;

/// Decodes blocks until the byte that ends them.
pub(super) struct Bzip2<'a> {
    bits: Bits<'a>,
    /// For each byte of the block: which one follows, and below it the byte.
    links: Vec<u32>,
    left: usize,
    link: u32,
    /// The byte before, how often it stood there, and how often it is still to come.
    last: u8,
    run: u8,
    repeats: u8,
    has_ended: bool,
}

/// A canonical code: how many codes each length has, and the symbols in the order of codes.
struct Code {
    counts: [u16; MAX_LENGTH + 1],
    symbols: Vec<u16>,
}

impl<'a> Bzip2<'a> {
    pub(super) fn reader(data: &'a [u8]) -> Bytewise<Self> {
        Bytewise::new(Self {
            bits: Bits::new(data),
            links: Vec::new(),
            left: 0,
            link: 0,
            last: 0,
            run: 0,
            repeats: 0,
            has_ended: false,
        })
    }

    /// Decodes a block; `false` at the end.
    fn block(&mut self) -> io::Result<bool> {
        match self.bits.take(8)? {
            0x31 => {}
            0x17 => return Ok(false),
            _ => return Err(corrupt()),
        }
        let origin = self.bits.take(24)?;
        let used = self.used()?;
        let groups = self.bits.take(3)?;
        if !(2..=6).contains(&groups) {
            return Err(corrupt());
        }
        let selectors = self.selectors(groups)?;
        let size = used.len().saturating_add(2);
        let codes: Vec<Code> = (0..groups).map(|_| self.code_of(size)).collect::<Result<_, _>>()?;
        let block = self.symbols(&selectors, &codes, used)?;
        self.begin(&block, origin)
    }

    /// The bytes that occur.
    fn used(&mut self) -> io::Result<Vec<u8>> {
        let rows = self.bits.take(16)?;
        let mut used = Vec::new();
        for row in (0..16_u8).filter(|row| rows >> (15 & !row) & 1 == 1) {
            let cells = self.bits.take(16)?;
            let cells = (0..16_u8).filter(|cell| cells >> (15 & !cell) & 1 == 1);
            used.extend(cells.map(|cell| row << 4 | cell));
        }
        if used.is_empty() { Err(corrupt()) } else { Ok(used) }
    }

    /// Which code each fifty symbols are in.
    fn selectors(&mut self, groups: u32) -> io::Result<Vec<usize>> {
        let count = self.bits.take(15)?;
        let mut order: Vec<usize> = (0..6).collect();
        let mut selectors = Vec::new();
        for _ in 0..count {
            let mut place = 0_usize;
            while self.bits.take(1)? == 1 {
                place = place.saturating_add(1);
                if place as u64 >= u64::from(groups) {
                    return Err(corrupt());
                }
            }
            selectors.push(to_front(&mut order, place).ok_or_else(corrupt)?);
        }
        Ok(selectors)
    }

    /// Reads the lengths of a code.
    fn code_of(&mut self, size: usize) -> io::Result<Code> {
        let mut length = self.bits.take(5)?;
        let mut lengths = Vec::new();
        for _ in 0..size {
            while self.bits.take(1)? == 1 {
                let is_less = self.bits.take(1)? == 1;
                length = if is_less { length.saturating_sub(1) } else { length.saturating_add(1) };
                if !(1..=20).contains(&length) {
                    return Err(corrupt());
                }
            }
            lengths.push(usize::try_from(length).unwrap_or_default());
        }
        let mut counts = [0_u16; MAX_LENGTH + 1];
        for length in &lengths {
            let count = counts.get_mut(*length).ok_or_else(corrupt)?;
            *count = count.saturating_add(1);
        }
        let mut symbols: Vec<u16> = (0..).take(size).collect();
        symbols.sort_by_key(|symbol| lengths.get(usize::from(*symbol)).copied());
        Ok(Code { counts, symbols })
    }

    fn symbol(&mut self, code: &Code) -> io::Result<u16> {
        let (mut word, mut first, mut index) = (0_u32, 0_u32, 0_u32);
        for count in code.counts.iter().skip(1) {
            word = word << 1 | self.bits.take(1)?;
            let count = u32::from(*count);
            let place = word.wrapping_sub(first);
            if place < count {
                let place = usize::try_from(index.saturating_add(place)).unwrap_or(usize::MAX);
                return code.symbols.get(place).copied().ok_or_else(corrupt);
            }
            index = index.saturating_add(count);
            first = first.saturating_add(count) << 1;
        }
        Err(corrupt())
    }

    /// The bytes of a block, sorted as they are, from runs of zeros and places in a list.
    fn symbols(
        &mut self,
        selectors: &[usize],
        codes: &[Code],
        mut order: Vec<u8>,
    ) -> io::Result<Vec<u8>> {
        let end = u16::try_from(order.len().saturating_add(1)).unwrap_or(u16::MAX);
        let mut block = Vec::new();
        let (mut run, mut weight) = (0_usize, 1_usize);
        for selector in selectors {
            let code = codes.get(*selector).ok_or_else(corrupt)?;
            for _ in 0..50 {
                let symbol = self.symbol(code)?;
                if symbol < 2 {
                    run = run.saturating_add(weight << symbol);
                    weight = weight.saturating_mul(2).min(MOST);
                    if run > MOST {
                        return Err(corrupt());
                    }
                    continue;
                }
                let front = order.first().copied().unwrap_or_default();
                block.resize(block.len().saturating_add(run), front);
                (run, weight) = (0, 1);
                if symbol == end {
                    return Ok(block);
                }
                let place = usize::from(symbol.saturating_sub(1));
                block.push(to_front(&mut order, place).ok_or_else(corrupt)?);
                if block.len() > MOST {
                    return Err(corrupt());
                }
            }
        }
        Err(corrupt())
    }

    /// Undoes the sorting: links each byte to the one that follows it.
    fn begin(&mut self, block: &[u8], origin: u32) -> io::Result<bool> {
        let mut starts = [0_u32; 256];
        for byte in block {
            if let Some(count) = starts.get_mut(usize::from(*byte)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for start in &mut starts {
            sum = sum.saturating_add(std::mem::replace(start, sum));
        }
        self.links.clear();
        self.links.extend(block.iter().copied().map(u32::from));
        for (place, byte) in (0_u32..).zip(block) {
            let Some(start) = starts.get_mut(usize::from(*byte)) else { continue };
            let link = usize::try_from(*start).ok().and_then(|at| self.links.get_mut(at));
            if let Some(link) = link {
                *link |= place << 8;
            }
            *start = start.saturating_add(1);
        }
        (self.left, self.run, self.repeats) = (block.len(), 0, 0);
        let origin = usize::try_from(origin).ok().and_then(|origin| self.links.get(origin));
        self.link = origin.copied().ok_or_else(corrupt)? >> 8;
        Ok(true)
    }

    /// The next byte of the block before runs are unpacked.
    fn packed(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        let entry = usize::try_from(self.link).ok().and_then(|link| self.links.get(link))?;
        self.link = entry >> 8;
        Some(entry.to_le_bytes()[0])
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(left) = self.repeats.checked_sub(1) {
                self.repeats = left;
                return Ok(Some(self.last));
            }
            let Some(byte) = self.packed() else {
                self.has_ended = self.has_ended || !self.block()?;
                if self.has_ended {
                    return Ok(None);
                }
                continue;
            };
            if self.run == 4 {
                (self.run, self.repeats) = (0, byte);
                continue;
            }
            let is_same = self.run > 0 && byte == self.last;
            self.run = if is_same { self.run.saturating_add(1) } else { 1 };
            self.last = byte;
            return Ok(Some(byte));
        }
    }
}

impl Iterator for Bzip2<'_> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        self.byte().transpose()
    }
}

/// Moves what is at `place` to the front.
fn to_front<T: Copy>(order: &mut [T], place: usize) -> Option<T> {
    order.get_mut(..=place)?.rotate_right(1);
    order.first().copied()
}

fn corrupt() -> io::Error {
    io::Error::other(Reason::corrupt("bzip2 data"))
}

const MAX_LENGTH: usize = 20;
/// The most bytes of a block.
const MOST: usize = 900_000;
