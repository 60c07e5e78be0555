//! How a worker misbehaves when a test wants it to: debug builds only.

use std::env;

/// Does what the extension of the name says, if the environment allows it.
pub(super) fn happen(name: &[u8]) {
    if env::var_os(super::FAULTS).is_none() {
        return;
    }
    match name.rsplit(|byte| *byte == b'.').next() {
        Some(b"segfault") => esets_sys::segfault(),
        Some(b"abort") => std::process::abort(),
        Some(b"overflow") => drop(overflow(1)),
        Some(b"hang") => loop {
            std::hint::spin_loop();
        },
        Some(b"allocate") => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(Vec::with_capacity(1 << 20));
            }
        }
        Some(b"escape") if can_escape() => std::process::abort(),
        _ => {}
    }
}

/// Whether the worker reaches anything but what it was given.
fn can_escape() -> bool {
    let reads = std::fs::read("/proc/self/status").is_ok();
    let writes = std::fs::write("/tmp/esets-escape", b"").is_ok();
    let talks = std::net::UdpSocket::bind("127.0.0.1:0").is_ok();
    let starts = std::process::Command::new("/bin/true").spawn().is_ok();
    reads || writes || talks || starts
}

#[expect(unconditional_recursion, reason = "that is the fault")]
fn overflow(depth: u64) -> u64 {
    overflow(depth.wrapping_add(1)).wrapping_add(std::hint::black_box(1))
}
