//! The border itself: panics end here, pointers are checked here.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::{Once, OnceLock};

use crate::result::{ESETS_ERROR_FAULT, ESETS_ERROR_NULL, ESETS_OK, Failure, esets_result};

/// Runs the body of a function that answers with a result.
pub(crate) fn fence(body: impl FnOnce() -> Result<(), Failure>) -> esets_result {
    match guarded(body) {
        Some(Ok(())) => ESETS_OK,
        Some(Err(failure)) => {
            if let Some(number) = failure.errno {
                errno::set_errno(errno::Errno(number));
            }
            failure.code
        }
        None => ESETS_ERROR_FAULT,
    }
}

/// The same for a function that also explains itself: `error` is set to a text or to NULL.
///
/// # Safety
/// `error` is NULL or may be written to.
pub(crate) unsafe fn fence_with_text(
    error: *mut *mut c_char,
    body: impl FnOnce() -> Result<(), Failure>,
) -> esets_result {
    fence(|| {
        // SAFETY: as this function's own.
        let mut error = unsafe { error.as_mut() };
        if let Some(error) = &mut error {
            **error = std::ptr::null_mut();
        }
        body().inspect_err(|failure| {
            if let Some(error) = error {
                *error = give_text(failure.text.clone().into_bytes());
            }
        })
    })
}

/// Runs the body of a function that answers with a value; `otherwise` stands for NULL, for an
/// index out of range and for a fault.
pub(crate) fn ask<T>(otherwise: T, body: impl FnOnce() -> Option<T>) -> T {
    guarded(body).flatten().unwrap_or(otherwise)
}

/// What a pointer points at.
///
/// # Safety
/// The pointer is NULL, or valid for reading as long as the reference is used.
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T) -> Result<&'a T, Failure> {
    // SAFETY: as this function's own.
    unsafe { pointer.as_ref() }.ok_or(Failure::new(ESETS_ERROR_NULL))
}

/// The bytes of a string that ends in NUL.
///
/// # Safety
/// The pointer is NULL, or a string that stays as it is while the slice is used.
pub(crate) unsafe fn text<'a>(pointer: *const c_char) -> Result<&'a [u8], Failure> {
    // SAFETY: as this function's own.
    unsafe { text_or_none(pointer) }.ok_or(Failure::new(ESETS_ERROR_NULL))
}

/// The same where NULL is an answer too.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn text_or_none<'a>(pointer: *const c_char) -> Option<&'a [u8]> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: it is not NULL, and the caller promises a string.
    Some(unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// Bytes that a pointer and a size describe; NULL is fine if there are none.
///
/// # Safety
/// The pointer is NULL, or `size` bytes there can be read as long as the slice is used.
pub(crate) unsafe fn slice<'a>(bytes: *const u8, size: usize) -> Result<&'a [u8], Failure> {
    if size == 0 {
        return Ok(&[]);
    }
    if bytes.is_null() || isize::try_from(size).is_err() {
        return Err(Failure::new(ESETS_ERROR_NULL));
    }
    // SAFETY: it is not NULL, the size fits an object, and the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(bytes, size) })
}

/// A place where a new object is handed to the caller; it holds NULL until then.
pub(crate) struct Out<'a, T>(&'a mut *mut T);

impl<T> Out<'_, T> {
    /// Checks the place and empties it, so that it holds nothing after a failure.
    ///
    /// # Safety
    /// The pointer is NULL or may be written to.
    pub(crate) unsafe fn new(pointer: *mut *mut T) -> Result<Self, Failure> {
        // SAFETY: as this function's own.
        let place = unsafe { pointer.as_mut() }.ok_or(Failure::new(ESETS_ERROR_NULL))?;
        *place = std::ptr::null_mut();
        Ok(Self(place))
    }

    /// Hands over `value`; `free` of its kind takes it back.
    pub(crate) fn give(self, value: T) {
        *self.0 = Box::into_raw(Box::new(value));
    }
}

/// The text of a string, what is not UTF-8 in it replaced.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn words(pointer: *const c_char) -> Result<String, Failure> {
    // SAFETY: as this function's own.
    Ok(String::from_utf8_lossy(unsafe { text(pointer) }?).into_owned())
}

impl Out<'_, c_char> {
    /// Hands over a text; `esets_text_free` takes it back.
    pub(crate) fn give_text(self, text: impl Into<Vec<u8>>) {
        *self.0 = give_text(text.into());
    }
}

/// Takes back what [`Out::give`] handed over.
///
/// # Safety
/// The pointer is NULL, or came from [`Out::give`] of the same type and is not used again.
pub(crate) unsafe fn free<T>(pointer: *mut T) {
    ask((), || {
        if !pointer.is_null() {
            // SAFETY: as this function's own.
            drop(unsafe { Box::from_raw(pointer) });
        }
        Some(())
    });
}

/// Takes back a text that a function handed over. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_text_free(text: *mut c_char) {
    ask((), || {
        if !text.is_null() {
            // SAFETY: the caller got it from a function that says so, and uses it no more.
            drop(unsafe { CString::from_raw(text) });
        }
        Some(())
    });
}

/// A text for C: what could not be in it is cut off, which happens to no text of ours.
fn give_text(mut text: Vec<u8>) -> *mut c_char {
    if let Some(end) = text.iter().position(|byte| *byte == 0) {
        text.truncate(end);
    }
    CString::new(text).unwrap_or_default().into_raw()
}

/// A text for C; a NUL inside, which only a hostile signature could hold, becomes a blank.
pub(crate) fn line(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let bytes = error.into_vec().into_iter();
        let bytes = bytes.map(|byte| if byte == 0 { b' ' } else { byte });
        CString::new(bytes.collect::<Vec<u8>>()).unwrap_or_default()
    })
}

/// Runs `body`; `None` if it panicked.
fn guarded<T>(body: impl FnOnce() -> T) -> Option<T> {
    HOOK.call_once(quiet);
    let outside = GUARDED.replace(true);
    // Objects behind the border are replaced as a whole or not at all, so a panic leaves them whole.
    let outcome = catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(outside);
    outcome.ok()
}

/// A library prints nothing: a panic that ends at the border is told by its result alone.
fn quiet() {
    let _ = BEFORE.set(take_hook());
    set_hook(Box::new(|panic| {
        if let Some(before) = BEFORE.get().filter(|_| !GUARDED.get()) {
            before(panic);
        }
    }));
}

/// The hook belongs to this library's own copy of the Rust runtime, not to the process.
static HOOK: Once = Once::new();
static BEFORE: OnceLock<Hook> = OnceLock::new();

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_result() {
        assert_eq!(fence(|| panic!("a defect")), ESETS_ERROR_FAULT);
        assert_eq!(ask(7, || panic!("a defect")), 7);
    }

    #[test]
    fn an_out_parameter_is_emptied_first() {
        let mut place = std::ptr::dangling_mut::<u8>();
        // SAFETY: `place` may be written to.
        let out = unsafe { Out::new(&raw mut place) };
        assert!(out.is_ok());
        assert!(place.is_null());
    }
}
