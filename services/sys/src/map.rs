//! Memory that several processes share: our own database, never an untrusted file.

use std::fs::File;
use std::io::{self, Write};

use memmap2::Mmap;

/// A file in memory, read-only.
#[derive(Debug)]
pub struct Mapping(Mmap);

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a whole file. It must be one that nobody cuts or changes in place: a database is installed
/// by renaming a new file over it.
///
/// # Errors
/// Those of mmap(2), and an empty file.
#[expect(unsafe_code, reason = "the contents of a map are only as constant as its file")]
pub fn map(file: &File) -> io::Result<Mapping> {
    if file.metadata()?.len() == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty"));
    }
    // SAFETY: only databases are mapped. They are ours, installed by rename(2) and never written
    // in place, or a memory file whose seals forbid any change.
    unsafe { Mmap::map(file) }.map(Mapping)
}

/// A file that exists in memory only and can be handed to other processes; nobody can change it.
///
/// # Errors
/// Those of memfd_create(2) and write(2).
#[cfg(target_os = "linux")]
pub fn memory_file(bytes: &[u8]) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("esets", flags)?);
    file.write_all(bytes)?;
    let seals = SealFlags::GROW | SealFlags::SHRINK | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    Ok(file)
}

/// A file without a name that can be handed to other processes.
///
/// # Errors
/// Those of the folder of temporary files.
#[cfg(not(target_os = "linux"))]
pub fn memory_file(bytes: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    Ok(file)
}
