//! The engine: one scan, step by step. It alone meters, records and stops.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::budget::{Budget, Stop};
use crate::heuristic::Findings;
use crate::object::{Member, Object};
use crate::scanner::{Records, Scanner};
use crate::session::{Blind, Interrupt, Observer, Session};
use crate::subject::Subject;
use crate::unpack::Unpacker;
use crate::verdict::{Class, ObjectId, Reason, Record, Status, Text, Verdict};

/// Scans `object` and everything in it.
pub(crate) fn scan(scanner: &Scanner, object: &Object<'_>, session: &mut Session<'_>) -> Verdict {
    let mut ledger = Ledger {
        budget: Budget::new(scanner.limits.clone(), object.bytes().len() as u64),
        chunk: Vec::new(),
        learned: 0,
        opened: HashMap::new(),
        opened_sizes: HashSet::new(),
        passwords: passwords(scanner, session),
        verdict: Verdict::default(),
    };
    let mut blind = Blind;
    let mut scan = Scan {
        scanner,
        interrupt: session.interrupt,
        observer: match session.observer.as_deref_mut() {
            Some(observer) => observer,
            None => &mut blind,
        },
        ledger: &mut ledger,
    };
    let member = Member::named(object.name());
    // The verdict already says why a stopped scan stopped.
    let _ = scan.visit(Visit {
        member: &member,
        bytes: object.bytes(),
        parent: None,
        position: 0,
        cut: None,
    });
    ledger.verdict
}

/// The caller's passwords, then those of the database.
fn passwords(scanner: &Scanner, session: &Session<'_>) -> Vec<Vec<u8>> {
    let own = session.passwords.iter().copied();
    own.chain(scanner.database.passwords()).map(<[u8]>::to_vec).collect()
}

/// Containers alike: the digest of their bytes, and the formats that recognise them.
pub(crate) type Container = ([u8; 32], Vec<&'static str>);

/// What a scan has used up and found.
pub(crate) struct Ledger {
    pub(crate) budget: Budget,
    /// What one read of a member fills, kept between members; see [`Ledger::take_chunk`].
    pub(crate) chunk: Vec<u8>,
    /// What was opened, at which depth and with how many passwords.
    pub(crate) opened: HashMap<Container, (u16, usize)>,
    /// The sizes of what was opened.
    pub(crate) opened_sizes: HashSet<usize>,
    pub(crate) passwords: Vec<Vec<u8>>,
    /// How many of the passwords come from what was scanned.
    pub(crate) learned: u32,
    pub(crate) verdict: Verdict,
}

impl Ledger {
    /// The chunk to read into; small objects without members never need one.
    pub(crate) fn take_chunk(&mut self) -> Vec<u8> {
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.resize(CHUNK, 0);
        chunk
    }
}

/// One scan. It is lent to each container in turn, see [`Scan::lend`].
pub(crate) struct Scan<'c> {
    pub(crate) scanner: &'c Scanner,
    pub(crate) interrupt: &'c dyn Interrupt,
    pub(crate) observer: &'c mut dyn Observer,
    pub(crate) ledger: &'c mut Ledger,
}

/// One object about to be scanned.
pub(crate) struct Visit<'v> {
    pub(crate) member: &'v Member<'v>,
    pub(crate) bytes: &'v [u8],
    pub(crate) parent: Option<(ObjectId, &'v Subject<'v>)>,
    /// How many members its container offered before it.
    pub(crate) position: u64,
    /// Why the object is not complete, if it is not.
    pub(crate) cut: Option<Reason>,
}

impl Scan<'_> {
    /// The same scan for a shorter time.
    pub(crate) fn lend(&mut self) -> Scan<'_> {
        Scan {
            scanner: self.scanner,
            interrupt: self.interrupt,
            observer: self.observer,
            ledger: self.ledger,
        }
    }

    /// Scans one object and what is in it.
    pub(crate) fn visit(&mut self, visit: Visit<'_>) -> Result<(), Stop> {
        self.ledger.budget.go_on()?;
        let object = Object::new(visit.bytes).named(&*visit.member.name);
        let parent = visit.parent.map(|(_, subject)| subject);
        let mut subject = Subject::new(object, visit.member, parent).at(visit.position);
        let id = self.open(&subject, visit.parent.map(|(id, _)| id));
        if let Some(reason) = visit.cut {
            self.record(id).add_reason(reason);
        }
        if let Err(reason) = self.admit(&subject) {
            let stop = self.stop(id, reason);
            self.close(id);
            return Err(stop);
        }
        let unpackers = self.recognise(&mut subject);
        self.record(id).formats =
            subject.formats().iter().map(|format| Text::Borrowed(format.name)).collect();
        self.observer.enter(&subject);
        let inspected = self.inspect(id, &mut subject);
        let outcome = inspected.and_then(|()| self.unpack_all(id, &subject, &unpackers));
        self.close(id);
        outcome
    }

    /// Opens a record, before anything can go wrong.
    pub(crate) fn open(&mut self, subject: &Subject<'_>, parent: Option<ObjectId>) -> ObjectId {
        let verdict = &mut self.ledger.verdict;
        let id = ObjectId::at(verdict.records.len());
        verdict.objects = verdict.objects.saturating_add(1);
        verdict.records.push(Record {
            parent,
            index: subject.member().index,
            name: subject.name().to_vec(),
            size: subject.bytes().len() as u64,
            ..Record::default()
        });
        id
    }

    #[expect(clippy::indexing_slicing, reason = "an open record is never removed")]
    pub(crate) fn record(&mut self, id: ObjectId) -> &mut Record {
        &mut self.ledger.verdict.records[id.index()]
    }

    /// Takes back that pieces are truncated if what they make together was opened without a
    /// reason: then all that they hold was met there. It has the records from `joined` on.
    pub(crate) fn forgive(&mut self, pieces: &[ObjectId], joined: ObjectId) {
        let records = &mut self.ledger.verdict.records;
        let (before, whole) =
            records.split_at_mut_checked(joined.index()).unwrap_or((&mut [], &mut []));
        let is_unknown = whole.first().is_some_and(|record| record.formats.is_empty());
        if is_unknown || whole.iter().any(|record| !record.not_scanned.is_empty()) {
            return;
        }
        for piece in pieces {
            let mut within = before.iter_mut().skip(piece.index());
            let Some(record) = within.next() else { continue };
            record.not_scanned.retain(|reason| *reason != Reason::Truncated);
            // What is in an object has records behind it, and a parent no earlier than it.
            for record in within.take_while(|record| record.parent >= Some(*piece)) {
                record.not_scanned.retain(|reason| *reason != Reason::Truncated);
            }
        }
    }

    /// Takes the object from the budget and asks the caller whether to go on.
    fn admit(&mut self, subject: &Subject<'_>) -> Result<(), Reason> {
        if let Some(interruption) = self.interrupt.check() {
            return Err(interruption.into());
        }
        let size = subject.bytes().len() as u64;
        self.ledger.budget.take_object()?;
        self.ledger.budget.take_scanned(size)?;
        self.ledger.verdict.bytes = self.ledger.verdict.bytes.saturating_add(size);
        Ok(())
    }

    /// Asks every format, not only up to the first: a polyglot would hide in the second.
    fn recognise(&self, subject: &mut Subject<'_>) -> Vec<&'static dyn Unpacker> {
        let unpackers = self.scanner.unpackers.iter().copied();
        let recognised: Vec<_> =
            unpackers.filter(|unpacker| unpacker.recognises(subject)).collect();
        subject.set_formats(recognised.iter().map(|unpacker| unpacker.format()).collect());
        recognised
    }

    /// Signatures and heuristics.
    fn inspect(&mut self, id: ObjectId, subject: &mut Subject<'_>) -> Result<(), Stop> {
        let mut findings = Findings::default();
        let Scanner { database, heuristics, options, rules, .. } = self.scanner;
        subject.set_kinds(database.kinds(subject, &mut findings));
        let memory = self.ledger.budget.lease();
        let means = (self.interrupt, &memory);
        let mut searched = database.search(subject, means, &mut findings);
        let kinds = subject.kinds().union(findings.kinds);
        if kinds != subject.kinds() {
            // Once: what is found as another kind does not make it a third.
            subject.set_kinds(kinds);
            searched = searched.and_then(|()| database.search(subject, means, &mut findings));
        }
        let subject = &*subject;
        for rules in rules {
            rules.inspect(subject, self.interrupt, &mut findings);
        }
        if options.heuristics {
            for heuristic in heuristics.iter() {
                heuristic.inspect(subject, &mut findings);
            }
            database.judge_links(subject, &memory, &mut findings);
        }
        findings.detections.retain(|detection| match detection.class {
            Class::PotentiallyUnsafe => options.unsafe_applications,
            Class::PotentiallyUnwanted => options.unwanted_applications,
            Class::Malware | Class::Suspicious => true,
        });
        if !findings.detections.is_empty() && self.is_allowed(subject) {
            findings.detections.clear();
        }
        let record = self.record(id);
        record.detections = findings.detections;
        findings.reasons.into_iter().for_each(|reason| record.add_reason(reason));
        searched.map_err(|interruption| self.stop(id, interruption.into()))
    }

    /// Whether the allow-list names the object or a container around it.
    fn is_allowed(&self, subject: &Subject<'_>) -> bool {
        let database = &self.scanner.database;
        database.allows(subject) || subject.ancestors().any(|ancestor| database.allows(ancestor))
    }

    /// Ends the scan because of what happened at the record `id`.
    pub(crate) fn stop(&mut self, id: ObjectId, reason: Reason) -> Stop {
        self.record(id).add_reason(reason);
        self.ledger.budget.stop()
    }

    /// Shows a finished record to the observer; a clean leaf then is only counted.
    fn close(&mut self, id: ObjectId) {
        let records = &mut self.ledger.verdict.records;
        let Some(record) = records.get(id.index()) else {
            return;
        };
        self.observer.leave(record);
        let is_leaf = records.len() == id.index().saturating_add(1);
        let is_dull = record.status() == Status::Clean && record.defects.is_empty();
        let is_root = id == ObjectId::ROOT;
        if self.scanner.options.records == Records::Notable && is_leaf && is_dull && !is_root {
            records.pop();
        }
    }
}

/// Runs someone else's code; a panic becomes its message.
pub(crate) fn fenced<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // The ledger is only appended to, so it is whole after a panic at any point.
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("panic").chars().take(200).collect()
}

/// How much is read between two looks at the caller's clock: 64 KiB.
const CHUNK: usize = 64 << 10;
