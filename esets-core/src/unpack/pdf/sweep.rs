//! Finds the objects of a document by their marks: no table of contents is trusted.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memmem;

use super::lexer::{Lexer, Token, is_space};
use super::value::{Parsed, Value, parse};

/// Where an object lies.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: u32,
    pub(super) generation: u16,
    /// Behind the word `obj`.
    pub(super) start: usize,
    /// The data of its stream.
    pub(super) data: Option<Range<usize>>,
    pub(super) is_cut: bool,
}

/// What the marks in a document lead to.
#[derive(Default)]
pub(super) struct Sweep {
    pub(super) entries: Vec<Entry>,
    /// The values of `Encrypt` and the first `ID`, in every trailer.
    pub(super) locks: Vec<(Value, Vec<u8>)>,
    /// Whether there are more objects than are listed.
    pub(super) is_cut: bool,
}

impl Sweep {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut sweep = Self::default();
        let mut lengths: Option<Lengths> = None;
        // Objects may lie in strings of other objects, but then reading takes time.
        let mut allowance = bytes.len().saturating_mul(3);
        let mut end_of_streams = false;
        let mut at = 0;
        while let Some((number, generation, start)) = next_object(bytes, at) {
            if sweep.entries.len() == MAX_OBJECTS {
                sweep.is_cut = true;
                break;
            }
            let Parsed { value, data, end, is_cut } = parse(bytes, start);
            let spent = end.saturating_sub(start);
            at = if spent <= allowance { start } else { end };
            allowance = allowance.saturating_sub(spent);
            let data = data.map(|from| {
                let stated = match value.get("Length") {
                    Some(Value::Number(number)) => u64::try_from(*number).ok(),
                    Some(Value::Reference(number)) => {
                        let lengths = lengths.get_or_insert_with(|| Lengths::new(bytes));
                        lengths.0.get(number).copied()
                    }
                    _ => None,
                };
                let stated = stated.and_then(|stated| usize::try_from(stated).ok());
                let to = stream_end(bytes, from, stated, &mut end_of_streams);
                at = if to == bytes.len() { from } else { to };
                from..to
            });
            sweep.note_lock(&value);
            sweep.entries.push(Entry { number, generation, start, data, is_cut });
        }
        for (count, at) in memmem::find_iter(bytes, b"trailer").enumerate() {
            if count == MAX_TRAILERS {
                sweep.is_cut = true;
                break;
            }
            let near = at.saturating_add(MAX_TRAILER).min(bytes.len());
            let near = bytes.get(..near).unwrap_or(bytes);
            let Parsed { value, end, .. } = parse(near, at.saturating_add(7));
            sweep.is_cut |= end >= near.len() && near.len() < bytes.len();
            sweep.note_lock(&value);
        }
        sweep
    }

    /// Keeps what a trailer, or the stream that is one, says of encryption.
    fn note_lock(&mut self, value: &Value) {
        let Some(lock) = value.get("Encrypt") else { return };
        let id = value.get("ID").and_then(|id| id.elements().first()).and_then(Value::text);
        let lock = (lock.clone(), id.unwrap_or_default().to_vec());
        if self.locks.contains(&lock) {
            return;
        }
        if self.locks.len() < MAX_LOCKS {
            self.locks.push(lock);
        } else {
            self.is_cut = true;
        }
    }
}

/// The next `N G obj` from `at` on: both numbers, and what lies behind.
fn next_object(bytes: &[u8], at: usize) -> Option<(u32, u16, usize)> {
    let rest = bytes.get(at..)?;
    memmem::find_iter(rest, b"obj").find_map(|found| {
        let found = at.saturating_add(found);
        let (number, generation) = numbers(bytes.get(..found)?)?;
        Some((number, generation, found.saturating_add(3)))
    })
}

/// The two numbers at the end of `bytes`.
fn numbers(bytes: &[u8]) -> Option<(u32, u16)> {
    let (generation, bytes) = last_number(bytes)?;
    bytes.last().filter(|byte| is_space(**byte))?;
    let (number, _) = last_number(bytes)?;
    Some((u32::try_from(number).ok()?, u16::try_from(generation).unwrap_or(0)))
}

/// The number at the end, behind which white space may stand, and what lies before it.
fn last_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let near = bytes.get(bytes.len().saturating_sub(MAX_MARK)..)?;
    let spaces = near.iter().rev().take_while(|byte| is_space(**byte)).count();
    let bytes = bytes.get(..bytes.len().saturating_sub(spaces))?;
    let near = bytes.get(bytes.len().saturating_sub(MAX_DIGITS)..)?;
    let digits = near.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, digits) = bytes.split_at_checked(bytes.len().checked_sub(digits)?)?;
    let number = str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, before))
}

/// The numbers that objects of their own hold, as streams refer to them for their lengths.
struct Lengths(HashMap<u32, u64>);

impl Lengths {
    fn new(bytes: &[u8]) -> Self {
        let mut lengths = HashMap::new();
        for found in memmem::find_iter(bytes, b"obj") {
            let Some((number, _)) = bytes.get(..found).and_then(numbers) else { continue };
            let from = found.saturating_add(3);
            let near = bytes.get(from..from.saturating_add(MAX_MARK).min(bytes.len()));
            let mut lexer = Lexer::new(near.unwrap_or_default(), 0);
            let (Some(Token::Number(value)), Some(Token::Word(b"endobj"))) =
                (lexer.next(), lexer.next())
            else {
                continue;
            };
            if let Some(value) = u64::try_from(value).ok().filter(|_| lengths.len() < MAX_OBJECTS) {
                lengths.insert(number, value);
            }
        }
        Self(lengths)
    }
}

/// Where data end: where the length says so and the mark stands, else at the next mark.
fn stream_end(bytes: &[u8], from: usize, stated: Option<usize>, is_last: &mut bool) -> usize {
    if let Some(end) = stated.and_then(|stated| from.checked_add(stated))
        && let Some(behind) = bytes.get(end..)
    {
        let spaces = behind.iter().take(4).take_while(|byte| is_space(**byte)).count();
        if behind.get(spaces..).is_some_and(|behind| behind.starts_with(END)) {
            return end;
        }
    }
    let rest = bytes.get(from..).unwrap_or_default();
    let found = if *is_last { None } else { memmem::find(rest, END) };
    *is_last |= found.is_none();
    let Some(found) = found else { return bytes.len() };
    // The line break before the mark is not part of the data.
    let end = from.saturating_add(found);
    match rest.get(..found) {
        Some([.., b'\r', b'\n']) => end.saturating_sub(2),
        Some([.., b'\r' | b'\n']) => end.saturating_sub(1),
        _ => end,
    }
}

const END: &[u8] = b"endstream";
/// White space and digits that may stand around a mark.
const MAX_MARK: usize = 64;
const MAX_DIGITS: usize = 12;
/// More than scanning allows by far.
const MAX_OBJECTS: usize = 500_000;
const MAX_TRAILERS: usize = 1024;
const MAX_TRAILER: usize = 16 << 10;
const MAX_LOCKS: usize = 16;

/// Bytes that a sweep may take for an object of so many.
pub(super) fn memory(size: usize) -> u64 {
    // `0 0 obj` is the shortest object.
    let count = (size / 7).min(MAX_OBJECTS) as u64;
    count.saturating_mul((size_of::<Entry>() as u64).saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_with_wrong_lengths() {
        let bytes = b"1 0 obj<</Length 99>>stream\nabc\nendstream endobj 7 2\nobj 5 endobj\n\
            8 0 obj<</Length 7 0 R>>stream\nendstr\nendstream";
        let sweep = Sweep::new(bytes);
        let found: Vec<_> = sweep.entries.iter().map(|e| (e.number, e.generation)).collect();
        assert_eq!(found, [(1, 0), (7, 2), (8, 0)]);
        assert_eq!(&bytes[sweep.entries[0].data.clone().unwrap()], b"abc");
        assert_eq!(&bytes[sweep.entries[2].data.clone().unwrap()], b"endstr");
    }

    #[test]
    fn nested_marks_do_not_take_quadratic_time() {
        let bytes = b"1 0 obj ( ".repeat(100_000);
        assert!(!Sweep::new(&bytes).entries.is_empty());
    }
}
