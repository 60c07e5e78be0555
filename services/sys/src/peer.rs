//! Who is at the other end of a socket.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The user who listens at the other end of a connection that was made to `path`.
///
/// # Errors
/// The system does not say.
#[cfg(target_os = "linux")]
pub fn peer_user(socket: &UnixStream, _path: &Path) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(socket)?.uid.as_raw())
}

/// The same by the owner of the socket's name, which only that user and root can make.
///
/// # Errors
/// Those of stat(2).
#[cfg(not(target_os = "linux"))]
pub fn peer_user(_socket: &UnixStream, path: &Path) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt as _;

    Ok(path.metadata()?.uid())
}

/// The user under whose rights this process works.
#[must_use]
pub fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}
