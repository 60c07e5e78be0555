//! Files with holes, as GNU tar keeps them: only what is not a hole is in the archive.

use std::io;

use super::header::{BLOCK, Header, number};
use super::pax::{Records, decimal};
use crate::cursor::{Cursor, Truncated};
use crate::verdict::Reason;

/// Where the parts of a body belong: the file from 0 to `size` is zero elsewhere.
pub(super) struct Sparse {
    /// Offsets and sizes, in order.
    parts: Vec<(u64, u64)>,
    size: u64,
    /// How many bytes at the start of the body are the map.
    pub(super) in_body: u64,
}

impl Sparse {
    /// The map of a member with holes, which `blocks` is moved behind; `None` without one.
    pub(super) fn of(
        header: &Header<'_>,
        records: &Records<'_>,
        blocks: &mut Cursor<'_>,
    ) -> Result<Option<Self>, Reason> {
        let start = blocks.position();
        let (numbers, size) = if header.has_map() {
            old_map(header, blocks)?
        } else if records.has_map_in_body() {
            (map_in_body(blocks)?, records.real_size.unwrap_or(0))
        } else if !records.map.is_empty() {
            (records.map.clone(), records.real_size.unwrap_or(0))
        } else {
            return Ok(None);
        };
        let pairs = numbers.chunks_exact(2);
        let parts = pairs.filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect();
        let passed = blocks.position().saturating_sub(start) as u64;
        // The blocks of the old map are not part of the body.
        let in_body = if header.has_map() { 0 } else { passed };
        Ok(Some(Self { parts, size, in_body }))
    }

    /// The file that `body` is the filled part of.
    pub(super) fn read<'b>(&self, body: &'b [u8]) -> Filled<'_, 'b> {
        Filled {
            parts: self.parts.iter(),
            size: self.size,
            at: 0,
            body,
            hole: io::repeat(0),
            zeros: 0,
            data: 0,
        }
    }
}

/// GNU's old map: four pairs in the header, the real size, 21 pairs in each block behind it.
fn old_map(header: &Header<'_>, blocks: &mut Cursor<'_>) -> Result<(Vec<u64>, u64), Reason> {
    let mut fields = Cursor::at(header.block, 386)?;
    let mut numbers = Vec::new();
    take_pairs(&mut fields, 4, &mut numbers)?;
    let mut goes_on = fields.u8()? != 0;
    let size = number(fields.take(12)?).unwrap_or(0);
    while goes_on {
        if numbers.len() > MOST {
            return Err(TOO_MANY);
        }
        let block = blocks.array::<512>()?;
        let mut fields = Cursor::new(&block);
        take_pairs(&mut fields, 21, &mut numbers)?;
        goes_on = fields.u8()? != 0;
    }
    Ok((numbers, size))
}

fn take_pairs(
    fields: &mut Cursor<'_>,
    count: usize,
    numbers: &mut Vec<u64>,
) -> Result<(), Truncated> {
    for _ in 0..count {
        let (offset, size) = (fields.take(12)?, fields.take(12)?);
        // An unused pair is all zero bytes, one that ends the file has a size of 0.
        if offset.first() != Some(&0) {
            numbers.extend([number(offset).unwrap_or(0), number(size).unwrap_or(0)]);
        }
    }
    Ok(())
}

/// A map at the start of the body: lines of decimal numbers, first how many pairs there are.
fn map_in_body(blocks: &mut Cursor<'_>) -> Result<Vec<u64>, Reason> {
    let start = blocks.position();
    let pairs = line(blocks)?;
    if pairs > MOST as u64 {
        return Err(TOO_MANY);
    }
    let mut numbers = Vec::new();
    for _ in 0..pairs.saturating_mul(2) {
        numbers.push(line(blocks)?);
    }
    let used = blocks.position().saturating_sub(start) as u64;
    blocks.take_up_to(used.next_multiple_of(BLOCK).saturating_sub(used));
    Ok(numbers)
}

fn line(blocks: &mut Cursor<'_>) -> Result<u64, Truncated> {
    let rest = blocks.rest();
    let near = rest.get(..rest.len().min(24)).unwrap_or_default();
    let length = memchr::memchr(b'\n', near).ok_or(Truncated)?;
    let value = decimal(blocks.take(length)?).ok_or(Truncated)?;
    blocks.take(1)?;
    Ok(value)
}

/// Reads a file with its holes filled.
pub(super) struct Filled<'m, 'b> {
    parts: std::slice::Iter<'m, (u64, u64)>,
    size: u64,
    at: u64,
    body: &'b [u8],
    hole: io::Repeat,
    /// Zero bytes still to come before the data.
    zeros: u64,
    /// Bytes still to come from the body.
    data: u64,
}

impl Filled<'_, '_> {
    /// Goes on to the next part; at last to the end, and to what the map leaves out.
    fn advance(&mut self) -> bool {
        for (offset, size) in self.parts.by_ref() {
            self.zeros = offset.saturating_sub(self.at);
            self.data = *size;
            if self.zeros > 0 || self.data > 0 {
                return true;
            }
        }
        self.zeros = self.size.saturating_sub(self.at);
        self.data = self.body.len() as u64;
        self.zeros > 0 || self.data > 0
    }
}

impl io::Read for Filled<'_, '_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.zeros == 0 && self.data == 0 && !self.advance() {
            return Ok(0);
        }
        let (source, left): (&mut dyn io::Read, _) = match self.zeros {
            0 => (&mut self.body, &mut self.data),
            _ => (&mut self.hole, &mut self.zeros),
        };
        let count = io::Read::read(&mut io::Read::take(source, *left), output)?;
        if count == 0 && !output.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *left = left.saturating_sub(count as u64);
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

/// The most numbers of a map that are kept: 16 MiB of them.
pub(super) const MOST: usize = 1 << 21;

const TOO_MANY: Reason = Reason::unsupported("map of more than a million parts");
