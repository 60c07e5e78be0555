//! The socket that clients reach the daemon on.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A socket in the file system, which every user can reach.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    /// The file, if it is ours to remove, and what tells it apart from a later one.
    file: Option<(PathBuf, u64)>,
}

impl Socket {
    /// Makes the socket; one that a dead daemon left behind is replaced.
    ///
    /// # Errors
    /// A daemon answers there, or there is something else in its place.
    pub(crate) fn bind(path: &Path) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
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
        Ok(Self { listener, file: Some((path.to_path_buf(), inode)) })
    }

    /// The socket that systemd opened and will keep, if it did.
    pub(crate) fn inherited() -> Option<Self> {
        let listener = UnixListener::from(esets_sys::inherited_socket()?);
        Some(Self { listener, file: None })
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
