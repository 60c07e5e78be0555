//! What happens to an object, for whom, and which line said so.

use std::ffi::{CString, c_char, c_int};
use std::ptr;

use esets_policy::{Action, Decision, Disposition, Edits};

use crate::border::{Out, ask, borrow, fence, free, line};
use crate::result::{ESETS_ERROR_FAULT, Failure, esets_result};

/// What happens to an object; a higher number is stricter, and the exit code of esets_cli.
pub type esets_action = i32;

/// It passes.
pub const ESETS_ACTION_ACCEPT: esets_action = 0;
/// The sender is asked to try again later.
pub const ESETS_ACTION_DEFER: esets_action = 1;
/// It vanishes, and the sender is told that it passed.
pub const ESETS_ACTION_DISCARD: esets_action = 2;
/// It is refused, and the sender is told so.
pub const ESETS_ACTION_REJECT: esets_action = 3;

/// What happens to an object.
pub struct esets_decision {
    decision: Decision,
    action: esets_action,
    rule: CString,
    dispositions: Vec<esets_disposition>,
}

/// What happens to an object for some of its recipients.
pub struct esets_disposition {
    action: esets_action,
    rule: CString,
    quarantine: bool,
    recipients: Vec<usize>,
    pub(crate) edits: Edits,
    headers: Vec<CString>,
    subject_prefix: CString,
    footnote: CString,
    part_notice: CString,
}

impl esets_decision {
    pub(crate) fn new(decision: Decision) -> Self {
        Self {
            action: number(decision.action),
            rule: line(&decision.rule.to_string()),
            dispositions: decision.dispositions.iter().map(esets_disposition::new).collect(),
            decision,
        }
    }
}

impl esets_disposition {
    fn new(disposition: &Disposition) -> Self {
        let edits = &disposition.edits;
        Self {
            action: number(disposition.action),
            rule: line(&disposition.rule.to_string()),
            quarantine: disposition.quarantine,
            recipients: disposition.recipients.clone(),
            headers: edits.headers.iter().map(|header| line(header)).collect(),
            subject_prefix: line(&edits.subject_prefix),
            footnote: line(&edits.footnote),
            part_notice: line(&edits.part_notice),
            edits: edits.clone(),
        }
    }
}

/// An action that this version does not know defers: nothing is lost, and nothing passes.
fn number(action: Action) -> esets_action {
    match action {
        Action::Accept => ESETS_ACTION_ACCEPT,
        Action::Discard => ESETS_ACTION_DISCARD,
        Action::Reject => ESETS_ACTION_REJECT,
        _ => ESETS_ACTION_DEFER,
    }
}

/// The strictest action for any recipient; "defer" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_decision_action(decision: *const esets_decision) -> esets_action {
    // SAFETY: the caller promises a decision or NULL.
    ask(ESETS_ACTION_DEFER, || Some(unsafe { decision.as_ref() }?.action))
}

/// The line that decided.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_decision_rule(decision: *const esets_decision) -> *const c_char {
    // SAFETY: the caller promises a decision or NULL.
    ask(ptr::null(), || Some(unsafe { decision.as_ref() }?.rule.as_ptr()))
}

/// How many dispositions there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_decision_dispositions(decision: *const esets_decision) -> usize {
    // SAFETY: the caller promises a decision or NULL.
    ask(0, || Some(unsafe { decision.as_ref() }?.dispositions.len()))
}

/// A disposition.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_decision_disposition(
    decision: *const esets_decision,
    index: usize,
) -> *const esets_disposition {
    // SAFETY: the caller promises a decision or NULL.
    ask(ptr::null(), || Some(&raw const *unsafe { decision.as_ref() }?.dispositions.get(index)?))
}

/// The decision as one line of JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_decision_json(
    decision: *const esets_decision,
    out: *mut *mut c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a decision or NULL.
        let decision = &unsafe { borrow(decision) }?.decision;
        let json = serde_json::to_vec(decision)
            .map_err(|error| Failure::with_text(ESETS_ERROR_FAULT, error))?;
        out.give_text(json);
        Ok(())
    })
}

/// Frees a decision and all that was read from it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_decision_free(decision: *mut esets_decision) {
    // SAFETY: the caller promises that it is NULL or a decision that is used no more.
    unsafe { free(decision) }
}

/// What happens; "defer" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_action(
    disposition: *const esets_disposition,
) -> esets_action {
    // SAFETY: the caller promises a disposition or NULL.
    ask(ESETS_ACTION_DEFER, || Some(unsafe { disposition.as_ref() }?.action))
}

/// The line that decided.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_rule(
    disposition: *const esets_disposition,
) -> *const c_char {
    // SAFETY: the caller promises a disposition or NULL.
    ask(ptr::null(), || Some(unsafe { disposition.as_ref() }?.rule.as_ptr()))
}

/// 1 if the object is stored in the quarantine first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_quarantine(
    disposition: *const esets_disposition,
) -> c_int {
    // SAFETY: the caller promises a disposition or NULL.
    ask(0, || Some(unsafe { disposition.as_ref() }?.quarantine.into()))
}

/// How many recipients it is for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_recipients(
    disposition: *const esets_disposition,
) -> usize {
    // SAFETY: the caller promises a disposition or NULL.
    ask(0, || Some(unsafe { disposition.as_ref() }?.recipients.len()))
}

/// A recipient: its position among those of the context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_recipient(
    disposition: *const esets_disposition,
    index: usize,
) -> usize {
    // SAFETY: the caller promises a disposition or NULL.
    ask(usize::MAX, || unsafe { disposition.as_ref() }?.recipients.get(index).copied())
}

/// How many parts are taken out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_removals(
    disposition: *const esets_disposition,
) -> usize {
    // SAFETY: the caller promises a disposition or NULL.
    ask(0, || Some(unsafe { disposition.as_ref() }?.edits.remove.len()))
}

/// A part to take out: the position of its record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_removal(
    disposition: *const esets_disposition,
    index: usize,
) -> usize {
    // SAFETY: the caller promises a disposition or NULL.
    ask(usize::MAX, || unsafe { disposition.as_ref() }?.edits.remove.get(index).copied())
}

/// How many header fields are added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_headers(disposition: *const esets_disposition) -> usize {
    // SAFETY: the caller promises a disposition or NULL.
    ask(0, || Some(unsafe { disposition.as_ref() }?.headers.len()))
}

/// A header field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_header(
    disposition: *const esets_disposition,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller promises a disposition or NULL.
    ask(ptr::null(), || Some(unsafe { disposition.as_ref() }?.headers.get(index)?.as_ptr()))
}

/// What goes before the subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_subject_prefix(
    disposition: *const esets_disposition,
) -> *const c_char {
    // SAFETY: the caller promises a disposition or NULL.
    ask(ptr::null(), || Some(unsafe { disposition.as_ref() }?.subject_prefix.as_ptr()))
}

/// What goes below the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_footnote(
    disposition: *const esets_disposition,
) -> *const c_char {
    // SAFETY: the caller promises a disposition or NULL.
    ask(ptr::null(), || Some(unsafe { disposition.as_ref() }?.footnote.as_ptr()))
}

/// What stands in the place of a part that is taken out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_disposition_part_notice(
    disposition: *const esets_disposition,
) -> *const c_char {
    // SAFETY: the caller promises a disposition or NULL.
    ask(ptr::null(), || Some(unsafe { disposition.as_ref() }?.part_notice.as_ptr()))
}
