//! The system calls that a process needs for its duty, and no others: seccomp(2).

use std::io;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter_all_threads};

use crate::Duty;

/// Makes every system call but those of its duty fail with `EPERM`, in all threads.
pub(crate) fn restrict(duty: Duty) -> io::Result<()> {
    let calls: &[&[libc::c_long]] = match duty {
        Duty::Scan => &[SCAN],
        Duty::Serve => &[SCAN, SERVE],
        Duty::ServeFiles => &[SCAN, SERVE, FILES],
    };
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let rules = calls.iter().copied().flatten().map(|call| (*call, Vec::new())).collect();
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, machine);
    let program: BpfProgram = filter.and_then(BpfProgram::try_from).map_err(io::Error::other)?;
    apply_filter_all_threads(&program).map_err(io::Error::other)
}

/// Reading and answering over open descriptors, memory, locks, clocks, and an orderly or a
/// disorderly end.
#[rustfmt::skip]
const SCAN: &[libc::c_long] = &[
    libc::SYS_brk, libc::SYS_clock_gettime, libc::SYS_clock_nanosleep, libc::SYS_close,
    libc::SYS_exit, libc::SYS_exit_group, libc::SYS_fcntl, libc::SYS_fstat, libc::SYS_futex,
    libc::SYS_getpid, libc::SYS_getrandom, libc::SYS_gettid, libc::SYS_lseek, libc::SYS_madvise,
    libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_mremap, libc::SYS_munmap, libc::SYS_newfstatat,
    libc::SYS_pread64, libc::SYS_read, libc::SYS_readv, libc::SYS_recvfrom, libc::SYS_recvmsg,
    libc::SYS_restart_syscall, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn, libc::SYS_sched_getaffinity, libc::SYS_sched_yield, libc::SYS_sendmsg,
    libc::SYS_sendto, libc::SYS_sigaltstack, libc::SYS_statx, libc::SYS_tgkill, libc::SYS_write,
    libc::SYS_writev,
];

/// Clients of open sockets, and threads for them.
#[rustfmt::skip]
const SERVE: &[libc::c_long] = &[
    libc::SYS_accept4, libc::SYS_clone, libc::SYS_clone3, libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_eventfd2, libc::SYS_getpeername,
    libc::SYS_getsockname, libc::SYS_getsockopt, libc::SYS_ioctl, libc::SYS_ppoll, libc::SYS_prctl,
    libc::SYS_rseq, libc::SYS_set_robust_list, libc::SYS_setsockopt, libc::SYS_shutdown, libc::SYS_socketpair,
    #[cfg(target_arch = "x86_64")] libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")] libc::SYS_poll,
];
/// Files and folders that are read.
const FILES: &[libc::c_long] = &[
    libc::SYS_getdents64,
    libc::SYS_openat,
    libc::SYS_readlinkat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
];
