//! Whether what was unpacked is what the headers promise.

use std::io::{self, Read};

use flate2::Crc;

use super::record::Fields;
use crate::verdict::Reason;

/// The CRCs that the headers of a member state; none if they are not known.
pub(super) struct Sums(Vec<u32>);

impl Sums {
    /// A CRC of zero stands for one that is behind the data, or is not given (AE-2).
    pub(super) fn of(says: &[&Fields<'_>]) -> Self {
        Self(says.iter().map(|fields| fields.crc).filter(|crc| *crc != 0).collect())
    }

    pub(super) fn are_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether content with the sum `crc` is promised, or may be.
    pub(super) fn fit(&self, crc: u32) -> bool {
        self.0.is_empty() || self.0.contains(&crc)
    }

    pub(super) fn fit_bytes(&self, bytes: &[u8]) -> bool {
        let mut crc = Crc::new();
        crc.update(bytes);
        self.fit(crc.sum())
    }
}

/// Reads on, and fails at the end if the content is not what is promised.
pub(super) struct Checked<'r> {
    reader: &'r mut dyn Read,
    sums: &'r Sums,
    is_cut: bool,
    crc: Crc,
    failure: Option<Reason>,
}

impl<'r> Checked<'r> {
    /// Of what `is_cut` no sum can be right.
    pub(super) fn new(reader: &'r mut dyn Read, sums: &'r Sums, is_cut: bool) -> Self {
        Self { reader, sums, is_cut, crc: Crc::new(), failure: None }
    }

    /// Why the content is not what is promised.
    pub(super) fn failure(self) -> Option<Reason> {
        self.failure
    }

    fn end(&self) -> Option<Reason> {
        if self.is_cut {
            return Some(Reason::Truncated);
        }
        (!self.sums.fit(self.crc.sum())).then_some(Reason::corrupt("checksum"))
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let failure = match self.reader.read(output) {
            Ok(count) => {
                self.crc.update(output.get(..count).unwrap_or_default());
                if count > 0 || output.is_empty() {
                    return Ok(count);
                }
                self.end()
            }
            Err(error) => Some(Reason::from_io(&error)),
        };
        match failure {
            None => Ok(0),
            Some(reason) => {
                self.failure = Some(reason.clone());
                Err(io::Error::other(reason))
            }
        }
    }
}

/// Reads a beginning and says whether it may be what is promised.
pub(super) fn may_be(reader: &mut dyn Read, sums: &Sums, size: Option<u64>) -> bool {
    let mut crc = Crc::new();
    let mut chunk = [0; 4096];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) if sums.are_known() => return sums.fit(crc.sum()),
            Ok(0) => return crc.amount() > 0 && size == Some(crc.amount().into()),
            Ok(_) if crc.amount() > ENOUGH => return true,
            Ok(count) => crc.update(chunk.get(..count).unwrap_or_default()),
            Err(_) => return false,
        }
    }
}

/// What is decoded without an error up to here is no chance, in bytes.
const ENOUGH: u32 = 1 << 20;
