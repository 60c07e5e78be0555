//! Confines this process to what a scan needs: memory, time, and the descriptors it holds.

use std::fmt;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a confined process may use.
#[derive(Clone, Copy, Debug)]
pub struct Confinement {
    /// Bytes of address space.
    pub memory: u64,
    /// Seconds of processor time; `None` for no limit.
    pub seconds: Option<u64>,
    /// What it does.
    pub duty: Duty,
}

/// What a confined process does, which decides about the system calls that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It scans: reads and answers over open descriptors, with the threads that it has.
    Scan,
    /// It serves the clients of open sockets, with further threads.
    Serve,
    /// The same, and it opens files to read them.
    ServeFiles,
}

/// A protection that the system does not have or refuses.
#[derive(Debug)]
pub struct Refusal {
    /// What stays possible.
    pub protection: &'static str,
    /// Why.
    pub cause: io::Error,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.protection, self.cause)
    }
}

/// Confines this process for good: no core dumps, no privileges from files it executes, limits of
/// memory and processor time, no file ever written, no program ever executed, and no system call
/// that its [`Duty`] does not need.
///
/// All threads of the process are confined.
#[must_use]
pub fn confine(confinement: &Confinement) -> Vec<Refusal> {
    let limits = [
        ("no limit of memory", MEMORY, Some(confinement.memory)),
        ("no limit of processor time", Some(Resource::Cpu), confinement.seconds),
        ("core dumps are possible", Some(Resource::Core), Some(0)),
        ("files can be written", Some(Resource::Fsize), Some(0)),
    ];
    let refused = limits.into_iter().filter_map(|(protection, resource, value)| {
        let cause = limit(resource, value?).err()?;
        Some(Refusal { protection, cause })
    });
    let mut refused: Vec<_> = refused.collect();
    refused.extend(kernel::confine(confinement.duty));
    refused
}

/// Ends this process when the thread that started it ends, where the system can do that.
pub fn die_with_parent() {
    kernel::die_with_parent();
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Option<Resource>, value: u64) -> io::Result<()> {
    let resource = resource.ok_or(io::ErrorKind::Unsupported)?;
    let maximum = getrlimit(resource).maximum.unwrap_or(u64::MAX).min(value);
    setrlimit(resource, Rlimit { current: Some(maximum), maximum: Some(maximum) })?;
    Ok(())
}

#[cfg(not(target_os = "openbsd"))]
const MEMORY: Option<Resource> = Some(Resource::As);
#[cfg(target_os = "openbsd")]
const MEMORY: Option<Resource> = Some(Resource::Data);

#[cfg(target_os = "linux")]
mod kernel {
    use rustix::process::{
        DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal,
    };
    use rustix::thread::set_no_new_privs;

    use super::{Duty, Refusal, io};
    use crate::system_calls;

    pub(super) fn confine(duty: Duty) -> Vec<Refusal> {
        let refused = |protection| move |cause| Refusal { protection, cause };
        let privileges = set_no_new_privs(true).map_err(io::Error::from);
        let dumps = set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(io::Error::from);
        [
            privileges.map_err(refused("privileges can be gained by executing files")),
            dumps.map_err(refused("other processes of the user can read the memory")),
            system_calls::restrict(duty).map_err(refused("every system call is possible")),
        ]
        .into_iter()
        .filter_map(Result::err)
        .collect()
    }

    pub(super) fn die_with_parent() {
        // A scan that outlives its parent ends by its limits of time and at its next read.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use super::{Duty, Refusal, io};

    pub(super) fn confine(_duty: Duty) -> Vec<Refusal> {
        let cause = io::ErrorKind::Unsupported.into();
        vec![Refusal { protection: "every system call is possible", cause }]
    }

    pub(super) fn die_with_parent() {}
}
