//! Encrypted presentations of PowerPoint 97 to 2003: \[MS-PPT\] 2.3 and 2.9.

use std::collections::BTreeMap;

use super::binary::{Keys, Scheme};
use crate::cursor::{Chain, Cursor, Truncated};

/// Where the objects of a presentation lie and how they are encrypted.
pub(crate) struct Presentation {
    /// Offsets in the document stream, by number.
    objects: BTreeMap<u32, u32>,
    session: u32,
}

impl Presentation {
    /// Reads the edits of a document, the last first; `None` if it is not encrypted.
    pub(crate) fn read(current_user: &[u8], document: &[u8]) -> Option<Self> {
        let mut fields = Cursor::at(current_user, 12).ok()?;
        if fields.u32_le().ok()? != ENCRYPTED {
            return None;
        }
        let mut next = fields.u32_le().ok()?;
        let mut presentation = Self { objects: BTreeMap::new(), session: 0 };
        let mut chain = Chain::default();
        while next != 0 && chain.step(next.into()) {
            match presentation.read_edit(document, next) {
                Ok(before) => next = before,
                Err(Truncated) => break,
            }
        }
        Some(presentation)
    }

    /// The encryption header, which an object of its own holds.
    pub(crate) fn scheme(&self, document: &[u8]) -> Option<Scheme> {
        let offset = *self.objects.get(&self.session)?;
        let mut record = Cursor::at(document, offset.into()).ok()?;
        record.take(8).ok()?;
        Scheme::read(record.rest())
    }

    /// Decrypts each object where it lies.
    pub(crate) fn decrypt(&self, keys: &Keys, document: &mut [u8]) {
        let mut allowance = document.len().saturating_mul(2);
        for (number, offset) in self.objects.iter().filter(|(number, _)| **number != self.session) {
            let offset = usize::try_from(*offset).unwrap_or(usize::MAX);
            let Some(object) = document.get_mut(offset..) else { continue };
            let mut stream = keys.block(*number);
            let Some((header, content)) = object.split_first_chunk_mut::<8>() else { continue };
            stream.apply(header);
            let [.., a, b, c, d] = *header;
            let size = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            let size = size.min(content.len());
            // Objects that overlap are nobody's, but they must not take all day.
            let Some(left) = allowance.checked_sub(size) else { return };
            allowance = left;
            stream.apply(content.get_mut(..size).unwrap_or_default());
        }
    }

    /// Reads one edit and its directory of objects; returns where the edit before it lies.
    fn read_edit(&mut self, document: &[u8], offset: u32) -> Result<u32, Truncated> {
        let mut edit = Cursor::at(document, offset.into())?;
        edit.take(4)?; // version, type
        let size = edit.u32_le()?;
        edit.take(8)?; // slide, version
        let before = edit.u32_le()?;
        let directory = edit.u32_le()?;
        edit.take(12)?; // document, seed, view
        if size >= SIZE_WITH_SESSION && self.session == 0 {
            self.session = edit.u32_le()?;
        }
        let mut directory = Cursor::at(document, directory.into())?;
        directory.take(4)?;
        let size = directory.u32_le()?;
        let mut entries = Cursor::new(directory.take_up_to(size.into()));
        while let Ok(entry) = entries.u32_le() {
            for number in (entry & 0xF_FFFF..).take(usize::try_from(entry >> 20).unwrap_or(0)) {
                let Ok(offset) = entries.u32_le() else { break };
                // What an earlier edit says is out of date.
                self.objects.entry(number).or_insert(offset);
            }
        }
        Ok(before)
    }
}

/// What the stream `Current User` has in an encrypted presentation.
const ENCRYPTED: u32 = 0xF3D1_C4DF;
/// The size of an edit that names an encryption session.
const SIZE_WITH_SESSION: u32 = 0x20;
