//! The import table, which the stub fills by itself.

use super::Original;
use crate::cursor::Cursor;

impl<'a> Original<'a> {
    /// Writes the import table as it was: libraries, then for each its functions.
    pub(super) fn bind(&mut self) -> Option<()> {
        let (directory, size) = self.directory(1)?;
        if directory == 0 || size <= 20 {
            return Some(());
        }
        let mut at = self.next_table()?;
        let names = self.next_table()?;
        let mut text = Text::new(names, self.lowest, self.text_of_libraries(at)?)?;
        let mut descriptor = self.place(directory)?;
        loop {
            let library = self.word(at)?;
            if library == 0 {
                return Some(());
            }
            let name = self.packed_text(library)?;
            let thunks = self.word(at.checked_add(4)?)?.checked_add(self.lowest)?;
            let name_at = match names {
                0 => self.place(self.word(descriptor.checked_add(12)?)?)?,
                _ => text.library(name.len())?,
            };
            self.put(name_at, &name)?;
            let rva = u32::try_from(name_at).ok()?.checked_add(self.lowest)?;
            self.put(descriptor.checked_add(12)?, &rva.to_le_bytes())?;
            self.put(descriptor.checked_add(16)?, &thunks.to_le_bytes())?;
            at = self.bind_functions(at.checked_add(8)?, thunks, names != 0, &mut text)?;
            descriptor = descriptor.checked_add(20)?;
        }
    }

    /// The functions of one library; where the next one begins.
    fn bind_functions(
        &mut self,
        mut at: usize,
        thunks: u32,
        is_moved: bool,
        text: &mut Text,
    ) -> Option<usize> {
        let width = if self.is_wide { 8 } else { 4 };
        let mut thunk = self.place(thunks)?;
        loop {
            let kind = *self.image.get(at)?;
            at = at.checked_add(1)?;
            let value = match kind {
                0 => {
                    self.put(thunk, [0; 8].get(..width)?)?;
                    return Some(at);
                }
                1 => {
                    let name = self.text(at)?;
                    at = at.checked_add(name.len())?;
                    let place = if is_moved {
                        text.function(name.len())?
                    } else {
                        self.place(self.word(thunk)?)?
                    };
                    self.put(place.checked_add(2)?, &name)?;
                    u64::try_from(place).ok()?.checked_add(self.lowest.into())?
                }
                0xff => {
                    let number = Cursor::at(&self.image, at as u64).ok()?.u16_le().ok()?;
                    at = at.checked_add(2)?;
                    let mark = if self.is_wide { 1_u64 << 63 } else { 1 << 31 };
                    mark | u64::from(number)
                }
                _ => {
                    let index = self.word(at)?;
                    at = at.checked_add(4)?;
                    self.packed_word(index)?.into()
                }
            };
            self.put(thunk, value.to_le_bytes().get(..width)?)?;
            thunk = thunk.checked_add(width)?;
        }
    }

    /// How long the names of all libraries are together.
    fn text_of_libraries(&self, mut at: usize) -> Option<usize> {
        let mut length = 0_usize;
        loop {
            let library = self.word(at)?;
            if library == 0 {
                return length.checked_next_multiple_of(2);
            }
            length = length.checked_add(self.packed_text(library)?.len())?;
            at = at.checked_add(8)?;
            loop {
                let kind = *self.image.get(at)?;
                at = at.checked_add(1)?;
                at = at.checked_add(match kind {
                    0 => break,
                    1 => self.text(at)?.len(),
                    0xff => 2,
                    _ => 4,
                })?;
            }
        }
    }

    /// The text at `at`, with its zero.
    fn text(&self, at: usize) -> Option<Vec<u8>> {
        terminated(self.image.get(at..)?)
    }

    /// A text in the import table of the packed file, with its zero.
    fn packed_text(&self, offset: u32) -> Option<Vec<u8>> {
        terminated(self.packed_imports(offset)?)
    }

    fn packed_word(&self, offset: u32) -> Option<u32> {
        Cursor::new(self.packed_imports(offset)?).u32_le().ok()
    }

    fn packed_imports(&self, offset: u32) -> Option<&'a [u8]> {
        let [_, imports, ..] = self.packed.image.as_ref()?.directories;
        let rva = u64::from(imports.rva).checked_add(offset.into())?;
        self.file.get(usize::try_from(self.packed.offset_of(rva)?).ok()?..)
    }
}

/// Where texts of the import table go: the names of libraries, then those of functions.
struct Text {
    libraries: usize,
    functions: usize,
}

impl Text {
    fn new(names: usize, lowest: u32, length: usize) -> Option<Self> {
        if names == 0 {
            return Some(Self { libraries: 0, functions: 0 });
        }
        let libraries = names.checked_sub(usize::try_from(lowest).ok()?)?;
        Some(Self { libraries, functions: libraries.checked_add(length)? })
    }

    fn library(&mut self, length: usize) -> Option<usize> {
        let at = self.libraries;
        self.libraries = at.checked_add(length)?;
        Some(at)
    }

    /// Room for a hint and a name, at an even place.
    fn function(&mut self, length: usize) -> Option<usize> {
        let at = self.functions;
        self.functions = at.checked_add(2)?.checked_add(length)?.checked_next_multiple_of(2)?;
        Some(at)
    }
}

/// The text at the start of `bytes`, with its zero.
fn terminated(bytes: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes.get(..LONGEST_NAME).unwrap_or(bytes);
    Some(bytes.get(..=memchr::memchr(0, bytes)?)?.to_vec())
}

/// The longest name of a library or function, in bytes.
const LONGEST_NAME: usize = 512;
