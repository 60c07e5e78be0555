//! The only way out of an unpacker: it offers members, the engine reads, meters and scans them.

mod read;

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;

use bytes::Bytes;

use crate::budget::{Lease, Stop};
use crate::cursor::Cursor;
use crate::decode::Sink;
use crate::object::Member;
use crate::pieces::{Kept, Piece, Pieces};
use crate::scan::{Scan, Visit};
use crate::subject::Subject;
use crate::verdict::{Limit, ObjectId, Reason, Text};
use read::Cut;

/// Takes the members of one container.
///
/// Every method returns [`Stop`] once the scan is over; hand it up with `?`.
pub struct Children<'c> {
    scan: Scan<'c>,
    id: ObjectId,
    subject: &'c Subject<'c>,
    pieces: Pieces,
    seen: HashSet<(Range<usize>, Vec<u8>)>,
    offered: u64,
}

impl<'c> Children<'c> {
    pub(crate) fn new(scan: Scan<'c>, id: ObjectId, subject: &'c Subject<'c>) -> Self {
        Self { scan, id, subject, pieces: Pieces::default(), seen: HashSet::new(), offered: 0 }
    }

    /// Scans a member that lies in the container as it is.
    ///
    /// The same range of the container under the same name is scanned once.
    ///
    /// # Errors
    /// [`Stop`] when the scan is over.
    pub fn slice<'m>(&mut self, member: impl Into<Member<'m>>, bytes: &[u8]) -> Result<(), Stop> {
        let member = member.into();
        if let Some(range) = self.range_of(bytes)
            && !self.seen.insert((range, member.name.to_vec()))
        {
            return self.scan.ledger.budget.go_on();
        }
        let record = self.next_record();
        self.visit(&member, bytes, None)?;
        if let Some(piece) = piece_of(&member) {
            let mut lease = self.scan.ledger.budget.lease();
            if lease.grow(bytes.len() as u64) {
                self.keep(piece, record, bytes.to_vec(), lease);
            } else {
                self.not_scanned(Reason::Limit(Limit::Memory));
            }
        }
        Ok(())
    }

    /// Scans a member that the unpacker built itself, after a [`Children::lease`] of its size.
    ///
    /// # Errors
    /// [`Stop`] when the scan is over.
    pub fn owned<'m>(&mut self, member: impl Into<Member<'m>>, bytes: Bytes) -> Result<(), Stop> {
        let member = member.into();
        if let Err(reason) = self.scan.ledger.budget.take_unpacked(bytes.len() as u64) {
            self.visit(&member, &bytes, Some(reason))?;
            return Err(self.scan.ledger.budget.stop());
        }
        self.visit(&member, &bytes, None)
    }

    /// Reads a member from `reader`, within the budget, and scans it.
    ///
    /// A member that ends in a read error is scanned as far as it goes; the error says what is
    /// recorded, see [`Reason::from_io`]. One that is too long is cut and recorded as such.
    ///
    /// # Errors
    /// [`Stop`] when the scan is over.
    pub fn stream<'m>(
        &mut self,
        member: impl Into<Member<'m>>,
        reader: &mut dyn Read,
    ) -> Result<(), Stop> {
        self.scan.ledger.budget.go_on()?;
        let member = member.into();
        let mut lease = self.scan.ledger.budget.lease();
        let mut content = Vec::new();
        let mut chunk = self.scan.ledger.take_chunk();
        let outcome = self.read(reader, &mut chunk, &mut content, &mut lease);
        self.scan.ledger.chunk = chunk;
        let (cut, goes_on) = match outcome {
            Ok(()) => (None, true),
            Err(Cut::Object(reason)) => (Some(reason), true),
            Err(Cut::Scan(reason)) => (Some(reason), false),
        };
        let record = self.next_record();
        self.visit(&member, &content, cut)?;
        if !goes_on {
            return Err(self.scan.ledger.budget.stop());
        }
        if let Some(piece) = piece_of(&member) {
            self.keep(piece, record, content, lease);
        }
        Ok(())
    }

    /// Where a decoder that cannot be read from writes a member, see [`Children::written`].
    pub(crate) fn sink(&mut self) -> Sink {
        let budget = &self.scan.ledger.budget;
        let (object, total) = (budget.limits.object_size, budget.unpackable());
        let limit = if object <= total { Limit::ObjectSize } else { Limit::Ratio };
        Sink::new(object.min(total), limit, budget.lease())
    }

    /// How many bytes decoders may still produce in this scan.
    pub(crate) fn unpackable(&self) -> u64 {
        self.scan.ledger.budget.unpackable()
    }

    /// Scans a member that a decoder has written; `cut` says why it is not complete.
    pub(crate) fn written(
        &mut self,
        member: Member<'_>,
        sink: &Sink,
        cut: Option<Reason>,
    ) -> Result<(), Stop> {
        let (content, lease, limit) = sink.take();
        let taken = self.scan.ledger.budget.take_unpacked(content.len() as u64);
        let record = self.next_record();
        self.visit(&member, &content, taken.clone().err().or(limit).or(cut))?;
        if taken.is_err() {
            return Err(self.scan.ledger.budget.stop());
        }
        if let Some(piece) = piece_of(&member) {
            self.keep(piece, record, content, lease);
        }
        Ok(())
    }

    /// Records a member that cannot be opened.
    ///
    /// # Errors
    /// [`Stop`] when the scan is over.
    pub fn skip<'m>(&mut self, member: impl Into<Member<'m>>, reason: Reason) -> Result<(), Stop> {
        self.visit(&member.into(), b"", Some(reason))
    }

    /// Offers what the pieces met in this container make together.
    pub(crate) fn join_pieces(&mut self) -> Result<(), Stop> {
        while let Some(set) = self.pieces.take_set() {
            let member = Member { name: set.name.clone().into(), ..Member::default() };
            match self.lease(set.size()) {
                Ok(_lease) => {
                    let (pieces, joined) = (set.records(), self.next_record());
                    let before = self.scan.ledger.verdict.objects;
                    self.visit(&member, &set.join(), None)?;
                    let met = self.scan.ledger.verdict.objects.saturating_sub(before);
                    // A clean record may be gone; what was opened had members.
                    if met > 1 {
                        self.scan.forgive(&pieces, joined);
                    }
                }
                Err(reason) => self.visit(&member, b"", Some(reason))?,
            }
        }
        Ok(())
    }

    /// Offers what lies behind the end of the format's own data, unless that is nothing but zeros.
    pub(crate) fn behind(&mut self, end: &Cursor<'_>) -> Result<(), Stop> {
        let rest = end.rest();
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        self.slice(Member::named(format!("@{}", end.position()).into_bytes()), rest)
    }

    /// The record that the next member will have, unless it is dropped as clean.
    fn next_record(&self) -> ObjectId {
        ObjectId::at(self.scan.ledger.verdict.records.len())
    }

    fn keep(&mut self, piece: Piece, record: ObjectId, content: Vec<u8>, lease: Lease) {
        let is_kept = record.index() < self.scan.ledger.verdict.records.len();
        self.pieces.keep(Kept { piece, record: is_kept.then_some(record), content, _lease: lease });
    }

    /// Records a breach of the format that leaves more than one reading, once.
    pub fn defect(&mut self, defect: impl Into<Text>) {
        let defect = defect.into();
        let record = self.scan.record(self.id);
        if !record.defects.contains(&defect) {
            record.defects.push(defect);
        }
    }

    /// Records why part of the container itself stays unread, and goes on.
    pub fn not_scanned(&mut self, reason: Reason) {
        self.scan.record(self.id).add_reason(reason);
    }

    /// Working memory for the unpacker, given back when the lease is dropped.
    ///
    /// # Errors
    /// [`Reason::Limit`] if the budget has not got it; hand it up with `?`.
    pub fn lease(&mut self, bytes: u64) -> Result<Lease, Reason> {
        let mut lease = self.scan.ledger.budget.lease();
        if lease.grow(bytes) { Ok(lease) } else { Err(Reason::Limit(Limit::Memory)) }
    }

    /// How many steps of a machine may be run now, up to `wanted`; 0 once a scan has had enough.
    ///
    /// # Errors
    /// [`Stop`] when the caller ends the scan.
    pub(crate) fn steps(&mut self, wanted: u32) -> Result<u32, Stop> {
        if let Some(interruption) = self.scan.interrupt.check() {
            return Err(self.scan.stop(self.id, interruption.into()));
        }
        Ok(self.scan.ledger.budget.take_steps(wanted))
    }

    /// How many readings of an ambiguous container may be offered.
    #[must_use]
    pub fn readings(&self) -> u16 {
        self.scan.scanner.limits.readings
    }

    /// The passwords to try, the caller's first.
    pub fn passwords(&self) -> impl Iterator<Item = &[u8]> {
        self.scan.ledger.passwords.iter().map(Vec::as_slice)
    }

    /// Remembers a word that may be the password of something met later; not more than a few, as
    /// each of them costs time wherever something is encrypted.
    pub fn learn_password(&mut self, word: &[u8]) {
        let ledger = &mut self.scan.ledger;
        if ledger.learned < MOST_LEARNED && !ledger.passwords.iter().any(|known| known == word) {
            ledger.passwords.push(word.to_vec());
            ledger.learned = ledger.learned.saturating_add(1);
        }
    }

    fn visit(
        &mut self,
        member: &Member<'_>,
        bytes: &[u8],
        cut: Option<Reason>,
    ) -> Result<(), Stop> {
        let parent = Some((self.id, self.subject));
        let position = self.offered;
        self.offered = position.saturating_add(1);
        self.scan.visit(Visit { member, bytes, parent, position, cut })
    }

    /// Where `bytes` lie in the container, if they are a slice of it.
    fn range_of(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let container = self.subject.bytes().as_ptr_range();
        let part = bytes.as_ptr_range();
        if bytes.is_empty() || part.start < container.start || part.end > container.end {
            return None;
        }
        let start = (part.start as usize).checked_sub(container.start as usize)?;
        Some(start..start.checked_add(bytes.len())?)
    }
}

/// How many passwords are learned in one scan.
const MOST_LEARNED: u32 = 32;

/// The place of a member among pieces, as its container or its name says.
fn piece_of(member: &Member<'_>) -> Option<Piece> {
    member.piece.clone().or_else(|| Piece::of_name(&member.name))
}
