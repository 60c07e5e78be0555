//! The scans: one object in, one verdict out.

use std::ffi::{c_char, c_int, c_void};

use esets_core::{Object, Observer, Session, Verdict};

use crate::border::{Out, borrow, fence, slice, text, text_or_none};
use crate::input::{self, Input};
use crate::result::{ESETS_ERROR_NULL, Failure, esets_result};
use crate::scanner::{Ready, esets_scanner};
use crate::session::{Clock, Settings, Watch, esets_session};
use crate::verdict::esets_verdict;

pub use crate::input::esets_reader;

/// One call from C, its pointers checked.
struct Call {
    ready: Ready,
    settings: Settings,
    clock: Clock,
}

impl Call {
    /// # Safety
    /// Both are NULL or what their types say.
    unsafe fn new(
        scanner: *const esets_scanner,
        session: *const esets_session,
    ) -> Result<Self, Failure> {
        // SAFETY: as this function's own.
        let ready = unsafe { borrow(scanner) }?.ready();
        // SAFETY: as this function's own.
        let session = unsafe { session.as_ref() };
        let settings = session.map(esets_session::settings).unwrap_or_default();
        let clock = Clock::start(&settings, ready.time);
        Ok(Self { ready, settings, clock })
    }

    fn scan(&self, name: &[u8], bytes: &[u8]) -> esets_verdict {
        let object = Object::new(bytes).named(name);
        let scan = |session: &mut Session<'_>| self.ready.scanner.scan_with(&object, session);
        esets_verdict::new(with_session(&self.settings, &self.clock, scan))
    }

    fn scan_input(&self, name: &[u8], input: Input) -> esets_verdict {
        match input {
            Input::Bytes(bytes) => self.scan(name, &bytes),
            Input::Refused(reason) => esets_verdict::new(Verdict::not_scanned(name, reason)),
        }
    }
}

/// Runs `body` with what the caller brings to a scan.
pub(crate) fn with_session<T>(
    settings: &Settings,
    clock: &Clock,
    body: impl FnOnce(&mut Session<'_>) -> T,
) -> T {
    let mut watch = Watch::new(settings, clock);
    let passwords: Vec<&[u8]> = settings.passwords.iter().map(Vec::as_slice).collect();
    let observer = watch.as_mut().map(|watch| watch as &mut dyn Observer);
    body(&mut Session { interrupt: clock, observer, passwords: &passwords })
}

/// Scans bytes in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scan_memory(
    scanner: *const esets_scanner,
    session: *const esets_session,
    bytes: *const c_void,
    size: usize,
    name: *const c_char,
    out: *mut *mut esets_verdict,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises that both are NULL or what their types say.
        let call = unsafe { Call::new(scanner, session) }?;
        // SAFETY: the caller promises `size` bytes that nobody changes during the call.
        let bytes = unsafe { slice(bytes.cast(), size) }?;
        // SAFETY: the caller promises a string or NULL.
        let name = unsafe { text_or_none(name) }.unwrap_or_default();
        out.give(call.scan(name, bytes));
        Ok(())
    })
}

/// Scans a regular file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scan_path(
    scanner: *const esets_scanner,
    session: *const esets_session,
    path: *const c_char,
    out: *mut *mut esets_verdict,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises that both are NULL or what their types say.
        let call = unsafe { Call::new(scanner, session) }?;
        // SAFETY: the caller promises a string or NULL.
        let path = unsafe { text(path) }?;
        let input = input::path(path, call.ready.scan_size, &call.clock)?;
        out.give(call.scan_input(path, input));
        Ok(())
    })
}

/// Scans all of a regular file, or what a pipe or socket still holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scan_descriptor(
    scanner: *const esets_scanner,
    session: *const esets_session,
    fd: c_int,
    name: *const c_char,
    out: *mut *mut esets_verdict,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises that both are NULL or what their types say.
        let call = unsafe { Call::new(scanner, session) }?;
        // SAFETY: the caller promises a string or NULL.
        let name = unsafe { text_or_none(name) }.unwrap_or_default();
        // SAFETY: the caller promises to keep the descriptor open during the call.
        let input = unsafe { input::descriptor(fd, call.ready.scan_size, &call.clock) }?;
        out.give(call.scan_input(name, input));
        Ok(())
    })
}

/// Scans what a function of the caller offers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_scan_reader(
    scanner: *const esets_scanner,
    session: *const esets_session,
    reader: esets_reader,
    user: *mut c_void,
    name: *const c_char,
    out: *mut *mut esets_verdict,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises that both are NULL or what their types say.
        let call = unsafe { Call::new(scanner, session) }?;
        let reader = reader.ok_or(Failure::new(ESETS_ERROR_NULL))?;
        // SAFETY: the caller promises a string or NULL.
        let name = unsafe { text_or_none(name) }.unwrap_or_default();
        // SAFETY: the caller promises that the function keeps to its buffer and does not unwind.
        let input = unsafe { input::callback(reader, user, call.ready.scan_size, &call.clock) }?;
        out.give(call.scan_input(name, input));
        Ok(())
    })
}
