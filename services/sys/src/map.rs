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
    use std::fs::{OpenOptions, remove_file};
    use std::os::unix::fs::OpenOptionsExt;
    use std::time::{SystemTime, UNIX_EPOCH};

    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let name = format!("esets-{}-{moment}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    remove_file(&path)?;
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_file_is_mapped_and_cannot_be_changed() {
        let mut file = memory_file(b"signatures").unwrap();
        assert_eq!(map(&file).unwrap().as_ref(), b"signatures");
        if cfg!(target_os = "linux") {
            assert!(file.write_all(b"more").is_err());
            assert!(file.set_len(0).is_err());
        }
    }

    #[test]
    fn an_empty_file_is_not_mapped() {
        assert!(map(&memory_file(b"").unwrap()).is_err());
    }
}
