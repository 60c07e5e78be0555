//! The compressed section of a help file: frames of LZX with places to start from.

use std::cell::Cell;
use std::io::{self, Read};

use super::directory::Directory;
use crate::cursor::Cursor;
use crate::decode::LzxFrames;
use crate::verdict::Reason;

/// What is needed to unpack the section from any place where the decoder starts afresh.
pub(super) struct Section<'a> {
    data: &'a [u8],
    /// Where each frame begins, eight bytes each.
    starts: &'a [u8],
    size: u64,
    /// How many frames one start of the decoder serves.
    interval: u64,
    bits: u32,
    /// Whether the data is shorter than the directory says.
    is_cut: bool,
    /// The frame that could last not be unpacked, so that it is not tried for each file in it.
    broken: Cell<Option<u64>>,
}

impl<'a> Section<'a> {
    /// Finds the parts of the section in the one that is stored.
    pub(super) fn open(directory: &Directory<'a>, stored: &'a [u8]) -> Result<Self, Reason> {
        let part = |name: &[u8]| {
            let entry = directory.find(name).ok_or(Reason::corrupt("compressed section"));
            entry.map(|entry| (entry.of(stored), entry.size))
        };
        let control = &mut Cursor::new(part(CONTROL)?.0);
        control.take(4)?; // size
        if control.array()? != *b"LZXC" {
            return Err(Reason::unsupported("compression"));
        }
        let unit = if control.u32_le()? == 2 { FRAME } else { 1 };
        let interval = u64::from(control.u32_le()?).saturating_mul(unit) / FRAME;
        let window = u64::from(control.u32_le()?).saturating_mul(unit);
        if interval == 0 || !window.is_power_of_two() {
            return Err(Reason::corrupt("compressed section"));
        }
        let table = &mut Cursor::new(part(RESETS)?.0);
        table.take(8)?; // version, number of entries
        let (width, header, size) = (table.u32_le()?, table.u32_le()?, table.u64_le()?);
        table.take(8)?; // packed size
        if width != 8 || table.u64_le()? != FRAME {
            return Err(Reason::unsupported("table of frames"));
        }
        let starts = Cursor::at(part(RESETS)?.0, header.into())?.rest();
        let (data, stated) = part(CONTENT)?;
        let is_cut = (data.len() as u64) < stated;
        Ok(Self {
            data,
            starts,
            size,
            interval,
            bits: window.trailing_zeros(),
            is_cut,
            broken: Cell::new(None),
        })
    }

    /// The memory that unpacking takes.
    pub(super) fn memory(&self) -> u64 {
        FRAME.saturating_mul(8).saturating_add(1_u64.checked_shl(self.bits).unwrap_or(u64::MAX))
    }

    /// A reader at `offset` or before it: at the nearest place where the decoder starts afresh.
    pub(super) fn at(&self, offset: u64) -> Frames<'_, 'a> {
        let starts = (offset / FRAME).checked_div(self.interval).unwrap_or_default();
        let frame = starts.saturating_mul(self.interval);
        Frames { section: self, frame, lzx: None, ready: Vec::new(), at: 0, flaw: None }
    }

    fn decoder(&self) -> Result<LzxFrames, Reason> {
        LzxFrames::new(self.bits).ok_or(Reason::corrupt("LZX window"))
    }

    /// The packed bytes of a frame, and its size.
    fn frame(&self, frame: u64) -> Option<(&'a [u8], usize)> {
        let begins_at = |frame: u64| {
            let entry = Cursor::at(self.starts, frame.checked_mul(8)?).ok()?.u64_le().ok()?;
            usize::try_from(entry).ok()
        };
        let left = self.size.checked_sub(frame.checked_mul(FRAME)?).filter(|left| *left > 0)?;
        let end = begins_at(frame.checked_add(1)?).unwrap_or(self.data.len());
        let data = self.data.get(begins_at(frame)?..end.min(self.data.len()))?;
        Some((data, usize::try_from(left.min(FRAME)).ok()?))
    }
}

/// Reads the section from one frame on.
pub(super) struct Frames<'s, 'a> {
    section: &'s Section<'a>,
    /// The next frame.
    frame: u64,
    lzx: Option<LzxFrames>,
    ready: Vec<u8>,
    at: usize,
    flaw: Option<Reason>,
}

impl Frames<'_, '_> {
    /// How many bytes of the section lie before the next one that is read.
    pub(super) fn position(&self) -> u64 {
        let ready = self.ready.len().saturating_sub(self.at) as u64;
        self.frame.saturating_mul(FRAME).min(self.section.size).saturating_sub(ready)
    }

    fn next_frame(&mut self) -> Result<(), Reason> {
        if self.section.broken.get() == Some(self.frame) {
            return Err(self.broken());
        }
        let (data, size) = self.section.frame(self.frame).ok_or_else(|| self.missing())?;
        let mut lzx = match self.lzx.take() {
            Some(lzx) if !self.frame.is_multiple_of(self.section.interval) => lzx,
            _ => self.section.decoder()?,
        };
        // Some programs pad the last frame, and refer beyond its end.
        let mut frame = match lzx.frame(data, FULL) {
            Err(_) if size < FULL => self.again(data, size),
            frame => frame,
        }
        .map_err(|_| {
            self.section.broken.set(Some(self.frame));
            self.broken()
        })?;
        frame.truncate(size);
        self.lzx = Some(lzx);
        self.ready = frame;
        self.at = 0;
        self.frame = self.frame.saturating_add(1);
        Ok(())
    }

    /// Unpacks the last frame, which is not full, with a fresh decoder that has seen those before.
    fn again(&self, data: &[u8], size: usize) -> Result<Vec<u8>, Reason> {
        let mut lzx = self.section.decoder()?;
        let before = self.frame.checked_rem(self.section.interval).unwrap_or_default();
        if before > MOST_AGAIN {
            return Err(Reason::corrupt("LZX data"));
        }
        for frame in self.frame.saturating_sub(before)..self.frame {
            let (data, size) = self.section.frame(frame).ok_or_else(|| self.missing())?;
            lzx.frame(data, size)?;
        }
        lzx.frame(data, size)
    }

    fn broken(&self) -> Reason {
        if self.section.is_cut { Reason::Truncated } else { Reason::corrupt("LZX data") }
    }

    fn missing(&self) -> Reason {
        if self.section.is_cut { Reason::Truncated } else { Reason::corrupt("table of frames") }
    }
}

impl Read for Frames<'_, '_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        if self.at >= self.ready.len() {
            if let Some(flaw) = &self.flaw {
                return Err(io::Error::other(flaw.clone()));
            }
            if let Err(reason) = self.next_frame() {
                (self.ready, self.at) = (Vec::new(), 0);
                self.flaw = Some(reason.clone());
                return Err(io::Error::other(reason));
            }
        }
        let count = self.ready.get(self.at..).unwrap_or_default().read(output)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// The size of a frame.
const FRAME: u64 = 32 << 10;
const FULL: usize = 32 << 10;
/// How many frames are unpacked twice at most.
const MOST_AGAIN: u64 = 64;

const CONTENT: &[u8] = b"::DataSpace/Storage/MSCompressed/Content";
const CONTROL: &[u8] = b"::DataSpace/Storage/MSCompressed/ControlData";
const RESETS: &[u8] = b"::DataSpace/Storage/MSCompressed/Transform/\
    {7FC28940-9D31-11D0-9B27-00A0C91E9C7C}/InstanceData/ResetTable";
