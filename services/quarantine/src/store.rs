//! The folder: put, list, show, release, delete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use crate::entry::{Entry, Id, Note};
use crate::error::{Cause, QuarantineError};
use crate::file;

/// A folder of entries. Any number of processes may use it at a time.
#[derive(Clone, Debug)]
pub struct Quarantine {
    folder: PathBuf,
}

impl Quarantine {
    /// Opens the folder and makes it if it is not there, readable by its owner only.
    ///
    /// # Errors
    /// The folder cannot be made, or is none.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, QuarantineError> {
        let folder = folder.into();
        make_private(&folder).map_err(|error| QuarantineError::new(&folder, error))?;
        Ok(Self { folder })
    }

    /// Stores an object. When this returns, the entry survives a power failure.
    ///
    /// # Errors
    /// The system refused; nothing is left behind then.
    pub fn put(&self, content: &[u8], note: Note, now: SystemTime) -> Result<Id, QuarantineError> {
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let digest = file::hexadecimal(&Sha256::digest(content));
        let entry = Entry { digest, note, seconds, size: content.len() as u64 };
        let (id, path, draft) = self.reserve(&entry)?;
        let written = write(&draft, &entry, content).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written.and_then(|()| sync(&self.folder)) {
            let _ = fs::remove_file(&draft);
            return Err(QuarantineError::new(&path, error));
        }
        Ok(id)
    }

    /// The ids of all entries, the oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn ids(&self) -> Result<Vec<Id>, QuarantineError> {
        let wrap = |error: io::Error| QuarantineError::new(&self.folder, error);
        let mut ids = Vec::new();
        for item in fs::read_dir(&self.folder).map_err(wrap)? {
            let name = item.map_err(wrap)?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(END));
            ids.extend(stem.and_then(|stem| stem.parse::<Id>().ok()));
        }
        ids.sort();
        Ok(ids)
    }

    /// What is known of an entry, without its content.
    ///
    /// # Errors
    /// There is no such entry, or it is damaged.
    pub fn show(&self, id: &Id) -> Result<Entry, QuarantineError> {
        self.read(id, |mut reader| file::read_head(&mut reader))
    }

    /// The content of an entry, checked against its digest. The entry stays.
    ///
    /// # Errors
    /// There is no such entry, or it is damaged.
    pub fn release(&self, id: &Id) -> Result<Vec<u8>, QuarantineError> {
        self.read(id, |mut reader| file::read(&mut reader)).map(|(_, content)| content)
    }

    /// Removes an entry, damaged or not.
    ///
    /// # Errors
    /// There is no such entry, or the system refused.
    pub fn delete(&self, id: &Id) -> Result<(), QuarantineError> {
        let path = self.path(id);
        fs::remove_file(&path).map_err(|error| QuarantineError::new(&path, error))
    }

    /// The file of an entry.
    pub(crate) fn path(&self, id: &Id) -> PathBuf {
        self.folder.join(format!("{id}{END}"))
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn read<T>(
        &self,
        id: &Id,
        read: impl FnOnce(BufReader<File>) -> Result<T, Cause>,
    ) -> Result<T, QuarantineError> {
        let path = self.path(id);
        let opened = File::open(&path).map_err(Cause::Io);
        opened
            .and_then(|file| read(BufReader::new(file)))
            .map_err(|cause| QuarantineError::new(&path, cause))
    }

    /// A free id, its path, and an empty draft beside it that keeps the id from others.
    fn reserve(&self, entry: &Entry) -> Result<(Id, PathBuf, PathBuf), QuarantineError> {
        for number in 0..=u32::MAX {
            let id = Id::new(entry.seconds, &entry.digest, number);
            let path = self.path(&id);
            let draft = self.folder.join(format!("{id}{DRAFT}"));
            match OpenOptions::new().write(true).create_new(true).open(&draft) {
                Ok(_) if path.exists() => drop(fs::remove_file(&draft)),
                Ok(_) => return Ok((id, path, draft)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(QuarantineError::new(&draft, error)),
            }
        }
        Err(QuarantineError::new(&self.folder, io::Error::other("no id is free")))
    }
}

/// Writes the whole file and waits until the disk has it.
fn write(path: &Path, entry: &Entry, content: &[u8]) -> io::Result<()> {
    let mut writer = BufWriter::new(File::create(path)?);
    file::write(&mut writer, entry, content)?;
    writer.flush()?;
    writer.get_ref().sync_all()
}

/// Waits until the disk knows the names in a folder.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn make_private(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// How the name of a finished entry ends.
const END: &str = ".quarantine";
/// How the name of one ends that is being written.
pub(crate) const DRAFT: &str = ".draft";
