//! A message as it passes.

use std::ffi::{c_char, c_void};
use std::ptr;

use ::esets_policy::{Context, Outcome, Pipeline, Plan};
use esets_core::Object;

use crate::border::{Out, ask, borrow, fence, free, slice, text_or_none};
use crate::context::esets_context;
use crate::database::esets_database;
use crate::decision::{esets_decision, esets_disposition};
use crate::outcome::Places;
use crate::policy::esets_policy;
use crate::result::{ESETS_ERROR_REWRITE, Failure, esets_result};
use crate::scan::with_session;
use crate::session::{Clock, Settings, esets_session};
use crate::verdict::esets_verdict;

/// A message with the changes of a disposition.
pub struct esets_message {
    bytes: Vec<u8>,
}

/// Scans a message and decides what happens to it; what is cleaned is scanned again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_policy_handle(
    policy: *const esets_policy,
    context: *const esets_context,
    database: *const esets_database,
    session: *const esets_session,
    bytes: *const c_void,
    size: usize,
    name: *const c_char,
    verdict: *mut *mut esets_verdict,
    decision: *mut *mut esets_decision,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that both are NULL or may be written to.
        let places = unsafe { Places::new(verdict, decision) }?;
        // SAFETY: the caller promises a policy or NULL.
        let policy = unsafe { borrow(policy) }?.current();
        // SAFETY: the caller promises a context or NULL.
        let context = unsafe { borrow(context) }?;
        // SAFETY: the caller promises a database or NULL.
        let scanner = unsafe { borrow(database) }?.shared.scanner();
        // SAFETY: the caller promises a session or NULL.
        let session = unsafe { session.as_ref() };
        // SAFETY: the caller promises `size` bytes that nobody changes during the call.
        let bytes = unsafe { slice(bytes.cast(), size) }?;
        // SAFETY: the caller promises a string or NULL.
        let name = unsafe { text_or_none(name) }.unwrap_or_default();
        let settings = session.map(esets_session::settings).unwrap_or_default();
        let object = Object::new(bytes).named(name);
        let pipeline = Pipeline::new(scanner, policy);
        places.give(context.with(|context| handle(&pipeline, &object, context, &settings)));
        Ok(())
    })
}

/// A pipeline knows no clock: the policy's time runs on this one.
fn handle(
    pipeline: &Pipeline,
    object: &Object<'_>,
    context: &Context<'_>,
    settings: &Settings,
) -> Outcome {
    let time = match pipeline.policy().plan(context) {
        Plan::Scan(plan) => Some(plan.time()).filter(|time| !time.is_zero()),
        _ => None,
    };
    let clock = Clock::start(settings, time);
    with_session(settings, &clock, |session| pipeline.handle_with(object, context, session))
}

/// Makes the message that passes by a disposition.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_apply(
    disposition: *const esets_disposition,
    verdict: *const esets_verdict,
    bytes: *const c_void,
    size: usize,
    out: *mut *mut esets_message,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a disposition or NULL.
        let edits = &unsafe { borrow(disposition) }?.edits;
        // SAFETY: the caller promises a verdict or NULL.
        let verdict = unsafe { verdict.as_ref() }.map(|verdict| &verdict.verdict);
        // SAFETY: the caller promises `size` bytes that nobody changes during the call.
        let message = unsafe { slice(bytes.cast(), size) }?;
        let passed = edits.apply(message, verdict);
        let bytes = passed.ok_or(Failure::new(ESETS_ERROR_REWRITE))?;
        out.give(esets_message { bytes });
        Ok(())
    })
}

/// The bytes of a message, and in `size` how many there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_message_bytes(
    message: *const esets_message,
    size: *mut usize,
) -> *const c_void {
    // SAFETY: the caller promises that `size` is NULL or may be written to.
    let size = unsafe { size.as_mut() };
    ask(ptr::null(), || {
        // SAFETY: the caller promises a message or NULL.
        let bytes = unsafe { message.as_ref() }.map(|message| message.bytes.as_slice());
        size.into_iter().for_each(|size| *size = bytes.map_or(0, <[u8]>::len));
        Some(bytes?.as_ptr().cast())
    })
}

/// Frees a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_message_free(message: *mut esets_message) {
    // SAFETY: the caller promises that it is NULL or a message that is used no more.
    unsafe { free(message) }
}
