//! Who sends what to whom, as far as the caller knows.

use std::ffi::{c_char, c_int};
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

use esets_policy::Context;

use crate::border::{Out, borrow, fence, free, words};
use crate::result::{ESETS_ERROR_ARGUMENT, Failure, esets_result};

/// What is known about an object besides its bytes.
pub struct esets_context {
    facts: RwLock<Facts>,
}

#[derive(Default)]
struct Facts {
    agent: String,
    client: Option<IpAddr>,
    server: Option<IpAddr>,
    sender: Option<String>,
    recipients: Vec<String>,
    user: Option<String>,
    may_modify: bool,
}

impl esets_context {
    /// Runs `body` with the context as a policy wants it.
    pub(crate) fn with<T>(&self, body: impl FnOnce(&Context<'_>) -> T) -> T {
        let facts = self.facts.read().unwrap_or_else(PoisonError::into_inner);
        let recipients: Vec<&str> = facts.recipients.iter().map(String::as_str).collect();
        let mut context = Context::new(&facts.agent).recipients(&recipients);
        context.client = facts.client;
        context.server = facts.server;
        context.sender = facts.sender.as_deref();
        context.user = facts.user.as_deref();
        context.may_modify = facts.may_modify;
        body(&context)
    }
}

/// Makes the context of an agent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_new(
    agent: *const c_char,
    out: *mut *mut esets_context,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a string or NULL.
        let agent = unsafe { words(agent) }?;
        out.give(esets_context { facts: RwLock::new(Facts { agent, ..Facts::default() }) });
        Ok(())
    })
}

/// Sets the address that the object comes from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_set_client(
    context: *mut esets_context,
    address: *const c_char,
) -> esets_result {
    // SAFETY: the caller promises a context or NULL, and a string or NULL.
    fence(|| unsafe { learn(context, address, |facts, text| ip(text, &mut facts.client)) })
}

/// Sets the address that the object goes to or was fetched from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_set_server(
    context: *mut esets_context,
    address: *const c_char,
) -> esets_result {
    // SAFETY: the caller promises a context or NULL, and a string or NULL.
    fence(|| unsafe { learn(context, address, |facts, text| ip(text, &mut facts.server)) })
}

/// Sets the sender of a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_set_sender(
    context: *mut esets_context,
    address: *const c_char,
) -> esets_result {
    let set = |facts: &mut Facts, text| {
        facts.sender = Some(text);
        Ok(())
    };
    // SAFETY: the caller promises a context or NULL, and a string or NULL.
    fence(|| unsafe { learn(context, address, set) })
}

/// Adds a recipient of a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_add_recipient(
    context: *mut esets_context,
    address: *const c_char,
) -> esets_result {
    let add = |facts: &mut Facts, text| {
        facts.recipients.push(text);
        Ok(())
    };
    // SAFETY: the caller promises a context or NULL, and a string or NULL.
    fence(|| unsafe { learn(context, address, add) })
}

/// Sets the user that asks for the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_set_user(
    context: *mut esets_context,
    user: *const c_char,
) -> esets_result {
    let set = |facts: &mut Facts, text| {
        facts.user = Some(text);
        Ok(())
    };
    // SAFETY: the caller promises a context or NULL, and a string or NULL.
    fence(|| unsafe { learn(context, user, set) })
}

/// Says whether the object is a message that the caller can change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_set_modifiable(
    context: *mut esets_context,
    value: c_int,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises a context or NULL.
        let facts = &unsafe { borrow(context) }?.facts;
        facts.write().unwrap_or_else(PoisonError::into_inner).may_modify = value != 0;
        Ok(())
    })
}

/// Frees a context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_context_free(context: *mut esets_context) {
    // SAFETY: the caller promises that it is NULL or a context that is used no more.
    unsafe { free(context) }
}

/// Puts one text into a context.
///
/// # Safety
/// As those of the functions that call it.
unsafe fn learn(
    context: *mut esets_context,
    text: *const c_char,
    learn: impl FnOnce(&mut Facts, String) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // SAFETY: as this function's own.
    let facts = &unsafe { borrow(context) }?.facts;
    // SAFETY: as this function's own.
    let text = unsafe { words(text) }?;
    learn(&mut facts.write().unwrap_or_else(PoisonError::into_inner), text)
}

fn ip(text: String, place: &mut Option<IpAddr>) -> Result<(), Failure> {
    *place = Some(text.parse().map_err(|_| Failure::new(ESETS_ERROR_ARGUMENT))?);
    Ok(())
}
