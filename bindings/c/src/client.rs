//! A client of the daemon: objects go to it as bytes or descriptors, decisions come back.

use std::ffi::{OsStr, c_char, c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::esets_client::{ClientError, Content, DaemonFilter};
use esets_sys::open_regular;

use crate::border::{Out, borrow, fence, free, slice, text, text_or_none};
use crate::context::esets_context;
use crate::decision::esets_decision;
use crate::outcome::Places;
use crate::result::{ESETS_ERROR_DAEMON, Failure, esets_result};
use crate::verdict::esets_verdict;

/// A client of the daemon.
pub struct esets_client {
    filter: DaemonFilter,
}

/// One request, its pointers checked.
struct Call<'c> {
    client: &'c esets_client,
    context: &'c esets_context,
    places: Places<'c>,
}

impl Call<'_> {
    /// # Safety
    /// All are NULL or what their types say.
    unsafe fn new(
        client: *const esets_client,
        context: *const esets_context,
        verdict: *mut *mut esets_verdict,
        decision: *mut *mut esets_decision,
    ) -> Result<Self, Failure> {
        // SAFETY: as this function's own.
        let places = unsafe { Places::new(verdict, decision) }?;
        // SAFETY: as this function's own.
        let client = unsafe { borrow(client) }?;
        // SAFETY: as this function's own.
        Ok(Self { client, context: unsafe { borrow(context) }?, places })
    }

    fn ask(self, name: &[u8], content: Content<'_>) -> Result<(), Failure> {
        let filter = &self.client.filter;
        let answer = self.context.with(|context| filter.ask(name, content, context));
        self.places.give(answer?.outcome);
        Ok(())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let errno = match &error {
            ClientError::Connect(cause) | ClientError::Io(cause) => cause.raw_os_error(),
            _ => None,
        };
        let errno = errno.or(Some(libc::EPROTO));
        Self { code: ESETS_ERROR_DAEMON, errno, text: error.to_string() }
    }
}

/// Makes a client of the daemon that listens on a socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_client_new(
    socket: *const c_char,
    patience: u64,
    out: *mut *mut esets_client,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a string or NULL.
        let socket = PathBuf::from(OsStr::from_bytes(unsafe { text(socket) }?));
        let filter = DaemonFilter::new(socket);
        let filter = match patience {
            0 => filter,
            limited => filter.with_patience(Duration::from_millis(limited)),
        };
        out.give(esets_client { filter });
        Ok(())
    })
}

/// Sends bytes to the daemon.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_client_scan_memory(
    client: *const esets_client,
    context: *const esets_context,
    bytes: *const c_void,
    size: usize,
    name: *const c_char,
    verdict: *mut *mut esets_verdict,
    decision: *mut *mut esets_decision,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that all are NULL or what their types say.
        let call = unsafe { Call::new(client, context, verdict, decision) }?;
        // SAFETY: the caller promises `size` bytes that nobody changes during the call.
        let bytes = unsafe { slice(bytes.cast(), size) }?;
        // SAFETY: the caller promises a string or NULL.
        let name = unsafe { text_or_none(name) }.unwrap_or_default();
        call.ask(name, Content::Bytes(bytes))
    })
}

/// Opens a regular file and sends the descriptor to the daemon.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_client_scan_path(
    client: *const esets_client,
    context: *const esets_context,
    path: *const c_char,
    verdict: *mut *mut esets_verdict,
    decision: *mut *mut esets_decision,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that all are NULL or what their types say.
        let call = unsafe { Call::new(client, context, verdict, decision) }?;
        // SAFETY: the caller promises a string or NULL.
        let path = unsafe { text(path) }?;
        let (file, _) = open_regular(Path::new(OsStr::from_bytes(path)))?;
        call.ask(path, Content::File(&file))
    })
}

/// Sends a descriptor to the daemon.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_client_scan_descriptor(
    client: *const esets_client,
    context: *const esets_context,
    fd: c_int,
    name: *const c_char,
    verdict: *mut *mut esets_verdict,
    decision: *mut *mut esets_decision,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that all are NULL or what their types say.
        let call = unsafe { Call::new(client, context, verdict, decision) }?;
        // SAFETY: the caller promises a string or NULL.
        let name = unsafe { text_or_none(name) }.unwrap_or_default();
        if fd < 0 {
            return Err(io::Error::from_raw_os_error(libc::EBADF).into());
        }
        // SAFETY: the caller promises to keep the descriptor open during the call.
        let file = File::from(unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()?);
        call.ask(name, Content::File(&file))
    })
}

/// Frees a client and closes its connections.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_client_free(client: *mut esets_client) {
    // SAFETY: the caller promises that it is NULL or a client that is used no more.
    unsafe { free(client) }
}
