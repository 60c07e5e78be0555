//! The socket that clients reach the daemon on.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A socket in the file system, which every user can reach.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    /// The file, if it is ours to remove, and what tells it apart from a later one.
    file: Option<(PathBuf, u64)>,
    /// Held as long as the socket is ours: of two daemons that find a socket that a dead one left
    /// behind, one would otherwise remove what the other just made.
    _lock: Option<File>,
}

impl Socket {
    /// Makes the socket; one that a dead daemon left behind is replaced.
    ///
    /// # Errors
    /// A daemon answers there, or there is something else in its place.
    pub(crate) fn bind(path: &Path) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let lock = lock(path)?;
        match fs::symlink_metadata(path) {
            Ok(about) if !about.file_type().is_socket() => {
                return Err(format!("{}: there is something that is no socket", path.display()));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(format!("{}: another daemon answers there", path.display()));
            }
            Ok(_) => fs::remove_file(path).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).map_err(failed)?;
        let inode = fs::symlink_metadata(path).map_err(failed)?.ino();
        Ok(Self { listener, file: Some((path.to_path_buf(), inode)), _lock: Some(lock) })
    }

    /// The socket that systemd opened and will keep, if it did.
    pub(crate) fn inherited() -> Option<Self> {
        let listener = UnixListener::from(esets_sys::inherited_socket()?);
        Some(Self { listener, file: None, _lock: None })
    }
}

/// The lock of a socket: a file beside it that stays, because removing it would be a race too.
fn lock(socket: &Path) -> Result<File, String> {
    let mut path = socket.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let file = options.custom_flags(nix::libc::O_NOFOLLOW).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(format!("{}: another daemon answers there", socket.display()))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let Some((path, inode)) = &self.file else { return };
        if fs::symlink_metadata(path).is_ok_and(|about| about.ino() == *inode) {
            // At the end of the program there is nobody left to tell.
            let _ = fs::remove_file(path);
        }
    }
}
