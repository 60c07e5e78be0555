//! The caller's part in a scan: a cancel button, an observer, passwords.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use esets_core::{Interrupt, Interruption, Observer, Record};

use crate::border::{Out, borrow, fence, free, slice};
use crate::record::esets_record;
use crate::result::{ESETS_ERROR_NULL, ESETS_OK, esets_result};

/// A cancel button that any number of scans obey.
pub struct esets_interrupt {
    raised: Arc<AtomicBool>,
}

/// What one caller brings to its scans.
pub struct esets_session {
    settings: RwLock<Settings>,
}

/// Watches a scan: is called once an object is done, in the thread that scans. The record is
/// valid during the call. Anything but 0 ends the scan.
pub type esets_observer =
    Option<unsafe extern "C" fn(user: *mut c_void, record: *const esets_record) -> c_int>;

/// What can be set on a session.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    raised: Option<Arc<AtomicBool>>,
    watcher: Watcher,
    pub(crate) passwords: Vec<Vec<u8>>,
}

/// The caller's function and what it wants to get back.
#[derive(Clone, Copy)]
struct Watcher {
    observer: esets_observer,
    user: *mut c_void,
}

impl Default for Watcher {
    fn default() -> Self {
        Self { observer: None, user: std::ptr::null_mut() }
    }
}

// SAFETY: the pointer is only handed back to the caller, who has promised that the observer can
// be called in whatever thread scans.
unsafe impl Send for Watcher {}
// SAFETY: as above; nothing here reads through the pointer.
unsafe impl Sync for Watcher {}

/// Clock and cancel button of one running scan.
pub(crate) struct Clock {
    raised: Option<Arc<AtomicBool>>,
    deadline: Option<Instant>,
    stopped: Cell<bool>,
}

impl Clock {
    pub(crate) fn start(settings: &Settings, time: Option<Duration>) -> Self {
        Self {
            raised: settings.raised.clone(),
            deadline: time.and_then(|time| Instant::now().checked_add(time)),
            stopped: Cell::new(false),
        }
    }
}

impl Interrupt for Clock {
    fn check(&self) -> Option<Interruption> {
        let is_raised = |raised: &Arc<AtomicBool>| raised.load(Ordering::Relaxed);
        if self.stopped.get() || self.raised.as_ref().is_some_and(is_raised) {
            return Some(Interruption::Cancelled);
        }
        self.deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| Interruption::Time)
    }
}

/// The caller's observer during one scan.
pub(crate) struct Watch<'c> {
    watcher: Watcher,
    clock: &'c Clock,
}

impl<'c> Watch<'c> {
    /// `None` if nobody watches.
    pub(crate) fn new(settings: &Settings, clock: &'c Clock) -> Option<Self> {
        settings.watcher.observer?;
        Some(Self { watcher: settings.watcher, clock })
    }
}

impl Observer for Watch<'_> {
    fn leave(&mut self, record: &Record) {
        let Some(observer) = self.watcher.observer else { return };
        let record = esets_record::new(record);
        // SAFETY: the caller has promised that the function can be called in the thread that
        // scans, and does not unwind; the record lives until it returns.
        if unsafe { observer(self.watcher.user, &raw const record) } != 0 {
            self.clock.stopped.set(true);
        }
    }
}

impl esets_session {
    pub(crate) fn settings(&self) -> Settings {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Makes a cancel button.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_interrupt_new(out: *mut *mut esets_interrupt) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        out.give(esets_interrupt { raised: Arc::default() });
        Ok(())
    })
}

/// Ends every scan that obeys the button, those that start later too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_interrupt_raise(interrupt: *const esets_interrupt) -> esets_result {
    // Nothing here can panic, and without the fence a signal handler may call it.
    // SAFETY: the caller promises a cancel button or NULL.
    let Some(interrupt) = (unsafe { interrupt.as_ref() }) else { return ESETS_ERROR_NULL };
    interrupt.raised.store(true, Ordering::Relaxed);
    ESETS_OK
}

/// Lets scans run again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_interrupt_clear(interrupt: *const esets_interrupt) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises a cancel button or NULL.
        unsafe { borrow(interrupt) }?.raised.store(false, Ordering::Relaxed);
        Ok(())
    })
}

/// Frees a cancel button; scans that obey it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_interrupt_free(interrupt: *mut esets_interrupt) {
    // SAFETY: the caller promises that it is NULL or a cancel button that is used no more.
    unsafe { free(interrupt) }
}

/// Makes a session that brings nothing yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_session_new(out: *mut *mut esets_session) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        out.give(esets_session { settings: RwLock::default() });
        Ok(())
    })
}

/// Lets the scans of this session obey a cancel button; NULL for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_session_set_interrupt(
    session: *mut esets_session,
    interrupt: *const esets_interrupt,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises a session or NULL.
        let session = unsafe { borrow(session) }?;
        // SAFETY: the caller promises a cancel button or NULL.
        let interrupt = unsafe { interrupt.as_ref() };
        let raised = interrupt.map(|interrupt| Arc::clone(&interrupt.raised));
        session.change(|settings| settings.raised = raised);
        Ok(())
    })
}

/// Lets a function watch the scans of this session; NULL for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_session_set_observer(
    session: *mut esets_session,
    observer: esets_observer,
    user: *mut c_void,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises a session or NULL.
        let session = unsafe { borrow(session) }?;
        session.change(|settings| settings.watcher = Watcher { observer, user });
        Ok(())
    })
}

/// Adds a password to try on encrypted members.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_session_add_password(
    session: *mut esets_session,
    bytes: *const c_void,
    size: usize,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises a session or NULL.
        let session = unsafe { borrow(session) }?;
        // SAFETY: the caller promises `size` bytes.
        let password = unsafe { slice(bytes.cast(), size) }?.to_vec();
        session.change(|settings| settings.passwords.push(password));
        Ok(())
    })
}

/// Frees a session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_session_free(session: *mut esets_session) {
    // SAFETY: the caller promises that it is NULL or a session that is used no more.
    unsafe { free(session) }
}
