//! What a scan found, walked by index.

use std::ffi::c_char;
use std::ptr;

use esets_core::{Status, Verdict};
use serde::Serialize;

use crate::border::{Out, ask, borrow, fence, free};
use crate::detection::esets_detection;
use crate::record::{ESETS_STATUS_NOT_SCANNED, esets_record, esets_status, status};
use crate::result::{ESETS_ERROR_FAULT, Failure, esets_result};

/// What a scan found.
pub struct esets_verdict {
    pub(crate) verdict: Verdict,
    status: esets_status,
    records: Vec<esets_record>,
    /// The positions of the record and, in it, of the detection.
    threats: Vec<(usize, String)>,
}

impl esets_verdict {
    pub(crate) fn new(verdict: Verdict) -> Self {
        let threats = verdict.threats().map(|(at, threat)| (at, threat.name.clone())).collect();
        Self {
            status: status(verdict.status()),
            records: verdict.records().iter().map(esets_record::new).collect(),
            threats,
            verdict,
        }
    }

    fn threat(&self, index: usize) -> Option<(usize, &esets_detection)> {
        let (at, name) = self.threats.get(index)?;
        Some((*at, self.records.get(*at)?.detection(name)?))
    }
}

/// The report: the verdict and, before it, what a reader wants to know first.
#[derive(Serialize)]
struct Report<'v> {
    status: Status,
    #[serde(flatten)]
    verdict: &'v Verdict,
}

/// The worst status of all records; never "clean" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_status(verdict: *const esets_verdict) -> esets_status {
    // SAFETY: the caller promises a verdict or NULL.
    ask(ESETS_STATUS_NOT_SCANNED, || Some(unsafe { verdict.as_ref() }?.status))
}

/// How many objects were met, those without a record included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_objects(verdict: *const esets_verdict) -> u64 {
    // SAFETY: the caller promises a verdict or NULL.
    ask(0, || Some(unsafe { verdict.as_ref() }?.verdict.objects()))
}

/// How many bytes were scanned, each object counted for itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_bytes(verdict: *const esets_verdict) -> u64 {
    // SAFETY: the caller promises a verdict or NULL.
    ask(0, || Some(unsafe { verdict.as_ref() }?.verdict.bytes()))
}

/// How many records there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_records(verdict: *const esets_verdict) -> usize {
    // SAFETY: the caller promises a verdict or NULL.
    ask(0, || Some(unsafe { verdict.as_ref() }?.records.len()))
}

/// A record; a container comes before its members.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_record(
    verdict: *const esets_verdict,
    index: usize,
) -> *const esets_record {
    // SAFETY: the caller promises a verdict or NULL.
    ask(ptr::null(), || Some(&raw const *unsafe { verdict.as_ref() }?.records.get(index)?))
}

/// How many detections there are, the deepest object that shows each only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_threats(verdict: *const esets_verdict) -> usize {
    // SAFETY: the caller promises a verdict or NULL.
    ask(0, || Some(unsafe { verdict.as_ref() }?.threats.len()))
}

/// One of these detections and, in `record`, the position of its record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_threat(
    verdict: *const esets_verdict,
    index: usize,
    record: *mut usize,
) -> *const esets_detection {
    // SAFETY: the caller promises that `record` is NULL or may be written to.
    let record = unsafe { record.as_mut() };
    ask(ptr::null(), || {
        // SAFETY: the caller promises a verdict or NULL.
        let (at, detection) = unsafe { verdict.as_ref() }?.threat(index)?;
        record.into_iter().for_each(|record| *record = at);
        Some(&raw const *detection)
    })
}

/// The verdict as one line of JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_json(
    verdict: *const esets_verdict,
    out: *mut *mut c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a verdict or NULL.
        let verdict = &unsafe { borrow(verdict) }?.verdict;
        let report = Report { status: verdict.status(), verdict };
        let json = serde_json::to_vec(&report)
            .map_err(|error| Failure::with_text(ESETS_ERROR_FAULT, error))?;
        out.give_text(json);
        Ok(())
    })
}

/// The verdict as a tree, one line a record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_tree(
    verdict: *const esets_verdict,
    out: *mut *mut c_char,
) -> esets_result {
    fence(|| {
        // SAFETY: the caller promises that `out` is NULL or may be written to.
        let out = unsafe { Out::new(out) }?;
        // SAFETY: the caller promises a verdict or NULL.
        out.give_text(unsafe { borrow(verdict) }?.verdict.to_string());
        Ok(())
    })
}

/// Frees a verdict and all that was read from it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_verdict_free(verdict: *mut esets_verdict) {
    // SAFETY: the caller promises that it is NULL or a verdict that is used no more.
    unsafe { free(verdict) }
}
