//! One thing found in one object, as C reads it.

use std::ffi::{CString, c_char};
use std::ptr;

use esets_core::{Class, Detection, Source};

use crate::border::{ask, line};

/// How bad a detection is.
pub type esets_class = i32;

/// A threat known by a signature.
pub const ESETS_CLASS_MALWARE: esets_class = 1;
/// Legitimate but dangerous in the wrong hands.
pub const ESETS_CLASS_UNSAFE: esets_class = 2;
/// Not malicious, yet rarely wanted.
pub const ESETS_CLASS_UNWANTED: esets_class = 3;
/// Found by a heuristic.
pub const ESETS_CLASS_SUSPICIOUS: esets_class = 4;

/// What found a detection.
pub type esets_source = i32;

/// A signature of the database.
pub const ESETS_SOURCE_SIGNATURE: esets_source = 1;
/// A heuristic.
pub const ESETS_SOURCE_HEURISTIC: esets_source = 2;

/// No such record, no offset.
pub const ESETS_NONE: u64 = u64::MAX;

/// One thing found in one object.
pub struct esets_detection {
    pub(crate) name: CString,
    class: esets_class,
    source: esets_source,
    offset: u64,
}

impl esets_detection {
    pub(crate) fn new(detection: &Detection) -> Self {
        Self {
            name: line(&detection.name),
            class: match detection.class {
                Class::Malware => ESETS_CLASS_MALWARE,
                Class::PotentiallyUnsafe => ESETS_CLASS_UNSAFE,
                Class::PotentiallyUnwanted => ESETS_CLASS_UNWANTED,
                Class::Suspicious => ESETS_CLASS_SUSPICIOUS,
                _ => 0,
            },
            source: match detection.source {
                Source::Signature => ESETS_SOURCE_SIGNATURE,
                Source::Heuristic => ESETS_SOURCE_HEURISTIC,
                _ => 0,
            },
            offset: detection.offset.unwrap_or(ESETS_NONE),
        }
    }
}

/// The name of a detection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_detection_name(detection: *const esets_detection) -> *const c_char {
    // SAFETY: the caller promises a detection or NULL.
    ask(ptr::null(), || Some(unsafe { detection.as_ref() }?.name.as_ptr()))
}

/// How bad a detection is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_detection_class(detection: *const esets_detection) -> esets_class {
    // SAFETY: the caller promises a detection or NULL.
    ask(0, || Some(unsafe { detection.as_ref() }?.class))
}

/// What found a detection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_detection_source(detection: *const esets_detection) -> esets_source {
    // SAFETY: the caller promises a detection or NULL.
    ask(0, || Some(unsafe { detection.as_ref() }?.source))
}

/// Where in the object a detection begins; `ESETS_NONE` if it has no place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esets_detection_offset(detection: *const esets_detection) -> u64 {
    // SAFETY: the caller promises a detection or NULL.
    ask(ESETS_NONE, || Some(unsafe { detection.as_ref() }?.offset))
}
