//! What systemd hands over and wants to be told: sd_listen_fds(3), sd_notify(3).

use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, io, process};

/// The first socket that systemd opened for this program; to be asked for before anything else is
/// opened, and answered once.
#[must_use]
#[expect(unsafe_code, reason = "a number from the environment becomes a descriptor")]
pub fn inherited_socket() -> Option<OwnedFd> {
    let number = |name| env::var(name).ok()?.parse::<u32>().ok();
    let is_ours = number("LISTEN_PID")? == process::id() && number("LISTEN_FDS")? > 0;
    let is_first = !ASKED.swap(true, Ordering::Relaxed);
    // SAFETY: by the protocol the starter opened 3 for this very process, and because this
    // function answers once, nothing else owns it.
    (is_ours && is_first).then(|| unsafe { OwnedFd::from_raw_fd(3) })
}

/// Tells systemd how this program is: `READY=1`, `STOPPING=1`. Without systemd it tells nobody.
pub fn notify(state: &str) {
    let path = env::var_os("NOTIFY_SOCKET");
    // Who does not listen need not be told.
    let _ = path.map(|path| tell(Path::new(&path), state));
}

fn tell(path: &Path, state: &str) -> io::Result<usize> {
    let socket = UnixDatagram::unbound()?;
    match path.as_os_str().as_encoded_bytes().strip_prefix(b"@") {
        Some(name) => tell_abstract(&socket, name, state),
        None => socket.send_to(state.as_bytes(), path),
    }
}

#[cfg(target_os = "linux")]
fn tell_abstract(socket: &UnixDatagram, name: &[u8], state: &str) -> io::Result<usize> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::SocketAddr;

    socket.send_to_addr(state.as_bytes(), &SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(target_os = "linux"))]
fn tell_abstract(_socket: &UnixDatagram, _name: &[u8], _state: &str) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

static ASKED: AtomicBool = AtomicBool::new(false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_arrives() {
        let folder = env::temp_dir().join(format!("esets-sys-notify-{}", process::id()));
        let listener = UnixDatagram::bind(&folder).unwrap();
        tell(&folder, "READY=1").unwrap();
        let mut buffer = [0; 16];
        let count = listener.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"READY=1");
        std::fs::remove_file(&folder).unwrap();
    }
}
