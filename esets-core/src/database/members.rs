//! The sections of signatures of what a container says of a member.
//!
//! One holds the signatures: number of the name (4), place of the container in the table of
//! conditions or [`ANY`] (1), mark of encryption or [`ANY`] (1), whether a CRC-32 is asked (1),
//! whether either case of the name will do (1), CRC-32 (4), least and greatest (8 each) size of
//! the container, packed size, size and position, and the expression for the name (length (2) and
//! bytes, masked by [`VEIL`]; empty is any name).
//!
//! The other says which of them may be meant: rows of a key (4) and a place (4), sorted. A key is
//! a number that is asked exactly, or a few letters that the name must have. So a member costs
//! what its own numbers and letters point at, however many signatures there are.

use std::collections::{BTreeSet, HashMap};

use super::Database;
use super::format::Section;
use super::logical::{block, push_block};
use super::names::{Numbers, PoolId};
use super::search::add;
use crate::cursor::{Cursor, Truncated};
use crate::heuristic::Findings;
use crate::matcher::{Exhausted, GRAM, Regex, Steps, VEIL};
use crate::signature::{MemberSignature, RegexFlags, Span, is_kind};
use crate::subject::Subject;
use crate::verdict::{Limit, Reason};

/// A signature as it is collected.
#[derive(Debug)]
pub(super) struct Entry {
    name: PoolId,
    /// What follows the name in the file.
    row: Vec<u8>,
    /// The lists of keys by any of which it can be found.
    keys: Vec<Vec<Key>>,
}

/// What leads to a signature: a kind and a number of it.
type Key = (u8, u64);

impl Entry {
    pub(super) fn new(signature: &MemberSignature<'_>, name: PoolId) -> Self {
        let encrypted = signature.encrypted.map_or(ANY, u8::from);
        let (pattern, ignores_case) = signature.file_name.clone().unwrap_or_default();
        let has_crc32 = u8::from(signature.crc32.is_some());
        let mut row =
            vec![signature.container.unwrap_or(ANY), encrypted, has_crc32, ignores_case.into()];
        row.extend(signature.crc32.unwrap_or_default().to_le_bytes());
        for span in spans(signature) {
            row.extend([span.start(), span.end()].into_iter().flat_map(|it| it.to_le_bytes()));
        }
        let veiled: Vec<u8> = pattern.bytes().map(|byte| byte ^ VEIL).collect();
        push_block(&veiled, &mut row);
        let exact = (0_u8..).zip(spans(signature)).filter(|(_, span)| span.start() == span.end());
        let exact = exact.filter(|(kind, _)| *kind != POSITION);
        let mut keys: Vec<Vec<Key>> =
            exact.map(|(kind, span)| vec![(kind, *span.start())]).collect();
        keys.extend(signature.crc32.map(|crc32| vec![(CRC32, crc32.into())]));
        let grams = Regex::grams(&pattern, RegexFlags::of_name(ignores_case));
        keys.extend(grams.iter().map(|list| list.iter().map(gram).collect()));
        Self { name, row, keys }
    }

    /// Whether it has to be asked for every member.
    pub(super) fn is_for_all(&self) -> bool {
        self.keys.is_empty()
    }
}

fn spans<'s>(signature: &'s MemberSignature<'_>) -> [&'s Span; 4] {
    let MemberSignature { container_size, packed_size, size, position, .. } = signature;
    [container_size, packed_size, size, position]
}

fn gram(gram: &[u8; GRAM]) -> Key {
    (LETTERS, gram.iter().fold(0, |number, letter| number << 8 | u64::from(*letter)))
}

/// Both sections: signatures and keys.
pub(super) fn build(entries: &[Entry], numbers: &Numbers) -> (Vec<u8>, Vec<u8>) {
    let mut counts: HashMap<Key, usize> = HashMap::new();
    for key in entries.iter().flat_map(|entry| entry.keys.iter().flatten()) {
        let count = counts.entry(*key).or_default();
        *count = count.saturating_add(1);
    }
    let cost = |keys: &&Vec<Key>| keys.iter().filter_map(|key| counts.get(key)).sum::<usize>();
    let (mut section, mut rows) = (Vec::new(), Vec::new());
    for entry in entries {
        let place = u32::try_from(section.len()).unwrap_or(u32::MAX);
        section.extend(numbers.of(entry.name).to_le_bytes());
        section.extend(&entry.row);
        match entry.keys.iter().min_by_key(cost) {
            Some(keys) => rows.extend(keys.iter().map(|key| (hash(*key), place))),
            None => rows.push((hash(EVERY), place)),
        }
    }
    rows.sort_unstable();
    rows.dedup();
    let row = |(key, place): &(u32, u32)| [key.to_le_bytes(), place.to_le_bytes()].concat();
    (section, rows.iter().flat_map(row).collect())
}

/// Keys that fall together cost time and nothing else.
fn hash((kind, value): Key) -> u32 {
    let spread = (value ^ u64::from(kind) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from(spread >> 32).unwrap_or_default()
}

/// Adds to `findings` what the signatures say of `subject` as a member of what it lies in.
pub(super) fn search(database: &Database, subject: &Subject<'_>, findings: &mut Findings) {
    let section = database.section(Section::Members);
    let container = subject.ancestors().next().filter(|it| !it.formats().is_empty());
    let Some(container) = container.filter(|_| !section.is_empty()) else { return };
    let stated = Stated::of(subject, container);
    for place in stated.places(database.section(Section::MemberKeys)) {
        let row = Cursor::at(section, place.into()).and_then(|mut cursor| Row::read(&mut cursor));
        let Ok(row) = row.map(|row| row.filter(|row| row.holds(&stated))) else { continue };
        match row.map(|row| (row.name, row.is_named(database, place, stated.name))) {
            Some((name, Ok(true))) => add(database, name, None, findings),
            Some((_, Err(Exhausted))) => {
                findings.not_scanned(Reason::Limit(Limit::Comparisons));
            }
            Some((_, Ok(false))) | None => {}
        }
    }
}

/// What a container says of a member, as ClamAV puts it.
struct Stated<'s> {
    container: &'s Subject<'s>,
    name: &'s [u8],
    encrypted: bool,
    crc32: u32,
    /// Size of the container, packed size, size, position.
    numbers: [u64; 4],
}

impl<'s> Stated<'s> {
    fn of(subject: &'s Subject<'s>, container: &'s Subject<'s>) -> Self {
        let member = subject.member();
        let is = |names: &[&str]| container.formats().iter().any(|it| names.contains(&it.name));
        let size = member.size.unwrap_or(subject.bytes().len() as u64);
        let packed_size = if is(&["7z", "cab", "chm"]) {
            0
        } else if is(&["mbox", "message"]) {
            size
        } else {
            member.packed_size.unwrap_or(size)
        };
        let position = if is(&["iso", "mbox", "message"]) {
            0
        } else if is(&["7z", "cab", "chm"]) {
            subject.position()
        } else {
            subject.position().saturating_add(1)
        };
        Self {
            container,
            name: subject.name(),
            encrypted: member.encrypted,
            crc32: member.crc32.unwrap_or_default(),
            numbers: [container.bytes().len() as u64, packed_size, size, position],
        }
    }

    /// The places of the signatures that may be meant.
    fn places(&self, rows: &[u8]) -> BTreeSet<u32> {
        let name = self.name.to_ascii_lowercase();
        let numbers = (0_u8..).zip(self.numbers).chain([(CRC32, self.crc32.into()), EVERY]);
        let keys: BTreeSet<u32> = numbers.chain(name.array_windows().map(gram)).map(hash).collect();
        let (rows, _) = rows.as_chunks::<4>();
        let (rows, _) = rows.as_chunks::<2>();
        let of_key = |key: u32| {
            let first = rows.partition_point(|[there, _]| u32::from_le_bytes(*there) < key);
            let rows = rows.get(first..).unwrap_or_default();
            rows.iter().take_while(move |[there, _]| u32::from_le_bytes(*there) == key)
        };
        keys.into_iter().flat_map(of_key).map(|[_, place]| u32::from_le_bytes(*place)).collect()
    }
}

/// A signature, read in place.
struct Row<'f> {
    name: u32,
    container: u8,
    encrypted: u8,
    crc32: Option<u32>,
    flags: RegexFlags,
    spans: [Span; 4],
    pattern: &'f [u8],
}

impl<'f> Row<'f> {
    fn read(cursor: &mut Cursor<'f>) -> Result<Option<Self>, Truncated> {
        let name = cursor.u32_le()?;
        let [container, encrypted, has_crc32, ignores_case] = cursor.array()?;
        let crc32 = cursor.u32_le()?;
        let mut span = || Ok(cursor.u64_le()?..=cursor.u64_le()?);
        let spans = [span()?, span()?, span()?, span()?];
        let pattern = block(cursor)?;
        let crc32 = (has_crc32 != 0).then_some(crc32);
        let flags = RegexFlags::of_name(ignores_case != 0);
        Ok(Some(Self { name, container, encrypted, crc32, flags, spans, pattern }))
    }

    /// Whether all holds but the name.
    fn holds(&self, stated: &Stated<'_>) -> bool {
        (self.container == ANY || is_kind(stated.container, self.container))
            && (self.encrypted == ANY || self.encrypted == u8::from(stated.encrypted))
            && self.crc32.is_none_or(|crc32| crc32 == stated.crc32)
            && self.spans.iter().zip(&stated.numbers).all(|(span, it)| span.contains(it))
    }

    fn is_named(&self, database: &Database, place: u32, name: &[u8]) -> Result<bool, Exhausted> {
        if self.pattern.is_empty() {
            return Ok(true);
        }
        let regex = database.member_regexes.get(place, self.pattern, self.flags);
        let mut steps = Steps::for_object(name.len());
        regex.map_or(Ok(false), |regex| {
            regex.find(name, 0, false, &mut steps).map(|found| found.is_some())
        })
    }
}

const ANY: u8 = u8::MAX;

/// Kinds of keys; those of numbers are their places in `numbers`.
const POSITION: u8 = 3;
const CRC32: u8 = 4;
const LETTERS: u8 = 5;
/// The key that every member has.
const EVERY: Key = (6, 0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::DatabaseBuilder;
    use crate::object::{Member, Object};
    use crate::signature::SourceFile;
    use bytes::Bytes;

    #[test]
    fn a_member_leads_to_few_of_many_signatures() {
        let line = |number: u32| match number % 3 {
            0 => {
                format!("N{number}:*:*:(?i)Invoice{:06}\\.(exe|scr)$:*:*:*:*:*:*\n", number * 7919)
            }
            1 => format!("N{number}:*:*:\\.exe$:*:{}:*:*:*:*\n", number + 1000),
            _ => format!("N{number}:CL_TYPE_ZIP:*:*:*:*:*:*:{:08x}:*\n", number * 7919),
        };
        let lines: String = (0..9_000).map(line).collect();
        let mut builder = DatabaseBuilder::new();
        let loaded = builder.load(&SourceFile::new("a.cdb", lines.as_bytes()));
        assert_eq!((loaded.added, loaded.rejected), (9_000, Vec::new()));
        let database = Database::from_bytes(Bytes::from(builder.build())).unwrap();
        let member = Member { size: Some(1001), ..Member::from("an/INVOICE023757.Scr") };
        let outer = Member::default();
        let container = Subject::new(Object::new(b"PK"), &outer, None);
        let subject =
            Subject::new(Object::new(b"").named(&*member.name), &member, Some(&container));
        let stated = Stated::of(&subject, &container);
        let places = stated.places(database.section(Section::MemberKeys));
        assert!((2..50).contains(&places.len()), "{} of 9000", places.len());
    }
}
