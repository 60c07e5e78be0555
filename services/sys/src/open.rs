//! Files of other people: opened without waiting, without side effects, and only if regular.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, unlinkat};

/// Opens a regular file to read it. What is not one is refused before it is opened, because
/// opening a pipe waits and opening a device may do something; and it is looked at again once
/// open, because names are other people's.
///
/// # Errors
/// Those of stat(2) and open(2), and `InvalidInput` that says what it is instead of a file.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    open(path, &fs::metadata(path)?, OFlags::empty())
}

/// The same for a name that was found in a folder where links are not followed.
///
/// # Errors
/// Those of [`open_regular`], and for a symbolic link.
pub fn open_found(path: &Path) -> io::Result<(File, Metadata)> {
    open(path, &fs::symlink_metadata(path)?, OFlags::NOFOLLOW)
}

fn open(path: &Path, before: &Metadata, flags: OFlags) -> io::Result<(File, Metadata)> {
    must_be_regular(before)?;
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(openat(CWD, path, flags, Mode::empty())?);
    let about = file.metadata()?;
    must_be_regular(&about)?;
    Ok((file, about))
}

/// Removes the name of a file, if it still is the file that `about` describes and no symbolic
/// link.
///
/// # Errors
/// Those of unlink(2), and `InvalidInput` if the name stands for something else by now.
pub fn remove_same(path: &Path, about: &Metadata) -> io::Result<()> {
    let (folder, name) = split(path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, &folder, flags, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let now = File::from(openat(&folder, name, flags, Mode::empty())?).metadata()?;
    if (now.dev(), now.ino()) != (about.dev(), about.ino()) {
        return Err(invalid("the name stands for another file by now"));
    }
    unlinkat(&folder, name, AtFlags::empty())?;
    Ok(())
}

fn split(path: &Path) -> io::Result<(PathBuf, &OsStr)> {
    let name = path.file_name().ok_or_else(|| invalid("the path has no file name"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")).to_path_buf(), name))
}

fn must_be_regular(about: &Metadata) -> io::Result<()> {
    let kind = about.file_type();
    let instead = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "is a directory"
    } else if kind.is_symlink() {
        "is a symbolic link"
    } else if kind.is_fifo() {
        "is a named pipe, not a file"
    } else if kind.is_socket() {
        "is a socket, not a file"
    } else if kind.is_char_device() || kind.is_block_device() {
        "is a device, not a file"
    } else {
        "is not a file"
    };
    Err(invalid(instead))
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
