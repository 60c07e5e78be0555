//! What systemd wants to be told: sd_notify(3).

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::{env, io};

/// Tells systemd how this program is: `READY=1`, `STOPPING=1`. Without systemd it tells nobody.
pub(crate) fn notify(state: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_arrives() {
        let folder = env::temp_dir().join(format!("esets-sys-notify-{}", std::process::id()));
        let listener = UnixDatagram::bind(&folder).unwrap();
        tell(&folder, "READY=1").unwrap();
        let mut buffer = [0; 16];
        let count = listener.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"READY=1");
        std::fs::remove_file(&folder).unwrap();
    }
}
