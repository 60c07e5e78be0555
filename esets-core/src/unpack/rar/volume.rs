//! Where the volumes of RAR 1.5 and later lie in an object, and which of their blocks are whole
//! (RAR 4.x technical note, techinfo.txt; RAR 5.0 archive format, "General archive block").

use std::ops::Range;

use flate2::Crc;

use crate::cursor::Cursor;
use crate::verdict::Reason;

/// One archive volume: a signature and the blocks behind it.
pub(super) struct Volume<'a> {
    /// From the signature to the end of the last block.
    pub(super) bytes: &'a [u8],
    generation: Generation,
    /// Blocks in a row whose headers are right, as places in `bytes`.
    runs: Vec<Range<usize>>,
    /// What is wrong with the blocks.
    pub(super) flaw: Option<Reason>,
    /// Whether its last member goes on in another volume.
    pub(super) is_continued: bool,
    /// Whether its headers are encrypted.
    pub(super) is_sealed: bool,
}

/// The two layouts of blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Generation {
    /// RAR 1.5 to 4.x.
    Four,
    /// RAR 5 and later.
    Five,
}

/// A block whose header is right.
struct Block {
    kind: Kind,
    /// Behind the header.
    header_end: usize,
    /// How many bytes of data follow the header.
    data: u64,
    /// Where the header says so, and where the flags are, from the start of the block.
    data_at: Range<usize>,
    flags_at: usize,
    is_continued: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    End,
    File,
    Main { is_sealed: bool },
    Other,
}

/// The volumes of an object that begins with one, and what lies behind the last.
pub(super) fn split(bytes: &[u8]) -> (Vec<Volume<'_>>, &[u8]) {
    let mut volumes = Vec::new();
    let mut rest = bytes;
    while let Some(volume) = Volume::at(rest) {
        let behind = rest.get(volume.bytes.len()..).unwrap_or_default();
        let next = memchr::memmem::find(behind, MARK);
        rest = behind.get(next.unwrap_or_default()..).unwrap_or_default();
        volumes.push(volume);
        if next.is_none() {
            break;
        }
    }
    (volumes, rest)
}

impl<'a> Volume<'a> {
    /// The volume that begins with the signature at the start of `bytes`.
    fn at(bytes: &'a [u8]) -> Option<Self> {
        let generation = match bytes {
            _ if bytes.starts_with(FOUR) => Generation::Four,
            _ if bytes.starts_with(FIVE) => Generation::Five,
            _ => return None,
        };
        let mut volume = Self {
            bytes,
            generation,
            runs: Vec::new(),
            flaw: None,
            is_continued: false,
            is_sealed: false,
        };
        let end = volume.walk();
        volume.bytes = bytes.get(..end).unwrap_or(bytes);
        Some(volume)
    }

    /// Goes from block to block; returns where the volume ends.
    fn walk(&mut self) -> usize {
        let mut at = self.signature().len();
        let mut hashed = 0;
        loop {
            let Some(block) = self.generation.block(self.bytes, at) else {
                if at >= self.bytes.len() {
                    return self.bytes.len();
                }
                self.flaw.get_or_insert(self.flaw_at(at));
                match self.next_block(at, &mut hashed) {
                    Some(next) => at = next,
                    None => return self.bytes.len(),
                }
                continue;
            };
            let end = block.end();
            if end > self.bytes.len() {
                self.flaw.get_or_insert(Reason::Truncated);
            }
            let end = end.min(self.bytes.len());
            self.add_run(at..end);
            self.is_continued |= block.is_continued;
            at = end;
            match block.kind {
                Kind::End => return end,
                Kind::Main { is_sealed: true } => {
                    self.is_sealed = true;
                    return self.sealed_end(end);
                }
                _ => {}
            }
        }
    }

    fn flaw_at(&self, at: usize) -> Reason {
        let left = self.bytes.len().saturating_sub(at);
        if left < MIN_BLOCK { Reason::Truncated } else { Reason::corrupt("block header") }
    }

    /// Encrypted headers hide where the volume ends, but also whatever could look like the next.
    fn sealed_end(&self, from: usize) -> usize {
        let behind = self.bytes.get(from..).unwrap_or_default();
        let next = memchr::memmem::find(behind, self.signature());
        next.map_or(self.bytes.len(), |next| from.saturating_add(next))
    }

    fn add_run(&mut self, run: Range<usize>) {
        match self.runs.last_mut().filter(|last| last.end == run.start) {
            Some(last) => last.end = run.end,
            None => self.runs.push(run),
        }
    }

    /// The next file behind a damaged block.
    fn next_block(&self, at: usize, hashed: &mut usize) -> Option<usize> {
        let from = at.checked_add(1)?;
        (from..self.bytes.len()).find(|next| {
            if *hashed > MAX_HASHED || !self.generation.may_be_file(self.bytes, *next) {
                return false;
            }
            let block = self.generation.block(self.bytes, *next);
            *hashed = hashed.saturating_add(MAX_SEARCHED_HEADER);
            block.is_some_and(|block| block.kind == Kind::File)
        })
    }

    fn signature(&self) -> &'static [u8] {
        match self.generation {
            Generation::Four => FOUR,
            Generation::Five => FIVE,
        }
    }

    /// The volume without what is damaged, and with a last member that ends where the volume does.
    pub(super) fn mended(&self) -> Vec<u8> {
        let mut image = self.signature().to_vec();
        let first = self.runs.first().map_or(0, |run| run.start);
        let first = self.generation.block(self.bytes, first);
        if !matches!(first, Some(Block { kind: Kind::Main { .. }, .. })) {
            image.extend_from_slice(match self.generation {
                Generation::Four => FOUR_MAIN,
                Generation::Five => FIVE_MAIN,
            });
        }
        for run in &self.runs {
            self.copy(run, &mut image);
        }
        image
    }

    /// Copies blocks in a row.
    fn copy(&self, run: &Range<usize>, image: &mut Vec<u8>) {
        let mut at = run.start;
        while let Some(block) = self.generation.block(self.bytes, at).filter(|_| at < run.end) {
            let end = block.end();
            if end > run.end || block.is_continued {
                let header = self.bytes.get(at..block.header_end).unwrap_or_default();
                let left = run.end.min(end).saturating_sub(block.header_end);
                image.extend_from_slice(&self.generation.closed(header, &block, left as u64));
                let data = self.bytes.get(block.header_end..run.end.min(end));
                image.extend_from_slice(data.unwrap_or_default());
            } else {
                image.extend_from_slice(self.bytes.get(at..end).unwrap_or_default());
            }
            at = end;
        }
    }
}

impl Block {
    fn end(&self) -> usize {
        self.header_end.saturating_add(usize::try_from(self.data).unwrap_or(usize::MAX))
    }
}

impl Generation {
    fn block(self, bytes: &[u8], at: usize) -> Option<Block> {
        match self {
            Self::Four => block_of_four(bytes, at),
            Self::Five => block_of_five(bytes, at),
        }
    }

    /// The header of a member whose data ends after `left` bytes and does not go on elsewhere.
    fn closed(self, header: &[u8], block: &Block, left: u64) -> Vec<u8> {
        let mut header = header.to_vec();
        if let Some(flags) = header.get_mut(block.flags_at) {
            *flags &= !self.continued();
        }
        let size = header.get_mut(block.data_at.clone()).unwrap_or_default();
        let last = size.len().saturating_sub(1);
        let (bits, more) = if self == Self::Five { (7, 0x80) } else { (8, 0) };
        for (place, byte) in size.iter_mut().enumerate() {
            let group = left.checked_shr(u32::try_from(place).unwrap_or(64).saturating_mul(bits));
            let group = group.unwrap_or_default().to_le_bytes()[0] & 0xff_u8.wrapping_sub(more);
            *byte = if place < last { group | more } else { group };
        }
        let from = if self == Self::Five { 4 } else { 2 };
        let sum = sum(header.get(from..).unwrap_or_default()).to_le_bytes();
        for (to, byte) in header.iter_mut().take(from).zip(sum) {
            *to = byte;
        }
        header
    }

    /// The flag of a member that goes on in the next volume.
    fn continued(self) -> u8 {
        match self {
            Self::Four => 0x02,
            Self::Five => 0x10,
        }
    }

    /// A quick look before the checksum is computed.
    fn may_be_file(self, bytes: &[u8], at: usize) -> bool {
        let bytes = bytes.get(at..).unwrap_or_default();
        match (self, bytes) {
            (Self::Four, [_, _, 0x74, _, _, low, high, ..]) => {
                (32..MAX_SEARCHED_HEADER).contains(&usize::from(u16::from_le_bytes([*low, *high])))
            }
            (Self::Five, [_, _, _, _, size, 2, ..]) if *size < 0x80 => true,
            (Self::Five, [_, _, _, _, low, high, 2, ..]) => *low >= 0x80 && *high < 0x20,
            _ => false,
        }
    }
}

/// CRC-16 of what follows it, type, flags, size; then perhaps the size of the data.
fn block_of_four(bytes: &[u8], at: usize) -> Option<Block> {
    let header = bytes.get(at..)?;
    let mut cursor = Cursor::new(header);
    let crc = cursor.u16_le().ok()?;
    let kind = cursor.u8().ok()?;
    let flags = cursor.u16_le().ok()?;
    let size = usize::from(cursor.u16_le().ok()?);
    let covered = header.get(2..size)?;
    if !(0x72..=0x7b).contains(&kind) {
        return None;
    }
    let is_file = kind == 0x74;
    let mut data = 0;
    if flags & 0x8000 != 0 || is_file || kind == 0x7a {
        data = u64::from(cursor.u32_le().ok()?);
        if flags & 0x100 != 0 && (is_file || kind == 0x7a) {
            data |= u64::from(Cursor::at(header, 32).ok()?.u32_le().ok()?) << 32;
        }
    }
    // The CRC of an old main header does not cover the comment in it, nor that of old blocks all.
    if (is_file || kind >= 0x7a) && flags & 0x08 == 0 && sum(covered) & 0xffff != u32::from(crc) {
        return None;
    }
    let kind = match kind {
        0x73 => Kind::Main { is_sealed: flags & 0x80 != 0 },
        0x74 => Kind::File,
        0x7b => Kind::End,
        _ => Kind::Other,
    };
    let header_end = at.checked_add(size.max(MIN_BLOCK))?;
    let is_continued = is_file && flags & 0x03 == 0x02;
    Some(Block { kind, header_end, data, data_at: 7..11, flags_at: 3, is_continued })
}

/// CRC-32 of what follows it, size, type, flags, perhaps the sizes of the extra area and the data.
fn block_of_five(bytes: &[u8], at: usize) -> Option<Block> {
    let header = bytes.get(at..)?;
    let mut cursor = Cursor::new(header);
    let crc = cursor.u32_le().ok()?;
    let size = usize::try_from(vint(&mut cursor)?).ok().filter(|size| *size <= MAX_HEADER)?;
    let size_end = cursor.position();
    let end = size_end.checked_add(size)?;
    if sum(header.get(4..end)?) != crc {
        return None;
    }
    let kind = vint(&mut cursor)?;
    let flags_at = cursor.position();
    let flags = vint(&mut cursor)?;
    if flags & 1 != 0 {
        vint(&mut cursor)?;
    }
    let data_start = cursor.position();
    let data = if flags & 2 != 0 { vint(&mut cursor)? } else { 0 };
    let data_at = data_start..cursor.position();
    let is_continued = kind == 2 && flags & 0x18 == 0x10;
    let kind = match kind {
        1 => Kind::Main { is_sealed: false },
        2 => Kind::File,
        4 => Kind::Main { is_sealed: true },
        5 => Kind::End,
        _ => Kind::Other,
    };
    let header_end = at.checked_add(end)?;
    Some(Block { kind, header_end, data, data_at, flags_at, is_continued })
}

/// A number in groups of seven bits, the lowest first.
fn vint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = cursor.u8().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// What the signatures of all versions since 1.5 begin with.
const MARK: &[u8] = b"Rar!\x1a\x07";
pub(super) const FOUR: &[u8] = b"Rar!\x1a\x07\0";
pub(super) const FIVE: &[u8] = b"Rar!\x1a\x07\x01\0";

/// Main headers that say nothing.
const FOUR_MAIN: &[u8] = b"\xcf\x90\x73\0\0\x0d\0\0\0\0\0\0\0";
const FIVE_MAIN: &[u8] = b"\xc5\x1a\x33\x32\x03\x01\0\0";

/// The smallest header of RAR 1.5 to 4.x.
const MIN_BLOCK: usize = 7;
/// The largest header of RAR 5.
const MAX_HEADER: usize = 2 << 20;
/// The largest header that is looked for behind damage.
const MAX_SEARCHED_HEADER: usize = 4 << 10;
/// How much may be hashed to find headers behind damage.
const MAX_HASHED: usize = 64 << 20;
