//! tar: v7, POSIX ustar and pax, GNU, Solaris (pax(1), "ustar Interchange Format").

mod header;
mod pax;
mod sparse;

use self::header::{BLOCK, Header, Kind};
use self::pax::Records;
use self::sparse::Sparse;
use super::{Format, Magic, UnpackError, Unpacker};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Tar;

impl Unpacker for Tar {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn recognises(&self, subject: &Subject<'_>) -> bool {
        FORMAT.matches(subject.bytes()) || Header::begins(subject.bytes())
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut archive = Archive { blocks: Cursor::new(subject.bytes()), ..Archive::default() };
        while let Some(header) = archive.next_header(children)? {
            archive.entry(&header, children)?;
        }
        Ok(())
    }
}

/// A walk through the blocks of an archive.
#[derive(Default)]
struct Archive<'a> {
    blocks: Cursor<'a>,
    /// Whether an end of archive has been passed.
    has_ended: bool,
    global: Records<'a>,
    long_name: Option<&'a [u8]>,
    records: Records<'a>,
}

impl<'a> Archive<'a> {
    /// The next header. Ends of archives are passed, as `tar -i` does, and damage too.
    fn next_header(
        &mut self,
        children: &mut Children<'_>,
    ) -> Result<Option<Header<'a>>, UnpackError> {
        let mut lost: Option<Cursor<'a>> = None;
        let found = loop {
            let at = self.blocks.clone();
            let block = self.blocks.take_up_to(BLOCK);
            let header = Header::parse(block);
            if block.is_empty() || header.is_some() {
                break header;
            }
            let is_zero = block.iter().all(|byte| *byte == 0);
            self.has_ended |= is_zero && lost.is_none();
            if !is_zero {
                lost.get_or_insert(at);
            }
        };
        if let Some(lost) = lost {
            self.report(lost, found.is_some(), children)?;
        }
        Ok(found)
    }

    /// Blocks from `lost` on are no part of the archive: damage, or something put there.
    fn report(
        &self,
        mut lost: Cursor<'a>,
        is_before_header: bool,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let start = lost.position();
        let passed = self.blocks.position().saturating_sub(start) as u64;
        let unread =
            lost.take_up_to(if is_before_header { passed.saturating_sub(BLOCK) } else { passed });
        if !self.has_ended {
            let is_cut = (unread.len() as u64) < BLOCK;
            let reason = if is_cut { Reason::Truncated } else { Reason::corrupt("header") };
            children.not_scanned(reason);
        }
        Ok(children.slice(Member::named(format!("@{start}").into_bytes()), unread)?)
    }

    fn entry(
        &mut self,
        header: &Header<'a>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        if !header.is_sum_right {
            children.not_scanned(Reason::corrupt("header checksum"));
        }
        self.has_ended = false;
        match header.kind() {
            Kind::GlobalRecords => self.global = Records::parse(self.body(header.size)),
            Kind::LinkName | Kind::Label => _ = self.body(header.size),
            Kind::LongName => self.long_name = Some(header::until_nul(self.body(header.size))),
            Kind::Records => self.records = Records::parse(self.body(header.size)),
            Kind::File | Kind::Bodiless => return self.file(header, children),
        }
        Ok(())
    }

    fn file(
        &mut self,
        header: &Header<'a>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let records = std::mem::take(&mut self.records).over(&self.global);
        let long_name = self.long_name.take();
        let size = records.size.unwrap_or(header.size);
        if header.kind() == Kind::Bodiless && (size == 0 || self.is_at_header()) {
            return Ok(());
        }
        let name = records.name().or(long_name);
        let member = Member::named(name.map_or_else(|| header.name(), Into::into));
        let sparse = Sparse::of(header, &records, &mut self.blocks)?;
        let in_map = sparse.as_ref().map_or(0, |sparse| sparse.in_body);
        let size = size.saturating_sub(in_map);
        let behind = self.blocks.rest();
        let body = self.body(size);
        match sparse {
            Some(sparse) => children.stream(member, &mut sparse.read(body))?,
            None => {
                children.slice(member.clone(), body)?;
                if header.size > size {
                    children.defect("two sizes");
                    let body = Cursor::new(behind).take_up_to(header.size);
                    children.slice(member, body)?;
                }
            }
        }
        let is_whole = body.len() as u64 == size && self.is_aligned();
        if is_whole { Ok(()) } else { Err(Reason::Truncated.into()) }
    }

    /// The next `size` bytes; the padding to whole blocks is passed too.
    fn body(&mut self, size: u64) -> &'a [u8] {
        let body = self.blocks.take_up_to(size);
        let padding = size.checked_next_multiple_of(BLOCK).unwrap_or(size).saturating_sub(size);
        self.blocks.take_up_to(padding);
        body
    }

    /// Whether whole blocks have been passed: an archive may end without padding only if it is cut.
    fn is_aligned(&self) -> bool {
        (self.blocks.position() as u64).is_multiple_of(BLOCK)
    }

    /// Whether there is a header, or nothing, where a body might be.
    fn is_at_header(&self) -> bool {
        let block = self.blocks.clone().take_up_to(BLOCK);
        block.is_empty() || Header::parse(block).is_some_and(|header| header.is_sum_right)
    }
}

static FORMAT: Format = Format {
    name: "tar",
    about: "tar archive",
    extensions: &["tar"],
    magic: &[Magic::at(257, b"ustar")],
    specification: &[
        "POSIX.1-2024 pax, \"ustar Interchange Format\"",
        "GNU tar manual, \"Tar Internals\"",
    ],
    limitations: &["links, directories and devices are no members"],
};
