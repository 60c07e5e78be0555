/* NULLs, wrong orders, wrong keys and bad paths: every call answers, none crashes. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void frees_take_null(void) {
    esets_text_free(NULL);
    esets_database_free(NULL);
    esets_scanner_free(NULL);
    esets_interrupt_free(NULL);
    esets_session_free(NULL);
    esets_verdict_free(NULL);
}

static void calls_refuse_null(const esets_database *database, esets_scanner *scanner) {
    esets_scanner *other = (esets_scanner *)(void *)scanner;
    esets_verdict *verdict = (esets_verdict *)(void *)scanner;
    uint64_t value;

    CHECK(esets_database_embedded(NULL) == ESETS_ERROR_NULL);
    CHECK(esets_scanner_new(NULL, &other) == ESETS_ERROR_NULL && other == NULL);
    CHECK(esets_scanner_new(database, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_scanner_set_limit(NULL, ESETS_LIMIT_DEPTH, 1) == ESETS_ERROR_NULL);
    CHECK(esets_scanner_limit(NULL, ESETS_LIMIT_DEPTH, &value) == ESETS_ERROR_NULL);
    CHECK(esets_scanner_limit(scanner, ESETS_LIMIT_DEPTH, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_scanner_set_option(NULL, ESETS_OPTION_UNSAFE, 1) == ESETS_ERROR_NULL);
    CHECK(esets_scanner_option(scanner, ESETS_OPTION_UNSAFE, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_scanner_skip_format(NULL, "zip") == ESETS_ERROR_NULL);
    CHECK(esets_scanner_skip_format(scanner, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_interrupt_new(NULL) == ESETS_ERROR_NULL);
    CHECK(esets_interrupt_raise(NULL) == ESETS_ERROR_NULL);
    CHECK(esets_interrupt_clear(NULL) == ESETS_ERROR_NULL);
    CHECK(esets_session_new(NULL) == ESETS_ERROR_NULL);
    CHECK(esets_session_set_interrupt(NULL, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_session_set_observer(NULL, NULL, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_session_add_password(NULL, "x", 1) == ESETS_ERROR_NULL);
    CHECK(esets_scan_memory(NULL, NULL, "x", 1, "x", &verdict) == ESETS_ERROR_NULL);
    CHECK(verdict == NULL);
    CHECK(esets_scan_memory(scanner, NULL, NULL, 1, NULL, &verdict) == ESETS_ERROR_NULL);
    CHECK(esets_scan_memory(scanner, NULL, "x", SIZE_MAX, NULL, &verdict) == ESETS_ERROR_NULL);
    CHECK(esets_scan_memory(scanner, NULL, "x", 1, NULL, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_scan_path(scanner, NULL, NULL, &verdict) == ESETS_ERROR_NULL);
    CHECK(esets_scan_reader(scanner, NULL, NULL, NULL, NULL, &verdict) == ESETS_ERROR_NULL);
    CHECK(esets_verdict_json(NULL, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_verdict_tree(NULL, NULL) == ESETS_ERROR_NULL);
}

static void questions_about_null_are_answered(void) {
    size_t size = 7;

    CHECK(esets_verdict_status(NULL) == ESETS_STATUS_NOT_SCANNED);
    CHECK(esets_verdict_objects(NULL) == 0 && esets_verdict_bytes(NULL) == 0);
    CHECK(esets_verdict_records(NULL) == 0 && esets_verdict_record(NULL, 0) == NULL);
    CHECK(esets_verdict_threats(NULL) == 0 && esets_verdict_threat(NULL, 0, NULL) == NULL);
    CHECK(esets_record_status(NULL) == ESETS_STATUS_NOT_SCANNED);
    CHECK(esets_record_parent(NULL) == ESETS_NONE && esets_record_size(NULL) == 0);
    CHECK(esets_record_name(NULL, &size) == NULL && size == 0);
    CHECK(esets_record_name(NULL, NULL) == NULL);
    CHECK(esets_record_formats(NULL) == 0 && esets_record_format(NULL, 0) == NULL);
    CHECK(esets_record_detections(NULL) == 0 && esets_record_detection(NULL, 0) == NULL);
    CHECK(esets_record_reasons(NULL) == 0 && esets_record_reason(NULL, 0) == 0);
    CHECK(esets_record_reason_limit(NULL, 0) == 0 && esets_record_reason_text(NULL, 0) == NULL);
    CHECK(esets_record_defects(NULL) == 0 && esets_record_defect(NULL, 0) == NULL);
    CHECK(esets_detection_name(NULL) == NULL && esets_detection_class(NULL) == 0);
    CHECK(esets_detection_source(NULL) == 0 && esets_detection_offset(NULL) == ESETS_NONE);
}

static void wrong_keys_and_values_are_refused(esets_scanner *scanner) {
    uint64_t value;

    CHECK(esets_scanner_set_limit(scanner, 0, 1) == ESETS_ERROR_ARGUMENT);
    CHECK(esets_scanner_set_limit(scanner, -1, 1) == ESETS_ERROR_ARGUMENT);
    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_DEPTH, UINT64_MAX) == ESETS_ERROR_ARGUMENT);
    CHECK(esets_scanner_limit(scanner, 99, &value) == ESETS_ERROR_ARGUMENT);
    CHECK(esets_scanner_set_option(scanner, ESETS_OPTION_UNSAFE, 2) == ESETS_ERROR_ARGUMENT);
    CHECK(esets_scanner_set_option(scanner, 99, 1) == ESETS_ERROR_ARGUMENT);
    CHECK(esets_scanner_option(scanner, 99, &value) == ESETS_ERROR_ARGUMENT);
    CHECK(esets_scanner_skip_format(scanner, "no such format") == ESETS_ERROR_ARGUMENT);
    CHECK(strcmp(esets_result_text(99), "unknown result") == 0);
}

static void settings_are_kept(esets_scanner *scanner) {
    uint64_t value;
    int32_t key;

    for (key = ESETS_LIMIT_DEPTH; key <= ESETS_LIMIT_TIME; key++) {
        uint64_t before;
        CHECK(esets_scanner_limit(scanner, key, &before) == ESETS_OK);
        CHECK(esets_scanner_set_limit(scanner, key, 21) == ESETS_OK);
        CHECK(esets_scanner_limit(scanner, key, &value) == ESETS_OK && value == 21);
        CHECK(esets_scanner_set_limit(scanner, key, before) == ESETS_OK);
    }
    for (key = ESETS_OPTION_HEURISTICS; key <= ESETS_OPTION_UNWANTED; key++) {
        uint64_t before;
        CHECK(esets_scanner_option(scanner, key, &before) == ESETS_OK);
        CHECK(before == (key == ESETS_OPTION_HEURISTICS));
        CHECK(esets_scanner_set_option(scanner, key, 1) == ESETS_OK);
        CHECK(esets_scanner_option(scanner, key, &value) == ESETS_OK && value == 1);
        CHECK(esets_scanner_set_option(scanner, key, before) == ESETS_OK);
    }
}

static void bad_paths_say_why(const esets_scanner *scanner) {
    esets_verdict *verdict;
    int ends[2];

    CHECK(esets_scan_path(scanner, NULL, "no such file", &verdict) == ESETS_ERROR_IO);
    CHECK(errno == ENOENT && verdict == NULL);
    CHECK(esets_scan_path(scanner, NULL, "", &verdict) == ESETS_ERROR_IO && errno == ENOENT);
    CHECK(esets_scan_path(scanner, NULL, ".", &verdict) == ESETS_ERROR_FILE_TYPE);
    CHECK(esets_scan_path(scanner, NULL, "/dev/zero", &verdict) == ESETS_ERROR_FILE_TYPE);
    unlink("fifo");
    CHECK(mkfifo("fifo", 0600) == 0);
    CHECK(esets_scan_path(scanner, NULL, "fifo", &verdict) == ESETS_ERROR_FILE_TYPE);
    CHECK(esets_scan_descriptor(scanner, NULL, -1, NULL, &verdict) == ESETS_ERROR_IO);
    CHECK(errno == EBADF);
    CHECK(esets_scan_descriptor(scanner, NULL, 987, NULL, &verdict) == ESETS_ERROR_IO);
    CHECK(errno == EBADF && verdict == NULL);
    CHECK(pipe(ends) == 0);
    CHECK(esets_scan_descriptor(scanner, NULL, ends[1], NULL, &verdict) == ESETS_ERROR_IO);
    CHECK(errno == EBADF);
    CHECK(write(ends[1], "piped", 5) == 5 && close(ends[1]) == 0);
    CHECK(esets_scan_descriptor(scanner, NULL, ends[0], "pipe", &verdict) == ESETS_OK);
    CHECK(esets_verdict_bytes(verdict) == 5);
    esets_verdict_free(verdict);
    CHECK(close(ends[0]) == 0);
}

static ssize_t lie(void *user, void *buffer, size_t size) {
    (void)buffer;
    errno = ETIMEDOUT;
    return *(int *)user > 0 ? (ssize_t)size + 1 : -1;
}

static void readers_that_fail_say_why(const esets_scanner *scanner) {
    esets_verdict *verdict;
    int which = 0;

    CHECK(esets_scan_reader(scanner, NULL, lie, &which, NULL, &verdict) == ESETS_ERROR_IO);
    CHECK(errno == ETIMEDOUT && verdict == NULL);
    which = 1;
    CHECK(esets_scan_reader(scanner, NULL, lie, &which, NULL, &verdict) == ESETS_ERROR_IO);
    CHECK(errno == EINVAL && verdict == NULL);
}

/* A scanner outlives its database, and a session its cancel button. */
static void the_order_of_freeing_does_not_matter(void) {
    esets_database *database;
    esets_scanner *scanner;
    esets_interrupt *interrupt;
    esets_session *session;
    esets_verdict *verdict;

    CHECK(esets_database_embedded(&database) == ESETS_OK);
    CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
    esets_database_free(database);
    CHECK(esets_interrupt_new(&interrupt) == ESETS_OK);
    CHECK(esets_session_new(&session) == ESETS_OK);
    CHECK(esets_session_set_interrupt(session, interrupt) == ESETS_OK);
    CHECK(esets_interrupt_raise(interrupt) == ESETS_OK);
    esets_interrupt_free(interrupt);
    CHECK(esets_scan_memory(scanner, session, "x", 1, NULL, &verdict) == ESETS_OK);
    esets_session_free(session);
    esets_scanner_free(scanner);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_NOT_SCANNED);
    CHECK(esets_record_reason(esets_verdict_record(verdict, 0), 0) == ESETS_REASON_CANCELLED);
    esets_verdict_free(verdict);
}

int main(void) {
    esets_database *database;
    esets_scanner *scanner;

    frees_take_null();
    questions_about_null_are_answered();
    CHECK(esets_database_embedded(&database) == ESETS_OK);
    CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
    calls_refuse_null(database, scanner);
    wrong_keys_and_values_are_refused(scanner);
    settings_are_kept(scanner);
    bad_paths_say_why(scanner);
    readers_that_fail_say_why(scanner);
    the_order_of_freeing_does_not_matter();
    esets_scanner_free(scanner);
    esets_database_free(database);
    return 0;
}
