//! Extended header records of pax(1): lines of `length key=value`, length included.

use super::sparse::MOST;

/// The records that change how a member is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Records<'a> {
    pub(super) size: Option<u64>,
    path: Option<&'a [u8]>,
    sparse_name: Option<&'a [u8]>,
    /// `GNU.sparse.major`; 1 puts the map of holes at the start of the body.
    sparse_major: Option<u64>,
    /// `GNU.sparse.realsize` or `GNU.sparse.size`.
    pub(super) real_size: Option<u64>,
    /// Offsets and sizes of what is not a hole (`GNU.sparse` 0.0 and 0.1), alternating.
    pub(super) map: Vec<u64>,
}

impl<'a> Records<'a> {
    /// Reads as many records as are well-formed.
    pub(super) fn parse(mut text: &'a [u8]) -> Self {
        let mut records = Self::default();
        while let Some((key, value, rest)) = record(text) {
            records.set(key, value);
            text = rest;
        }
        records
    }

    /// These records, and those of the whole archive where these say nothing.
    pub(super) fn over(self, global: &Self) -> Self {
        Self {
            size: self.size.or(global.size),
            path: self.path.or(global.path),
            sparse_name: self.sparse_name.or(global.sparse_name),
            ..self
        }
    }

    pub(super) fn name(&self) -> Option<&'a [u8]> {
        self.sparse_name.or(self.path)
    }

    /// Whether the map of holes is at the start of the body (`GNU.sparse` 1.0).
    pub(super) fn has_map_in_body(&self) -> bool {
        self.sparse_major == Some(1)
    }

    fn set(&mut self, key: &[u8], value: &'a [u8]) {
        match key {
            b"path" => self.path = Some(value),
            b"size" => self.size = decimal(value),
            b"GNU.sparse.name" => self.sparse_name = Some(value),
            b"GNU.sparse.major" => self.sparse_major = decimal(value),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real_size = decimal(value),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" if self.map.len() < MOST => {
                self.map.extend(decimal(value));
            }
            b"GNU.sparse.map" => {
                let numbers = value.split(|byte| *byte == b',');
                self.map = numbers.filter_map(decimal).take(MOST).collect();
            }
            _ => {}
        }
    }
}

/// The key and the value of the first record, and what is behind it.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = memchr::memchr(b' ', text.get(..text.len().min(24))?)?;
    let length = usize::try_from(decimal(text.get(..space)?)?).ok()?;
    let (record, rest) = text.split_at_checked(length)?;
    let line = record.get(space..)?.get(1..)?;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let equals = memchr::memchr(b'=', line)?;
    let (key, value) = line.split_at_checked(equals)?;
    Some((key, value.get(1..)?, rest))
}

pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
