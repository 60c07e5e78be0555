//! Offers what a document holds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Cursor, Read};

use bytes::Bytes;

use super::filter::{Chain, Filtered, apply};
use super::lock::Lock;
use super::predictor::Parameters;
use super::sweep::{Entry, Sweep};
use super::text::{Found, Strings};
use super::value::{Parsed, Value, memory, parse};
use crate::budget::Lease;
use crate::children::Children;
use crate::object::Member;
use crate::unpack::UnpackError;
use crate::verdict::{Limit, Reason};

/// A document, its objects listed.
pub(super) struct Document<'a> {
    bytes: &'a [u8],
    sweep: Sweep,
    /// The last object of each number.
    index: HashMap<u32, usize>,
    /// Small objects out of streams of objects.
    inner: HashMap<u32, Value>,
    /// What streams are called elsewhere, by number.
    names: HashMap<u32, Vec<u8>>,
    lock: Option<Lock>,
    /// Whether the document is encrypted and no password fits.
    is_locked: bool,
}

impl<'a> Document<'a> {
    pub(super) fn new(bytes: &'a [u8], sweep: Sweep) -> Self {
        let index = sweep.entries.iter().enumerate().map(|(at, entry)| (entry.number, at));
        Self {
            bytes,
            index: index.collect(),
            sweep,
            inner: HashMap::new(),
            names: HashMap::new(),
            lock: None,
            is_locked: false,
        }
    }

    /// Opens the document if it is encrypted: many are, under an empty password.
    pub(super) fn unlock(&mut self, children: &mut Children<'_>) {
        let known = children.passwords().take(MAX_PASSWORDS).map(<[u8]>::to_vec);
        let passwords: Vec<_> = [Vec::new()].into_iter().chain(known).collect();
        let mut tried = Vec::new();
        for (encrypt, id) in &self.sweep.locks {
            let encrypt = self.resolve(encrypt);
            if !tried.contains(&encrypt) && tried.len() < MAX_LOCKS {
                self.lock = Lock::open(&encrypt, id, &passwords);
                tried.push(encrypt);
            }
            if self.lock.is_some() {
                return;
            }
        }
        if !self.sweep.locks.is_empty() {
            self.is_locked = true;
            children.not_scanned(Reason::Encrypted);
        }
    }

    /// What a value is, or the object that it refers to as far as that is small.
    fn resolve<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        let Some(number) = value.reference() else { return Cow::Borrowed(value) };
        if let Some(entry) = self.index.get(&number).and_then(|at| self.sweep.entries.get(*at)) {
            let end = entry.start.saturating_add(SMALL).min(self.bytes.len());
            let near = self.bytes.get(..end).unwrap_or_default();
            let parsed = parse(near, entry.start);
            let is_cut = parsed.end >= end && end < self.bytes.len();
            return Cow::Owned(if is_cut { too_long() } else { parsed.value });
        }
        let inner = self.inner.get(&number).cloned();
        Cow::Owned(inner.unwrap_or(Value::Word(Vec::new())))
    }

    /// Offers what values say, and learns from them what streams are called.
    pub(super) fn offer_values(&mut self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        for at in 0..self.sweep.entries.len() {
            let Some(entry) = self.sweep.entries.get(at).cloned() else { break };
            if entry.is_cut {
                children.not_scanned(Reason::Limit(Limit::Memory));
            }
            let value = parse(self.bytes, entry.start).value;
            let Entry { number, generation, .. } = entry;
            if !self.is_locked {
                let lock = self.lock.as_ref();
                let found = Strings { number, generation, lock }.search(&value);
                self.offer_found(number, found, children)?;
            }
            if value.get("N").is_some() && value.get("First").is_some() {
                self.offer_inner(&entry, &value, children)?;
            }
        }
        if self.sweep.is_cut {
            children.not_scanned(Reason::Limit(Limit::Objects));
        }
        Ok(())
    }

    fn offer_found(
        &mut self,
        number: u32,
        found: Found,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        for script in found.scripts {
            let name = format!("javascript {number}");
            children.owned(name.as_str(), Bytes::from(script))?;
        }
        if !found.targets.is_empty() {
            let name = format!("targets {number}");
            children.owned(name.as_str(), Bytes::from(found.targets))?;
        }
        for (number, mut name) in found.names {
            // The end of a name says what a file is.
            name.drain(..name.len().saturating_sub(MAX_NAME));
            if self.names.len() < MAX_NAMES {
                self.names.insert(number, name);
            } else {
                children.not_scanned(Reason::Limit(Limit::Objects));
            }
        }
        Ok(())
    }

    /// Offers the objects in a stream of objects, and that as a whole.
    fn offer_inner(
        &mut self,
        entry: &Entry,
        dict: &Value,
        children: &mut Children<'_>,
    ) -> Result<(), UnpackError> {
        let Some((mut chain, _lease)) = self.decoded(entry, dict, children)? else {
            return Ok(());
        };
        let mut lease = children.lease(0)?;
        let room = children.unpackable().min(MAX_INNER);
        let (content, cut) = read(&mut chain, room, &mut lease);
        let content = Bytes::from(content);
        drop(chain);
        if let Some(reason) = cut {
            children.not_scanned(reason);
        }
        let name = format!("objects {}", entry.number);
        children.owned(name.as_str(), content.clone())?;
        let _values = children.lease(memory(content.len()))?;
        let number = |key: &str| dict.get(key).and_then(Value::number);
        let first = number("First").and_then(|first| usize::try_from(first).ok()).unwrap_or(0);
        let places = places(&content, first);
        if places.len() >= MAX_NAMES {
            children.not_scanned(Reason::Limit(Limit::Objects));
        }
        for (number, start, end) in places {
            let part = content.get(start..end).unwrap_or_default();
            let Parsed { value, .. } = parse(part, 0);
            let found = Strings { number, generation: 0, lock: None }.search(&value);
            self.offer_found(number, found, children)?;
            let value = if part.len() <= SMALL { value } else { too_long() };
            if self.inner.len() < MAX_NAMES {
                self.inner.insert(number, value);
            } else {
                children.not_scanned(Reason::Limit(Limit::Objects));
            }
        }
        Ok(())
    }

    /// Offers every stream.
    pub(super) fn offer_streams(&self, children: &mut Children<'_>) -> Result<(), UnpackError> {
        for entry in &self.sweep.entries {
            let Some(data) = entry.data.clone() else { continue };
            let dict = parse(self.bytes, entry.start).value;
            if dict.get("N").is_some() && dict.get("First").is_some() {
                continue;
            }
            let name = match self.names.get(&entry.number) {
                Some(name) => name.clone(),
                None => format!("stream {}", entry.number).into_bytes(),
            };
            let member = Member { packed_size: Some(data.len() as u64), ..Member::named(name) };
            if self.lock.is_none() && !self.is_locked && dict.get("Filter").is_none() {
                children.slice(member, self.bytes.get(data.clone()).unwrap_or_default())?;
            } else if let Some((mut chain, _lease)) = self.decoded(entry, &dict, children)? {
                children.stream(member, &mut chain)?;
            }
            if data.end == self.bytes.len() {
                children.not_scanned(Reason::Truncated);
            }
        }
        Ok(())
    }

    /// The data of a stream behind all its filters; `None` if they are locked.
    fn decoded(
        &self,
        entry: &Entry,
        dict: &Value,
        children: &mut Children<'_>,
    ) -> Result<Option<(Chain<'a>, Lease)>, UnpackError> {
        let data = entry.data.clone().and_then(|data| self.bytes.get(data)).unwrap_or_default();
        let filter = dict.get("Filter").map(|filter| self.resolve(filter));
        let filters = filter.as_deref().map(Value::elements).unwrap_or_default();
        let parameters = dict.get("DecodeParms").or_else(|| dict.get("DP"));
        let parameters = parameters.map(|parameters| self.resolve(parameters));
        let parameters = parameters.as_deref().map(Value::elements).unwrap_or_default();
        // A trailer that no viewer follows may say that the document is encrypted when it is not.
        if self.is_locked && !is_zlib(data) {
            return Ok(None);
        }
        let (start, lease) = self.deciphered(entry, dict, data, children)?;
        let mut chain = start;
        if filters.len() > MAX_FILTERS {
            children.not_scanned(Reason::Limit(Limit::Depth));
        }
        for (at, filter) in filters.iter().take(MAX_FILTERS).enumerate() {
            let filter = self.resolve(filter);
            let parameters = parameters.get(at).map(|parameters| self.resolve(parameters));
            let parameters = parameters.as_deref();
            if parameters == Some(&too_long()) {
                children.not_scanned(Reason::unsupported("parameters of a filter"));
            }
            let parameters =
                parameters.map(|value| Parameters::new(value, |part| self.resolve(part)));
            let parameters = parameters.unwrap_or_default();
            chain = match apply(filter.name().unwrap_or_default(), &parameters, chain) {
                Ok(Filtered::Decoded(chain)) => chain,
                Ok(Filtered::Media(chain)) => return Ok(Some((chain, lease))),
                Ok(Filtered::Unknown(chain)) => {
                    children.not_scanned(Reason::unsupported("filter"));
                    return Ok(Some((chain, lease)));
                }
                Err(error) => Box::new(Failed(Some(error))),
            };
        }
        Ok(Some((chain, lease)))
    }

    /// The data of a stream in the clear, before any filter.
    fn deciphered(
        &self,
        entry: &Entry,
        dict: &Value,
        data: &'a [u8],
        children: &mut Children<'_>,
    ) -> Result<(Chain<'a>, Lease), Reason> {
        let Some(lock) = &self.lock else { return Ok((Box::new(data), children.lease(0)?)) };
        let lease = children.lease(data.len() as u64)?;
        let clear = lock.stream(entry.number, entry.generation, dict, data);
        Ok(match clear {
            Some(clear) => (Box::new(Cursor::new(clear)), lease),
            None => (Box::new(data), lease),
        })
    }
}

/// A stream of which nothing can be read.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Reads up to `room` bytes, as many as there is memory for, and says why it is not all.
fn read(chain: &mut dyn Read, room: u64, lease: &mut Lease) -> (Vec<u8>, Option<Reason>) {
    let mut content = Vec::new();
    let mut chunk = vec![0; 16 << 10];
    while (content.len() as u64) < room {
        let count = match chain.read(&mut chunk) {
            Ok(0) => return (content, None),
            Ok(count) => count,
            Err(error) => return (content, Some(Reason::from_io(&error))),
        };
        // Twice, because a vector that grows is moved.
        if !lease.grow((count as u64).saturating_mul(2)) {
            return (content, Some(Reason::Limit(Limit::Memory)));
        }
        content.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
    (content, Some(Reason::Limit(Limit::ObjectSize)))
}

/// The number of each object in a stream of objects, and where it begins and ends.
fn places(content: &[u8], first: usize) -> Vec<(u32, usize, usize)> {
    let header = content.get(..first).unwrap_or(content);
    let numbers = header.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let numbers = numbers.map_while(|word| str::from_utf8(word).ok()?.parse::<u32>().ok());
    let numbers: Vec<_> = numbers.take(MAX_NAMES * 2).collect();
    let (pairs, _) = numbers.as_chunks::<2>();
    let start = |offset: u32| first.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
    let mut places: Vec<_> =
        pairs.iter().map(|[number, offset]| (start(*offset), *number)).collect();
    places.sort_unstable();
    places.dedup_by_key(|(start, _)| *start);
    let ends = places.iter().skip(1).map(|(start, _)| *start).chain([content.len()]);
    let ends: Vec<_> = ends.map(|end| end.min(content.len())).collect();
    places.into_iter().zip(ends).map(|((start, number), end)| (number, start, end)).collect()
}

/// Stands for an object that is referred to and too long to be read for that; no filter has such
/// a name.
fn too_long() -> Value {
    Value::Word(b"too long".to_vec())
}

/// Whether data begin as zlib data do.
fn is_zlib(data: &[u8]) -> bool {
    matches!(data, [0x78, flags, ..] if (0x7800 | u16::from(*flags)).is_multiple_of(31))
}

/// Passwords cost time.
const MAX_PASSWORDS: usize = 64;
const MAX_LOCKS: usize = 3;
/// How much of an object that is referred to is read.
const SMALL: usize = 4096;
const MAX_NAMES: usize = 50_000;
const MAX_NAME: usize = 1024;
const MAX_FILTERS: usize = 16;
/// Bytes of one stream of objects.
const MAX_INNER: u64 = 64 << 20;
