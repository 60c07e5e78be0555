//! What systemd hands over: sd_listen_fds(3).

use std::os::fd::{FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, process};

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

static ASKED: AtomicBool = AtomicBool::new(false);
