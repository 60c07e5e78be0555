//! The system calls that a scan needs, and no others: seccomp(2).

use std::io;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter_all_threads};

/// Makes every system call but those of [`NEEDED`] fail with `EPERM`, in all threads.
pub(crate) fn restrict() -> io::Result<()> {
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let rules = NEEDED.iter().map(|call| (*call, Vec::new())).collect();
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, machine);
    let program: BpfProgram = filter.and_then(BpfProgram::try_from).map_err(io::Error::other)?;
    apply_filter_all_threads(&program).map_err(io::Error::other)
}

/// Reading and answering over open descriptors, memory, locks, clocks, and an orderly or a
/// disorderly end.
#[rustfmt::skip]
const NEEDED: &[libc::c_long] = &[
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
