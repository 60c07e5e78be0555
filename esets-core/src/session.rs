//! The caller's part in one scan: its log, its clock and cancel button, its passwords.

use std::fmt;

use crate::subject::Subject;
use crate::verdict::Record;

/// Watches a scan: the libraries' log and the source of every progress bar.
pub trait Observer {
    /// An object is about to be matched and unpacked.
    fn enter(&mut self, subject: &Subject<'_>) {
        let _ = subject;
    }

    /// An object is done; clean ones are shown here even if the verdict will not keep them.
    fn leave(&mut self, record: &Record) {
        let _ = record;
    }
}

/// Ends a scan from outside. It is asked at every object and every 64 KiB read or matched.
pub trait Interrupt {
    /// Why the scan must end now, if it must.
    fn check(&self) -> Option<Interruption>;
}

/// Why a caller ended a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interruption {
    /// Nobody waits for the answer any more.
    Cancelled,
    /// The time that the caller allows is used up.
    Time,
}

/// The caller's part in one scan; every field has a default.
pub struct Session<'s> {
    /// The caller's clock and cancel button; by default a scan is never interrupted.
    pub interrupt: &'s dyn Interrupt,
    /// Who watches, if anyone.
    pub observer: Option<&'s mut dyn Observer>,
    /// Passwords to try on encrypted members, before those found in the mail around them.
    pub passwords: &'s [&'s [u8]],
}

impl Default for Session<'_> {
    fn default() -> Self {
        Self { interrupt: &Never, observer: None, passwords: &[] }
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("passwords", &self.passwords.len()).finish_non_exhaustive()
    }
}

/// An interrupt that never comes.
struct Never;

impl Interrupt for Never {
    fn check(&self) -> Option<Interruption> {
        None
    }
}

/// An observer that looks away.
pub(crate) struct Blind;

impl Observer for Blind {}
