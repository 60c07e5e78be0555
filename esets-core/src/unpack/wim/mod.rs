//! WIM images of Windows, and ESD files (Microsoft, "Windows Imaging File Format"; what that
//! leaves out, as wimlib's documentation has it).

pub(super) mod resource;
mod table;
mod tree;

use std::io::{self, Read, Write};

use self::resource::{Hashed, Method, Packing, Place, Resource};
use self::table::Blob;
use self::tree::{Hash, Names};
use super::{Format, Magic, UnpackError, Unpacker};
use crate::budget::{Lease, Stop};
use crate::children::Children;
use crate::cursor::Cursor;
use crate::decode::Sink;
use crate::object::Member;
use crate::subject::Subject;
use crate::verdict::Reason;

pub(super) struct Wim;

impl Unpacker for Wim {
    fn format(&self) -> &'static Format {
        &FORMAT
    }

    fn carved_by(&self) -> &'static [Magic] {
        FORMAT.magic
    }

    fn unpack(
        &self,
        subject: &Subject<'_>,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let mut image = Image::read(subject.bytes(), children.lease(0)?)?;
        let table = image.table;
        let table = image.whole(&table, None, children)?;
        let mut purse = children.lease(0)?;
        let (mut blobs, flaw) = table::blobs(&table.bytes, image.bytes, &mut purse)?;
        let flaws = [table.flaw, flaw];
        flaws.into_iter().flatten().for_each(|reason| children.not_scanned(reason));
        let mut names = Names::new(children.lease(0)?);
        for blob in blobs.iter().filter(|blob| blob.is_metadata()) {
            if !image.has(blob) {
                continue;
            }
            let metadata = image.whole(&blob.resource, Some(blob.hash), children)?;
            let flaws = [metadata.flaw, names.add(&metadata.bytes).err()];
            flaws.into_iter().flatten().for_each(|reason| children.not_scanned(reason));
        }
        image.offer_xml(children)?;
        blobs.retain(|blob| !blob.is_metadata());
        // In the order of the file, what is packed together is unpacked once.
        blobs.sort_by_key(Blob::order);
        for blobs in blobs.chunk_by(|one, other| one.resource == other.resource) {
            image.offer(blobs, &mut names, children)?;
        }
        for name in std::mem::take(&mut names.empty) {
            children.slice(Member::named(name), b"")?;
        }
        for name in names.rest() {
            children.skip(Member::named(name), image.missing())?;
        }
        Ok(children.behind(&image.end()?)?)
    }
}

/// What the header says.
struct Image<'a> {
    bytes: &'a [u8],
    packing: Packing,
    part: u16,
    parts: u16,
    table: Place,
    xml: Place,
    /// Where the last resource ends.
    end: u64,
    /// How many bytes of resources are still to be opened: together they are no more than the
    /// file, so that some that overlap do not cost its square.
    left: u64,
    purse: Lease,
}

/// A resource that describes others.
struct Described {
    bytes: Vec<u8>,
    flaw: Option<Reason>,
    _lease: Option<Lease>,
}

impl<'a> Image<'a> {
    fn read(bytes: &'a [u8], purse: Lease) -> Result<Self, Reason> {
        // What was written to a pipe has its last header at the end.
        let last = bytes.len().saturating_sub(HEADER);
        let header = bytes.get(last..).filter(|header| header.starts_with(PIPABLE));
        let header = header.filter(|_| bytes.starts_with(PIPABLE)).unwrap_or(bytes);
        let cursor = &mut Cursor::new(header);
        let is_pipable = cursor.take(8)? == PIPABLE;
        cursor.take(8)?; // size of the header, version
        let flags = cursor.u32_le()?;
        let chunk = cursor.u32_le()?.into();
        cursor.take(16)?; // identifier
        let (part, parts) = (cursor.u16_le()?, cursor.u16_le()?);
        cursor.take(4)?; // number of images
        let (table, xml) = (Place::read(cursor)?, Place::read(cursor)?);
        if table.packed == 0 {
            return Err(Reason::Truncated); // The header is written before the table, and again.
        }
        Place::read(cursor)?; // metadata of an image to boot
        cursor.take(4)?;
        let integrity = Place::read(cursor)?;
        let ends = [table, xml, integrity].map(|place| place.offset.saturating_add(place.packed));
        let footer = if std::ptr::eq(header, bytes) { 0 } else { bytes.len() as u64 };
        Ok(Self {
            bytes,
            packing: Packing { method: method(flags), chunk, is_pipable },
            part,
            parts,
            table,
            xml,
            end: ends.into_iter().fold(footer, u64::max),
            left: bytes.len() as u64,
            purse,
        })
    }

    /// What lies behind the last resource.
    fn end(&self) -> Result<Cursor<'a>, Reason> {
        Ok(Cursor::at(self.bytes, self.end)?)
    }

    /// Whether a blob is in this part of a split image.
    fn has(&self, blob: &Blob) -> bool {
        blob.part == self.part || self.parts <= 1
    }

    /// Why what a file name refers to is not here.
    fn missing(&self) -> Reason {
        if self.parts > 1 {
            Reason::unsupported("file in another part of a split image")
        } else {
            Reason::corrupt("file without content")
        }
    }

    fn open(&mut self, place: &Place, is_solid: bool) -> Result<Resource<'a>, Reason> {
        let left = self.left.checked_sub(place.packed);
        self.left = left.ok_or(Reason::corrupt("resources that overlap"))?;
        self.end = self.end.max(place.offset.saturating_add(place.packed));
        if is_solid {
            Resource::solid(self.bytes, place, &self.purse)
        } else {
            Resource::open(self.bytes, place, self.packing, &self.purse)
        }
    }

    /// Reads all of a resource, within the budget.
    fn whole(
        &mut self,
        place: &Place,
        hash: Option<Hash>,
        children: &mut Children<'_>,
    ) -> Result<Described, Stop> {
        let resource = match self.open(place, false) {
            Ok(resource) => resource,
            Err(reason) => {
                return Ok(Described { bytes: Vec::new(), flaw: Some(reason), _lease: None });
            }
        };
        let sink = children.sink();
        let reader = Hashed::new(resource, hash);
        let mut kept = Kept { reader, sink: sink.clone(), flaw: None };
        children.pass(&mut kept)?;
        let flaw = kept.flaw.take();
        let (bytes, lease, limit) = sink.take();
        Ok(Described { bytes, flaw: limit.or(flaw), _lease: Some(lease) })
    }

    /// The description of the images, which is text.
    fn offer_xml(&mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        if self.xml.packed == 0 {
            return Ok(());
        }
        let member = Member::named(&b"[XML]"[..]);
        let xml = self.xml;
        match self.open(&xml, false) {
            Ok(mut xml) => children.stream(member, &mut xml)?,
            Err(reason) => children.skip(member, reason)?,
        }
        Ok(())
    }

    /// Offers the blobs of one resource, under every name.
    fn offer(
        &mut self,
        blobs: &[Blob],
        names: &mut Names,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let Some(first) = blobs.first() else { return Ok(()) };
        let mut resource = if self.has(first) {
            self.open(&first.resource, first.is_solid)
        } else {
            Err(self.missing())
        };
        for blob in blobs {
            let paths = names.take(&blob.hash).unwrap_or_else(|| vec![hexadecimal(&blob.hash)]);
            for path in paths {
                let packed = (!blob.is_solid).then_some(blob.resource.packed);
                let member =
                    Member { packed_size: packed, size: Some(blob.size), ..Member::named(path) };
                match &mut resource {
                    Ok(resource) => {
                        let part = resource.part(blob.offset, blob.size);
                        children.stream(member, &mut Hashed::new(part, Some(blob.hash)))?;
                    }
                    Err(reason) => children.skip(member, reason.clone())?,
                }
            }
        }
        Ok(())
    }
}

/// Keeps what passes, and what went wrong.
struct Kept<R> {
    reader: R,
    sink: Sink,
    flaw: Option<Reason>,
}

impl<R: Read> Read for Kept<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(output).and_then(|count| {
            self.sink.write_all(output.get(..count).unwrap_or_default())?;
            Ok(count)
        });
        count.inspect_err(|error| self.flaw = Some(Reason::from_io(error)))
    }
}

fn method(flags: u32) -> Method {
    match flags {
        _ if flags & XPRESS != 0 => Method::Xpress,
        _ if flags & LZX != 0 => Method::Lzx,
        _ if flags & LZMS != 0 => Method::Lzms,
        _ => Method::Stored,
    }
}

/// The name of a blob that no file has.
fn hexadecimal(hash: &Hash) -> Vec<u8> {
    hash.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

const HEADER: usize = 208;
const PIPABLE: &[u8] = b"WLPWM\0\0\0";
const XPRESS: u32 = 0x22_0000;
const LZX: u32 = 0x4_0000;
const LZMS: u32 = 0x8_0000;

static FORMAT: Format = Format {
    name: "wim",
    about: "Windows Imaging Format, WIM and ESD",
    extensions: &["wim", "esd", "swm", "ppkg"],
    magic: &[Magic::start(b"MSWIM\0\0\0"), Magic::start(PIPABLE)],
    specification: &[
        "Microsoft, Windows Imaging File Format (WIM)",
        "MS-XCA",
        "MS-PATCH (LZX)",
        "wimlib 1.13, header_on_disk and dentry documentation (solid resources, LZMS)",
    ],
    limitations: &[
        "the parts of a split image are each read for itself: what is in another one is named",
        "the integrity table is not held against the file: the hash of each blob is",
        "files that EFS has encrypted are offered as they are stored",
    ],
};
