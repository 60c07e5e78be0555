//! What a process can see and reach: files through landlock(7), the network through namespaces(7).

use std::os::fd::AsFd;

use crate::confine::Refusal;

/// Which files a process can still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// None, and no port either.
    Nothing,
    /// Those that its account may read, and no port.
    Reading,
}

/// Takes from this thread, and from those it will start, the right to open files and ports; open
/// ones stay.
#[must_use]
pub fn limit_reach(reach: Reach) -> Vec<Refusal> {
    kernel::limit_reach(reach).err().into_iter().collect()
}

/// Moves this thread, and the processes it will start, into a network of their own that has no
/// interface. Sockets that are open stay what they are; this needs to be root.
#[must_use]
pub fn leave_network() -> Vec<Refusal> {
    kernel::leave_network().err().into_iter().collect()
}

/// Whether bytes wait on a socket, or its other end is closed. This never waits.
#[must_use]
pub fn is_readable(socket: impl AsFd) -> bool {
    use rustix::io::Errno;
    use rustix::net::{RecvFlags, recv};

    let peek = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    !matches!(recv(socket, &mut [0_u8; 1], peek), Err(Errno::AGAIN | Errno::INTR))
}

/// Lets this process have as many open files as the system allows it, and returns how many.
pub fn raise_open_files() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let maximum = getrlimit(Resource::Nofile).maximum;
    // A limit that cannot be raised stays as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    };
    use rustix::thread::UnshareFlags;

    use super::{Reach, Refusal};

    pub(super) fn limit_reach(reach: Reach) -> Result<(), Refusal> {
        let refused = |protection| move |cause| Refusal { protection, cause };
        match restrict(reach).map_err(io::Error::other).map_err(refused(FILES))? {
            RulesetStatus::FullyEnforced => Ok(()),
            RulesetStatus::PartiallyEnforced => Err(refused(SOME)(old_kernel())),
            RulesetStatus::NotEnforced => Err(refused(FILES)(old_kernel())),
        }
    }

    fn restrict(reach: Reach) -> Result<RulesetStatus, RulesetError> {
        let rules = Ruleset::default()
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?;
        let everything = (reach == Reach::Reading).then(|| PathFd::new("/"));
        let rules = match everything {
            Some(Ok(everything)) => {
                let read = AccessFs::ReadFile | AccessFs::ReadDir;
                rules.add_rule(PathBeneath::new(everything, read))?
            }
            Some(Err(_)) | None => rules,
        };
        Ok(rules.restrict_self()?.ruleset)
    }

    fn old_kernel() -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, "Landlock is missing or old")
    }

    #[expect(unsafe_code, reason = "some other flags of this call would be unsound")]
    pub(super) fn leave_network() -> Result<(), Refusal> {
        let flags = UnshareFlags::NEWNET | UnshareFlags::NEWIPC;
        // SAFETY: descriptors and memory stay shared; only network and System V IPC are replaced.
        let outcome = unsafe { rustix::thread::unshare_unsafe(flags) };
        outcome.map_err(|error| Refusal { protection: NETWORK, cause: error.into() })
    }

    const NEWEST: ABI = ABI::V6;
    const FILES: &str = "files and ports can be opened";
    const SOME: &str = "some kinds of files, ports or signals are possible";
    const NETWORK: &str = "the network is visible";
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io;

    use super::{Reach, Refusal};

    pub(super) fn limit_reach(_reach: Reach) -> Result<(), Refusal> {
        let cause = io::ErrorKind::Unsupported.into();
        Err(Refusal { protection: "files and ports can be opened", cause })
    }

    pub(super) fn leave_network() -> Result<(), Refusal> {
        let cause = io::ErrorKind::Unsupported.into();
        Err(Refusal { protection: "the network is visible", cause })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    use std::{fs, net, thread};

    use super::*;

    #[test]
    fn a_thread_without_reach_opens_nothing() {
        let unlimited = || fs::File::open("/etc/passwd").is_ok();
        assert!(unlimited());
        let limited = thread::spawn(|| {
            let refused = limit_reach(Reach::Nothing);
            let port = net::TcpListener::bind("127.0.0.1:0");
            (refused.is_empty(), fs::File::open("/etc/passwd").is_ok(), port.is_ok())
        });
        let (enforced, file, port) = limited.join().unwrap();
        assert!(!enforced || (!file && !port));
    }

    #[test]
    fn a_thread_that_may_read_writes_nothing() {
        let limited = thread::spawn(|| {
            let refused = limit_reach(Reach::Reading);
            let written = fs::write(std::env::temp_dir().join("esets-sys-reach"), "x");
            (refused.is_empty(), fs::File::open("/etc/passwd").is_ok(), written.is_ok())
        });
        let (enforced, read, written) = limited.join().unwrap();
        assert!(read && !(enforced && written));
    }

    #[test]
    fn a_socket_is_readable_once_something_came() {
        let (here, mut there) = UnixStream::pair().unwrap();
        assert!(!is_readable(&here));
        there.write_all(b"x").unwrap();
        assert!(is_readable(&here) && is_readable(&here));
        let (here, there) = UnixStream::pair().unwrap();
        drop(there);
        assert!(is_readable(&here));
    }
}
