//! How an object is opened: by every format that recognises it, by what signatures say it is, or
//! by what lies in it.

use std::collections::hash_map::Entry;

use crate::budget::Stop;
use crate::children::Children;
use crate::object::Member;
use crate::scan::{Scan, Visit, fenced};
use crate::subject::{Algorithm, Subject};
use crate::unpack::{UnpackError, Unpacker};
use crate::verdict::{Limit, ObjectId, Reason, Record};

impl Scan<'_> {
    /// Lets every format that recognised the object offer its members.
    pub(crate) fn unpack_all(
        &mut self,
        id: ObjectId,
        subject: &Subject<'_>,
        unpackers: &[&dyn Unpacker],
    ) -> Result<(), Stop> {
        // A container that holds itself holds nothing new, however often it is opened.
        if subject.ancestors().any(|ancestor| ancestor.bytes() == subject.bytes()) {
            return Ok(());
        }
        let said = self.said(subject, unpackers);
        let is_container = !unpackers.is_empty() || !said.is_empty();
        if is_container && !self.ledger.budget.allows_depth(subject.depth()) {
            self.record(id).add_reason(Reason::Limit(Limit::Depth));
            return Ok(());
        }
        if unpackers.is_empty() {
            self.carve(id, subject)?;
        }
        if !is_container || self.was_opened(subject) {
            return Ok(());
        }
        unpackers.iter().try_for_each(|unpacker| self.unpack(id, subject, *unpacker))?;
        self.unpack_as_said(id, subject, &said)
    }

    /// Opens the object as what signatures say it is. If nothing comes of it there is nothing to
    /// say: magic bytes are common in other data.
    fn unpack_as_said(
        &mut self,
        id: ObjectId,
        subject: &Subject<'_>,
        said: &[&dyn Unpacker],
    ) -> Result<(), Stop> {
        for unpacker in said {
            let objects = self.ledger.verdict.objects;
            let reasons = self.record(id).not_scanned.clone();
            self.unpack(id, subject, *unpacker)?;
            if self.ledger.verdict.objects == objects {
                self.record(id).not_scanned = reasons;
            }
        }
        Ok(())
    }

    /// What opens the object as the kinds that signatures say it is, and did not recognise it.
    fn said(
        &self,
        subject: &Subject<'_>,
        recognised: &[&dyn Unpacker],
    ) -> Vec<&'static dyn Unpacker> {
        if subject.kinds().is_empty() {
            return Vec::new();
        }
        let formats: Vec<&str> = subject.kinds().formats().collect();
        let mut unpackers = self.scanner.unpackers.to_vec();
        unpackers.retain(|unpacker| {
            let name = unpacker.format().name;
            formats.contains(&name) && recognised.iter().all(|known| known.format().name != name)
        });
        unpackers
    }

    /// Whether the same bytes were opened before, at no greater depth and with the same passwords:
    /// they hold nothing new. Containers in several formats at once would else be opened once for
    /// each way to them, and the ways multiply with the depth.
    ///
    /// The first container of its size is not digested, so what is met again is opened twice.
    fn was_opened(&mut self, subject: &Subject<'_>) -> bool {
        if self.ledger.opened_sizes.insert(subject.bytes().len()) {
            return false;
        }
        let Ok(digest) = subject.digest(Algorithm::Sha256).as_bytes().try_into() else {
            return false;
        };
        let formats = subject.formats().iter().map(|format| format.name).collect();
        let now = (subject.depth(), self.ledger.passwords.len());
        match self.ledger.opened.entry((digest, formats)) {
            Entry::Occupied(mut before) => {
                let (depth, passwords) = *before.get();
                let is_new = now.0 < depth || now.1 > passwords;
                if is_new {
                    before.insert(now);
                }
                !is_new
            }
            Entry::Vacant(place) => {
                place.insert(now);
                false
            }
        }
    }

    /// Looks for formats inside data that no format recognises, up to the limit of readings.
    fn carve(&mut self, id: ObjectId, subject: &Subject<'_>) -> Result<(), Stop> {
        if !subject.start_carving() {
            return Ok(());
        }
        let scanner = self.scanner;
        let readings = usize::from(scanner.limits.readings);
        for (count, offset) in scanner.carver.offsets(subject.bytes()).enumerate() {
            if count == readings {
                self.record(id).add_reason(Reason::Limit(Limit::Readings));
                break;
            }
            if !self.ledger.budget.allows_depth(subject.depth()) {
                break;
            }
            let bytes = subject.bytes().get(offset..).unwrap_or_default();
            let member = Member::named(format!("@{offset}").into_bytes());
            let before = self.mark();
            self.visit(Visit {
                member: &member,
                bytes,
                parent: Some((id, subject)),
                position: 0,
                cut: None,
            })?;
            self.forget_nothing_found(before, bytes.len());
        }
        Ok(())
    }

    /// How many records there are and how many bytes were scanned.
    fn mark(&self) -> (usize, u64) {
        (self.ledger.verdict.records.len(), self.ledger.verdict.bytes)
    }

    /// Drops the records of a guess that led to nothing: magic bytes are common in other data.
    fn forget_nothing_found(&mut self, (records, bytes): (usize, u64), size: usize) {
        let verdict = &mut self.ledger.verdict;
        let unpacked = verdict.bytes.saturating_sub(bytes) > size as u64;
        let guessed = verdict.records.get(records..).unwrap_or_default();
        let speaks = |record: &Record| {
            !record.detections.is_empty() || record.not_scanned.contains(&Reason::Encrypted)
        };
        if !unpacked && !guessed.iter().any(speaks) {
            verdict.records.truncate(records);
        }
    }

    /// Lets one format offer its members; whatever it does wrong costs this object only.
    fn unpack(
        &mut self,
        id: ObjectId,
        subject: &Subject<'_>,
        unpacker: &dyn Unpacker,
    ) -> Result<(), Stop> {
        let format = unpacker.format().name;
        if self.scanner.options.skipped_formats.iter().any(|skipped| skipped == format) {
            let reason = Reason::Unsupported(format!("{format} is switched off").into());
            self.record(id).add_reason(reason);
            return Ok(());
        }
        let mut children = Children::new(self.lend(), id, subject);
        let outcome = fenced(|| unpacker.unpack(subject, &mut children));
        let joined = children.join_pieces();
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(UnpackError::Reason(reason))) => self.record(id).add_reason(reason),
            Ok(Err(UnpackError::Stop(stop))) => return Err(stop),
            Err(fault) => {
                let text = format!("{format}: {fault}");
                self.record(id).add_reason(Reason::Fault(text.into()));
            }
        }
        // An unpacker that drops a stop comes to its end all the same.
        joined
    }
}
