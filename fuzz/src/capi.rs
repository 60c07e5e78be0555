//! Any bytes through the C interface, as a C program would hand them over.

use std::ffi::CString;
use std::ptr;
use std::sync::LazyLock;

use esets::{
    ESETS_ACTION_ACCEPT, ESETS_LIMIT_OBJECTS, ESETS_LIMIT_SCAN_SIZE, ESETS_NONE, ESETS_OK,
    ESETS_OPTION_ALL_RECORDS, ESETS_STATUS_CLEAN, ESETS_STATUS_INFECTED, esets_database,
    esets_scanner, esets_verdict,
};

/// The first byte is options, a text up to the first NUL the name, and the rest the object.
pub(crate) fn run(bytes: &[u8]) {
    let Some((options, rest)) = bytes.split_first() else { return };
    let (name, object) = rest.split_at(rest.iter().position(|byte| *byte == 0).unwrap_or(0));
    let name = CString::new(name).unwrap_or_default();
    let mut verdict = ptr::null_mut();
    // SAFETY: every pointer is one that the library handed over, or leads to a value that lives
    // through the call.
    unsafe {
        let scanner = scanner(*options);
        let (bytes, size) = (object.as_ptr().cast(), object.len());
        let name = name.as_ptr();
        let result =
            esets::esets_scan_memory(scanner, ptr::null(), bytes, size, name, &raw mut verdict);
        assert_eq!(result, ESETS_OK);
        esets::esets_scanner_free(scanner);
        walk(verdict);
        decide(verdict);
        esets::esets_verdict_free(verdict);
    }
}

/// A scanner with small limits.
fn scanner(options: u8) -> *mut esets_scanner {
    let mut scanner = ptr::null_mut();
    // SAFETY: the database lives as long as the program, and the place may be written to.
    unsafe {
        assert_eq!(esets::esets_scanner_new(DATABASE.0, &raw mut scanner), ESETS_OK);
        esets::esets_scanner_set_limit(scanner, ESETS_LIMIT_SCAN_SIZE, 16 << 20);
        esets::esets_scanner_set_limit(scanner, ESETS_LIMIT_OBJECTS, 1000);
        let all = u64::from(options & 1);
        esets::esets_scanner_set_option(scanner, ESETS_OPTION_ALL_RECORDS, all);
    }
    scanner
}

/// Reads all that the verdict says.
///
/// # Safety
/// The verdict is one.
unsafe fn walk(verdict: *const esets_verdict) {
    // SAFETY: the caller promises a verdict; what is read from it lives as long.
    unsafe {
        let mut worst = ESETS_STATUS_CLEAN;
        for index in 0..esets::esets_verdict_records(verdict) {
            let record = esets::esets_verdict_record(verdict, index);
            let status = esets::esets_record_status(record);
            let trouble =
                esets::esets_record_detections(record) + esets::esets_record_reasons(record);
            assert_eq!(status == ESETS_STATUS_CLEAN, trouble == 0, "clean is earned");
            let parent = esets::esets_record_parent(record);
            assert!(parent == ESETS_NONE || parent < index as u64, "a container comes first");
            let mut size = 0;
            let name = esets::esets_record_name(record, &raw mut size);
            assert_eq!(*name.add(size), 0, "a name ends in NUL");
            worst = worst.max(status);
        }
        assert_eq!(esets::esets_verdict_status(verdict), worst);
        let mut json = ptr::null_mut();
        assert_eq!(esets::esets_verdict_json(verdict, &raw mut json), ESETS_OK);
        esets::esets_text_free(json);
    }
}

/// Asks the default policy.
///
/// # Safety
/// The verdict is one.
unsafe fn decide(verdict: *const esets_verdict) {
    let (mut policy, mut context) = (ptr::null_mut(), ptr::null_mut());
    let mut decision = ptr::null_mut();
    // SAFETY: the caller promises a verdict; the places may be written to.
    unsafe {
        assert_eq!(esets::esets_policy_default(&raw mut policy), ESETS_OK);
        assert_eq!(esets::esets_context_new(c"smtp".as_ptr(), &raw mut context), ESETS_OK);
        let out = &raw mut decision;
        assert_eq!(esets::esets_policy_decide(policy, context, verdict, out), ESETS_OK);
        let passes = esets::esets_decision_action(decision) == ESETS_ACTION_ACCEPT;
        let is_infected = esets::esets_verdict_status(verdict) == ESETS_STATUS_INFECTED;
        assert!(!(passes && is_infected), "a threat passes");
        esets::esets_decision_free(decision);
        esets::esets_context_free(context);
        esets::esets_policy_free(policy);
    }
}

struct Shared(*mut esets_database);

// SAFETY: any thread may use a database at any time.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

static DATABASE: LazyLock<Shared> = LazyLock::new(|| {
    let mut database = ptr::null_mut();
    // SAFETY: the place may be written to.
    unsafe { esets::esets_database_embedded(&raw mut database) };
    Shared(database)
});
