//! Formats inside other data, found by their magic: a picture with an archive behind it.

use aho_corasick::AhoCorasick;

use crate::unpack::{Magic, Unpacker};

/// Finds where formats may begin inside an object that no format recognises.
#[derive(Debug)]
pub(crate) struct Carver {
    search: Option<AhoCorasick>,
    magics: Vec<&'static Magic>,
}

impl Carver {
    /// Looks for what `unpackers` want to be found by.
    pub(crate) fn new(unpackers: &[&'static dyn Unpacker]) -> Self {
        let magics: Vec<_> = unpackers.iter().flat_map(|unpacker| unpacker.carved_by()).collect();
        let search = AhoCorasick::new(magics.iter().map(|magic| magic.bytes)).ok();
        Self { search: search.filter(|_| !magics.is_empty()), magics }
    }

    /// Offsets behind the first byte at which a format may begin, in order.
    pub(crate) fn offsets(&self, bytes: &[u8]) -> impl Iterator<Item = usize> {
        let found = self.search.iter().flat_map(move |search| search.find_iter(bytes));
        let starts = found.filter_map(|found| {
            let magic = self.magics.get(found.pattern().as_usize())?;
            found.start().checked_sub(magic.offset)
        });
        let mut last = 0;
        starts.filter(move |start| std::mem::replace(&mut last, *start) != *start && *start > 0)
    }
}
