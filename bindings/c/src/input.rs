//! What is scanned is read, never mapped: another process may shorten a mapped file.

use std::ffi::{OsStr, c_int, c_void};
use std::fs::File;
use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use esets_core::{Interrupt, Limit, Reason};
use esets_sys::open_regular;

use crate::result::Failure;
use crate::session::Clock;

/// What was to be scanned.
pub(crate) enum Input {
    Bytes(Vec<u8>),
    /// It is not even read.
    Refused(Reason),
}

/// A function of the caller that fills a buffer, as read(2) does.
pub type esets_reader =
    Option<unsafe extern "C" fn(user: *mut c_void, buffer: *mut c_void, size: usize) -> isize>;

/// Reads a regular file. A pipe or a device could keep us waiting for ever.
pub(crate) fn path(path: &[u8], limit: u64, clock: &Clock) -> Result<Input, Failure> {
    let (file, about) = open_regular(Path::new(OsStr::from_bytes(path)))?;
    regular(&file, about.len(), limit, clock)
}

/// Reads all of a regular file and leaves its position alone, or reads on from a pipe or socket.
///
/// # Safety
/// Nobody closes the descriptor during the call.
pub(crate) unsafe fn descriptor(fd: c_int, limit: u64, clock: &Clock) -> Result<Input, Failure> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF).into());
    }
    // SAFETY: it stays open during the call, and is not closed here.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
    let about = file.metadata()?;
    if about.is_file() {
        regular(&file, about.len(), limit, clock)
    } else {
        Ok(all(&mut &*file, 0, limit, clock)?)
    }
}

/// Reads what the caller's function offers.
///
/// # Safety
/// The function fills at most `size` bytes of its buffer, and does not unwind.
pub(crate) unsafe fn callback(
    read: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> isize,
    user: *mut c_void,
    limit: u64,
    clock: &Clock,
) -> Result<Input, Failure> {
    Ok(all(&mut Callback { read, user }, 0, limit, clock)?)
}

fn regular(file: &File, size: u64, limit: u64, clock: &Clock) -> Result<Input, Failure> {
    if size > limit {
        return Ok(Input::Refused(Reason::Limit(Limit::ScanSize)));
    }
    Ok(all(&mut FromStart { file, offset: 0 }, size, limit, clock)?)
}

/// Reads to the end, asking the clock before each read. What grows beyond the limit while it is
/// read, or does not fit into memory, is refused.
fn all(reader: &mut dyn Read, expected: u64, limit: u64, clock: &Clock) -> io::Result<Input> {
    let mut bytes = Vec::new();
    // One byte more shows the end of the file without growing once again.
    let mut room = usize::try_from(expected).unwrap_or(usize::MAX).saturating_add(1);
    loop {
        if let Some(interruption) = clock.check() {
            return Ok(Input::Refused(interruption.into()));
        }
        if bytes.try_reserve(room).is_err() {
            return Ok(Input::Refused(Reason::Limit(Limit::Memory)));
        }
        room = 1;
        let length = bytes.len();
        bytes.resize(bytes.capacity().min(length.saturating_add(CHUNK)), 0);
        let count = read(reader, bytes.get_mut(length..).unwrap_or_default())?;
        bytes.truncate(length.saturating_add(count));
        if count == 0 {
            return Ok(Input::Bytes(bytes));
        }
        if bytes.len() as u64 > limit {
            return Ok(Input::Refused(Reason::Limit(Limit::ScanSize)));
        }
    }
}

/// One read that no signal interrupts.
fn read(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// A file read from its start without moving its position, which others may share.
struct FromStart<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset = self.offset.saturating_add(count as u64);
        Ok(count)
    }
}

struct Callback {
    read: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> isize,
    user: *mut c_void,
}

impl Read for Callback {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the caller has promised to fill at most this buffer, and not to unwind.
        let count = unsafe { (self.read)(self.user, buffer.as_mut_ptr().cast(), buffer.len()) };
        match usize::try_from(count) {
            Ok(count) if count <= buffer.len() => Ok(count),
            Ok(_) => Err(io::Error::from_raw_os_error(libc::EINVAL)),
            Err(_) => Err(io::Error::last_os_error()),
        }
    }
}

/// The most that one read asks for: 1 MiB.
const CHUNK: usize = 1 << 20;
