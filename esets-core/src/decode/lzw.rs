//! LZW with codes that grow from 9 bits, the lowest bit first: compress(1) and its relatives.

use std::io;

use super::Bytewise;
use crate::verdict::Reason;

/// What the codes are like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes {
    /// Their greatest width, in bits.
    pub(crate) max_width: u32,
    /// Whether 256 clears the table.
    pub(crate) clears: bool,
    /// Whether 257 ends the data.
    pub(crate) ends: bool,
    /// Whether they come in groups of eight, and what is left of a group is skipped when the width
    /// changes.
    pub(crate) grouped: bool,
}

impl Codes {
    /// As compress(1) has them, whose header says the width and whether there is a code that clears.
    pub(crate) fn of_compress(max_width: u32, clears: bool) -> Self {
        Self { max_width, clears, ends: false, grouped: true }
    }
}

/// The decoder. A string of the table is the string of its prefix and one byte.
pub(crate) struct Lzw<'a> {
    data: &'a [u8],
    /// The place of the next code, in bits.
    at: usize,
    /// Where the codes of the current width began, in bits.
    group: usize,
    width: u32,
    codes: Codes,
    prefixes: Vec<u16>,
    bytes: Vec<u8>,
    /// The code before, and the first byte of its string.
    last: Option<(u16, u8)>,
    /// What is decoded and not yet read, the last byte first.
    ready: Vec<u8>,
}

impl<'a> Lzw<'a> {
    /// Reads what the codes stand for.
    pub(crate) fn reader(data: &'a [u8], codes: Codes) -> Bytewise<Self> {
        let mut lzw = Self {
            data,
            at: 0,
            group: 0,
            width: MIN_WIDTH,
            codes,
            prefixes: Vec::new(),
            bytes: Vec::new(),
            last: None,
            ready: Vec::new(),
        };
        lzw.clear();
        Bytewise::new(lzw)
    }

    fn clear(&mut self) {
        let first = match self.codes {
            Codes { ends: true, .. } => 258,
            Codes { clears: true, .. } => 257,
            _ => 256,
        };
        self.prefixes.clear();
        self.prefixes.resize(first, 0);
        self.bytes = (0..=255).chain([0, 0]).take(first).collect();
        self.last = None;
    }

    /// Goes on with codes of `width` bits, behind the end of a group if there are groups.
    fn set_width(&mut self, width: u32) {
        if !self.codes.grouped {
            self.width = width;
            return;
        }
        let size = usize::try_from(self.width).unwrap_or_default().saturating_mul(8);
        let used = self.at.saturating_sub(self.group);
        self.at = self.group.saturating_add(used.div_ceil(size).saturating_mul(size));
        self.group = self.at;
        self.width = width;
    }

    /// The next code, the lowest bit first; `None` at the end.
    fn code(&mut self) -> Option<u16> {
        let is_full = self.prefixes.len() >= 1 << self.width;
        if is_full && self.width < self.codes.max_width {
            self.set_width(self.width.saturating_add(1));
        }
        let bytes = self.data.get(self.at / 8..)?;
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(bytes) {
            *to = *from;
        }
        let width = usize::try_from(self.width).ok()?;
        let end = self.at.saturating_add(width);
        if end > self.data.len().saturating_mul(8) {
            return None;
        }
        let shifted = u32::from_le_bytes(word) >> (self.at % 8);
        self.at = end;
        u16::try_from(shifted & !(u32::MAX << self.width)).ok()
    }

    /// Decodes one code; `false` at the end.
    fn step(&mut self) -> io::Result<bool> {
        let Some(code) = self.code() else { return Ok(false) };
        if self.codes.ends && code == END {
            return Ok(false);
        }
        if self.codes.clears && code == CLEAR {
            self.clear();
            self.set_width(MIN_WIDTH);
            return Ok(true);
        }
        let known = self.prefixes.len();
        let is_new = usize::from(code) == known && self.last.is_some();
        if usize::from(code) >= known && !is_new {
            return Err(io::Error::other(Reason::corrupt("code")));
        }
        let mut string = code;
        if let Some((last, first)) = self.last.filter(|_| is_new) {
            self.ready.push(first);
            string = last;
        }
        let first = self.spell(string);
        if let Some((last, _)) = self.last
            && known < 1 << self.codes.max_width
        {
            self.prefixes.push(last);
            self.bytes.push(first);
        }
        self.last = Some((code, first));
        Ok(true)
    }

    /// Puts the string of a known code behind what is ready and returns its first byte.
    fn spell(&mut self, mut code: u16) -> u8 {
        loop {
            let byte = self.bytes.get(usize::from(code)).copied().unwrap_or_default();
            self.ready.push(byte);
            if code < 256 {
                return byte;
            }
            // A prefix is older than its string, so this ends.
            code = self.prefixes.get(usize::from(code)).copied().unwrap_or_default();
        }
    }
}

impl Iterator for Lzw<'_> {
    type Item = io::Result<u8>;

    fn next(&mut self) -> Option<io::Result<u8>> {
        loop {
            if let Some(byte) = self.ready.pop() {
                return Some(Ok(byte));
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

const MIN_WIDTH: u32 = 9;
const CLEAR: u16 = 256;
const END: u16 = 257;
