//! One object that a scan met, as C reads it: every text ends in NUL and says its length.

use std::ffi::{CString, c_char};

use esets_core::{Limit, Reason, Record, Status};

use crate::border::{ask, line};
use crate::detection::{ESETS_NONE, esets_detection};
use crate::scanner::{
    ESETS_LIMIT_DEPTH, ESETS_LIMIT_MEMORY, ESETS_LIMIT_OBJECT_SIZE, ESETS_LIMIT_OBJECTS,
    ESETS_LIMIT_RATIO, ESETS_LIMIT_READINGS, ESETS_LIMIT_SCAN_SIZE, ESETS_LIMIT_TIME, esets_limit,
};

/// How an object ended; the worst of a tree has the highest number.
pub type esets_status = i32;

/// All of it was looked at, and nothing was found.
pub const ESETS_STATUS_CLEAN: esets_status = 0;
/// Nothing was found, but part of it was not looked at.
pub const ESETS_STATUS_NOT_SCANNED: esets_status = 1;
/// Something was found.
pub const ESETS_STATUS_INFECTED: esets_status = 2;

/// Why part of an object was not looked at.
pub type esets_reason = i32;

/// The caller ended the scan.
pub const ESETS_REASON_CANCELLED: esets_reason = 1;
/// The object breaks its format.
pub const ESETS_REASON_CORRUPT: esets_reason = 2;
/// No known password opens it.
pub const ESETS_REASON_ENCRYPTED: esets_reason = 3;
/// A defect in this software.
pub const ESETS_REASON_FAULT: esets_reason = 4;
/// A limit was reached.
pub const ESETS_REASON_LIMIT: esets_reason = 5;
/// The object ends before its format does.
pub const ESETS_REASON_TRUNCATED: esets_reason = 6;
/// The object uses a feature that is not implemented.
pub const ESETS_REASON_UNSUPPORTED: esets_reason = 7;

/// One object met by a scan.
pub struct esets_record {
    parent: u64,
    status: esets_status,
    size: u64,
    name: Name,
    formats: Vec<CString>,
    detections: Vec<esets_detection>,
    reasons: Vec<Why>,
    defects: Vec<CString>,
}

/// A name is bytes, NUL among them too; one more NUL follows.
struct Name(Vec<u8>);

struct Why {
    code: esets_reason,
    limit: esets_limit,
    text: CString,
}

impl esets_record {
    pub(crate) fn new(record: &Record) -> Self {
        let name = record.name.iter().copied().chain([0]).collect();
        Self {
            parent: record.parent.map_or(ESETS_NONE, |parent| parent.index() as u64),
            status: status(record.status()),
            size: record.size,
            name: Name(name),
            formats: record.formats.iter().map(|format| line(format)).collect(),
            detections: record.detections.iter().map(esets_detection::new).collect(),
            reasons: record.not_scanned.iter().map(Why::new).collect(),
            defects: record.defects.iter().map(|defect| line(defect)).collect(),
        }
    }

    pub(crate) fn detection(&self, name: &str) -> Option<&esets_detection> {
        self.detections.iter().find(|detection| detection.name.to_bytes() == name.as_bytes())
    }
}

impl Why {
    fn new(reason: &Reason) -> Self {
        let (code, limit) = match reason {
            Reason::Cancelled => (ESETS_REASON_CANCELLED, 0),
            Reason::Corrupt(_) => (ESETS_REASON_CORRUPT, 0),
            Reason::Encrypted => (ESETS_REASON_ENCRYPTED, 0),
            Reason::Fault(_) => (ESETS_REASON_FAULT, 0),
            Reason::Limit(limit) => (ESETS_REASON_LIMIT, number(*limit)),
            Reason::Truncated => (ESETS_REASON_TRUNCATED, 0),
            Reason::Unsupported(_) => (ESETS_REASON_UNSUPPORTED, 0),
            _ => (0, 0),
        };
        Self { code, limit, text: line(&reason.to_string()) }
    }
}

pub(crate) fn status(status: Status) -> esets_status {
    match status {
        Status::Clean => ESETS_STATUS_CLEAN,
        Status::Infected => ESETS_STATUS_INFECTED,
        _ => ESETS_STATUS_NOT_SCANNED,
    }
}

fn number(limit: Limit) -> esets_limit {
    match limit {
        Limit::Depth => ESETS_LIMIT_DEPTH,
        Limit::Memory => ESETS_LIMIT_MEMORY,
        Limit::Objects => ESETS_LIMIT_OBJECTS,
        Limit::ObjectSize => ESETS_LIMIT_OBJECT_SIZE,
        Limit::Ratio => ESETS_LIMIT_RATIO,
        Limit::Readings => ESETS_LIMIT_READINGS,
        Limit::ScanSize => ESETS_LIMIT_SCAN_SIZE,
        Limit::Time => ESETS_LIMIT_TIME,
        _ => 0,
    }
}

/// The status of this object alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_status(record: *const esets_record) -> esets_status {
    // SAFETY: the caller promises a record or NULL.
    ask(ESETS_STATUS_NOT_SCANNED, || Some(unsafe { record.as_ref() }?.status))
}

/// The position of the container's record; `ESETS_NONE` for the scanned object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_parent(record: *const esets_record) -> u64 {
    // SAFETY: the caller promises a record or NULL.
    ask(ESETS_NONE, || Some(unsafe { record.as_ref() }?.parent))
}

/// The size in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_size(record: *const esets_record) -> u64 {
    // SAFETY: the caller promises a record or NULL.
    ask(0, || Some(unsafe { record.as_ref() }?.size))
}

/// The name and, in `size`, its length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_name(
    record: *const esets_record,
    size: *mut usize,
) -> *const c_char {
    // SAFETY: the caller promises that `size` is NULL or may be written to.
    let size = unsafe { size.as_mut() };
    // SAFETY: the caller promises a record or NULL.
    let name = ask(None, || Some(Some(&unsafe { record.as_ref() }?.name)));
    let length = name.map_or(0, |name| name.0.len().saturating_sub(1));
    size.into_iter().for_each(|size| *size = length);
    name.map_or(std::ptr::null(), |name| name.0.as_ptr().cast())
}

/// How many formats recognised the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_formats(record: *const esets_record) -> usize {
    // SAFETY: the caller promises a record or NULL.
    ask(0, || Some(unsafe { record.as_ref() }?.formats.len()))
}

/// The name of a format.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_format(
    record: *const esets_record,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller promises a record or NULL.
    ask(std::ptr::null(), || Some(unsafe { record.as_ref() }?.formats.get(index)?.as_ptr()))
}

/// How many detections are on this object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_detections(record: *const esets_record) -> usize {
    // SAFETY: the caller promises a record or NULL.
    ask(0, || Some(unsafe { record.as_ref() }?.detections.len()))
}

/// A detection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_detection(
    record: *const esets_record,
    index: usize,
) -> *const esets_detection {
    ask(std::ptr::null(), || {
        // SAFETY: the caller promises a record or NULL.
        let detection = unsafe { record.as_ref() }?.detections.get(index)?;
        Some(&raw const *detection)
    })
}

/// How many reasons there are why part of this object was not looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_reasons(record: *const esets_record) -> usize {
    // SAFETY: the caller promises a record or NULL.
    ask(0, || Some(unsafe { record.as_ref() }?.reasons.len()))
}

/// A reason as a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_reason(
    record: *const esets_record,
    index: usize,
) -> esets_reason {
    // SAFETY: the caller promises a record or NULL.
    ask(0, || Some(unsafe { record.as_ref() }?.reasons.get(index)?.code))
}

/// The limit that a reason names; 0 if it names none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_reason_limit(
    record: *const esets_record,
    index: usize,
) -> esets_limit {
    // SAFETY: the caller promises a record or NULL.
    ask(0, || Some(unsafe { record.as_ref() }?.reasons.get(index)?.limit))
}

/// A reason in words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_reason_text(
    record: *const esets_record,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller promises a record or NULL.
    ask(std::ptr::null(), || Some(unsafe { record.as_ref() }?.reasons.get(index)?.text.as_ptr()))
}

/// How many breaches of its format the object shows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_defects(record: *const esets_record) -> usize {
    // SAFETY: the caller promises a record or NULL.
    ask(0, || Some(unsafe { record.as_ref() }?.defects.len()))
}

/// A breach in words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_record_defect(
    record: *const esets_record,
    index: usize,
) -> *const c_char {
    // SAFETY: the caller promises a record or NULL.
    ask(std::ptr::null(), || Some(unsafe { record.as_ref() }?.defects.get(index)?.as_ptr()))
}
