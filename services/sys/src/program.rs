//! This program itself.

use std::io;
use std::path::PathBuf;

/// A path that starts this very program again, also after another was installed over it.
///
/// # Errors
/// Those of the system where there is no `/proc`.
pub fn own_program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        return Ok(running);
    }
    std::env::current_exe()
}

/// Writes where nothing is, so that a test sees what a crash comes to.
#[cfg(debug_assertions)]
#[expect(unsafe_code, reason = "safe code has no way to crash like unsafe code does")]
pub fn segfault() {
    // SAFETY: not sound, on purpose: the page at 1 is never mapped, so the process ends here.
    unsafe { std::ptr::without_provenance_mut::<u8>(1).write_volatile(0) }
}
