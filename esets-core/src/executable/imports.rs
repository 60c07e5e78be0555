//! The import directory of a PE file and the import hash over it.

use md5::{Digest as _, Md5};

use super::{Executable, ExecutableKind, Import, ImportName, ordinals};
use crate::cursor::Cursor;

/// Every imported function, library by library.
pub(super) fn read(file: &[u8], executable: &Executable, rva: u32) -> Vec<Import> {
    let mut imports = Vec::new();
    if rva == 0 {
        return imports;
    }
    let Some(table) = executable.bytes_at(file, rva.into()) else { return imports };
    let mut cursor = Cursor::new(table);
    for _ in 0..MAX_LIBRARIES {
        let Some(descriptor) = Descriptor::read(&mut cursor) else { break };
        let Some(library) = text_at(file, executable, descriptor.name.into()) else { break };
        let thunks = if executable.bytes_at(file, descriptor.lookup.into()).is_some()
            && descriptor.lookup != 0
        {
            descriptor.lookup
        } else {
            descriptor.addresses
        };
        read_thunks(file, executable, thunks, library, &mut imports);
        if imports.len() >= Executable::MAX_IMPORTS {
            break;
        }
    }
    imports
}

/// An entry of the import directory table.
struct Descriptor {
    lookup: u32,
    name: u32,
    addresses: u32,
}

impl Descriptor {
    /// The next entry, `None` at the end of the table.
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let lookup = cursor.u32_le().ok()?;
        cursor.take(8).ok()?; // time stamp, forwarder chain
        let name = cursor.u32_le().ok()?;
        let addresses = cursor.u32_le().ok()?;
        (name != 0 && addresses != 0).then_some(Self { lookup, name, addresses })
    }
}

/// The functions of one library.
fn read_thunks(
    file: &[u8],
    executable: &Executable,
    rva: u32,
    library: &[u8],
    imports: &mut Vec<Import>,
) {
    let Some(table) = executable.bytes_at(file, rva.into()) else { return };
    let mut cursor = Cursor::new(table);
    while imports.len() < Executable::MAX_IMPORTS {
        let Some(function) = read_thunk(file, executable, &mut cursor) else { return };
        imports.push(Import { library: library.to_vec(), function });
    }
}

fn read_thunk(file: &[u8], executable: &Executable, thunks: &mut Cursor<'_>) -> Option<ImportName> {
    let (thunk, by_number) = if executable.kind == ExecutableKind::Pe32Plus {
        let thunk = thunks.u64_le().ok()?;
        (thunk, thunk >> 63 == 1)
    } else {
        let thunk = u64::from(thunks.u32_le().ok()?);
        (thunk, thunk >> 31 == 1)
    };
    if thunk == 0 {
        return None;
    }
    if by_number {
        return u16::try_from(thunk & 0xffff).ok().map(ImportName::Ordinal);
    }
    // Two bytes of hint stand before the name.
    let name = text_at(file, executable, thunk.checked_add(2)?)?;
    Some(ImportName::Name(name.to_vec()))
}

/// The text at `rva`, up to its zero.
fn text_at<'a>(file: &'a [u8], executable: &Executable, rva: u64) -> Option<&'a [u8]> {
    let bytes = executable.bytes_at(file, rva)?;
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    let length = memchr::memchr(0, bytes)?;
    bytes.get(..length).filter(|text| !text.is_empty())
}

/// MD5 over `library.function`, joined by commas, in lower case, the library without its
/// extension if that is `dll`, `ocx` or `sys`; numbers of well-known libraries become names.
///
/// With it comes the length of what is hashed, in bytes.
pub(super) fn hash(imports: &[Import]) -> Option<([u8; 16], u64)> {
    if imports.is_empty() {
        return None;
    }
    let mut text = Text { digest: Md5::new(), length: 0 };
    for (index, import) in imports.iter().enumerate() {
        if index > 0 {
            text.push(b",");
        }
        let library = import.library.to_ascii_lowercase();
        text.push(stem(&library));
        text.push(b".");
        match &import.function {
            ImportName::Name(name) => text.push(&name.to_ascii_lowercase()),
            ImportName::Ordinal(number) => match ordinals::name(&library, *number) {
                Some(name) => text.push(name.to_ascii_lowercase().as_bytes()),
                None => text.push(format!("ord{number}").as_bytes()),
            },
        }
    }
    Some((text.digest.finalize().into(), text.length))
}

/// A text that is hashed as it comes.
struct Text {
    digest: Md5,
    length: u64,
}

impl Text {
    fn push(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
    }
}

/// The library without an extension that all libraries have.
fn stem(library: &[u8]) -> &[u8] {
    let common = [&b".dll"[..], b".ocx", b".sys"];
    common.iter().find_map(|extension| library.strip_suffix(*extension)).unwrap_or(library)
}

/// The most libraries that are read.
const MAX_LIBRARIES: usize = 1024;
/// The longest name of a library or function, in bytes.
const MAX_NAME: usize = 512;
