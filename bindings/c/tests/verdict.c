/* What scans answer: by memory, path, descriptor and reader, with limits, observers and cancel. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <fcntl.h>
#include <unistd.h>

static esets_scanner *scanner;

/* The name gives it away, whatever the content. */
static const char NAME[] = "invoice.pdf.exe";
static const char CONTENT[] = "not really a program";

static void check_verdict(esets_verdict *verdict) {
    const esets_record *record = esets_verdict_record(verdict, 0);
    const esets_detection *detection;
    size_t at = 99, size;

    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_INFECTED);
    CHECK(esets_verdict_objects(verdict) == 1 && esets_verdict_records(verdict) == 1);
    CHECK(esets_verdict_bytes(verdict) == strlen(CONTENT));
    CHECK(esets_verdict_record(verdict, 1) == NULL);
    CHECK(esets_record_status(record) == ESETS_STATUS_INFECTED);
    CHECK(esets_record_parent(record) == ESETS_NONE);
    CHECK(esets_record_size(record) == strlen(CONTENT));
    CHECK(strcmp(esets_record_name(record, &size), NAME) == 0 && size == strlen(NAME));
    CHECK(esets_record_reasons(record) == 0 && esets_record_reason(record, 0) == 0);
    CHECK(esets_record_detections(record) == 1 && esets_record_detection(record, 1) == NULL);
    CHECK(esets_verdict_threats(verdict) == 1);
    CHECK(esets_verdict_threat(verdict, 1, NULL) == NULL);
    detection = esets_verdict_threat(verdict, 0, &at);
    CHECK(at == 0 && detection == esets_record_detection(record, 0));
    CHECK(strcmp(esets_detection_name(detection), "Heur.DoubleExtension") == 0);
    CHECK(esets_detection_class(detection) == ESETS_CLASS_SUSPICIOUS);
    CHECK(esets_detection_source(detection) == ESETS_SOURCE_HEURISTIC);
    CHECK(esets_detection_offset(detection) == ESETS_NONE);
    esets_verdict_free(verdict);
}

static ssize_t read_bytewise(void *user, void *buffer, size_t size) {
    const char **rest = (const char **)user;
    if (**rest == '\0' || size == 0)
        return 0;
    *(char *)buffer = *(*rest)++;
    return 1;
}

static void every_way_in_gives_the_same_verdict(void) {
    esets_verdict *verdict;
    const char *rest = CONTENT;
    FILE *file = fopen(NAME, "w");
    int fd;

    CHECK(file != NULL && fputs(CONTENT, file) >= 0 && fclose(file) == 0);
    CHECK(esets_scan_memory(scanner, NULL, CONTENT, strlen(CONTENT), NAME, &verdict) == ESETS_OK);
    check_verdict(verdict);
    CHECK(esets_scan_path(scanner, NULL, NAME, &verdict) == ESETS_OK);
    check_verdict(verdict);
    CHECK(esets_scan_reader(scanner, NULL, read_bytewise, &rest, NAME, &verdict) == ESETS_OK);
    check_verdict(verdict);
    fd = open(NAME, O_RDONLY);
    CHECK(fd >= 0 && lseek(fd, 5, SEEK_SET) == 5);
    CHECK(esets_scan_descriptor(scanner, NULL, fd, NAME, &verdict) == ESETS_OK);
    check_verdict(verdict);
    CHECK(lseek(fd, 0, SEEK_CUR) == 5 && close(fd) == 0);
}

static void nothing_is_clean(void) {
    esets_verdict *verdict;
    size_t size = 9;

    CHECK(esets_scan_memory(scanner, NULL, NULL, 0, NULL, &verdict) == ESETS_OK);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_CLEAN);
    CHECK(strcmp(esets_record_name(esets_verdict_record(verdict, 0), &size), "") == 0);
    CHECK(size == 0);
    esets_verdict_free(verdict);
}

/* A tar archive with one member called NAME that holds CONTENT. */
static size_t one_member(unsigned char *bytes) {
    memcpy(bytes, CONTENT, strlen(CONTENT));
    return archive(bytes, strlen(CONTENT), NAME);
}

static void a_member_has_a_record_of_its_own(void) {
    unsigned char bytes[4 * 512];
    size_t size = one_member(bytes), at = 99;
    esets_verdict *verdict;
    const esets_record *record;

    CHECK(esets_scan_memory(scanner, NULL, bytes, size, "a.tar", &verdict) == ESETS_OK);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_INFECTED);
    CHECK(esets_verdict_objects(verdict) == 2 && esets_verdict_records(verdict) == 2);
    record = esets_verdict_record(verdict, 0);
    CHECK(esets_record_status(record) == ESETS_STATUS_CLEAN);
    CHECK(esets_record_formats(record) == 1 && esets_record_format(record, 1) == NULL);
    CHECK(strcmp(esets_record_format(record, 0), "tar") == 0);
    record = esets_verdict_record(verdict, 1);
    CHECK(esets_record_status(record) == ESETS_STATUS_INFECTED);
    CHECK(esets_record_parent(record) == 0 && esets_record_formats(record) == 0);
    CHECK(esets_verdict_threat(verdict, 0, &at) != NULL && at == 1);
    esets_verdict_free(verdict);
}

static void a_format_that_is_switched_off_is_not_scanned(void) {
    unsigned char bytes[4 * 512];
    size_t size = one_member(bytes);
    esets_database *database;
    esets_scanner *other;
    esets_verdict *verdict;

    CHECK(esets_database_embedded(&database) == ESETS_OK);
    CHECK(esets_scanner_new(database, &other) == ESETS_OK);
    CHECK(esets_scanner_skip_format(other, "tar") == ESETS_OK);
    CHECK(esets_scan_memory(other, NULL, bytes, size, "a.tar", &verdict) == ESETS_OK);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_NOT_SCANNED);
    CHECK(esets_record_reason(esets_verdict_record(verdict, 0), 0) == ESETS_REASON_UNSUPPORTED);
    esets_verdict_free(verdict);
    esets_scanner_free(other);
    esets_database_free(database);
}

static int stop_at_once(void *user, const esets_record *record) {
    ++*(int *)user;
    return esets_record_parent(record) != ESETS_NONE;
}

static void an_observer_can_end_the_scan(void) {
    unsigned char bytes[2 * 4 * 512];
    size_t size = one_member(bytes);
    esets_session *session;
    esets_verdict *verdict;
    int objects = 0;

    /* Two members: the second comes where the end of the archive was. */
    one_member(bytes + 2 * 512);
    CHECK(esets_session_new(&session) == ESETS_OK);
    CHECK(esets_session_set_observer(session, stop_at_once, &objects) == ESETS_OK);
    CHECK(esets_scan_memory(scanner, session, bytes, size + 2 * 512, "a", &verdict) == ESETS_OK);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_INFECTED);
    CHECK(esets_verdict_objects(verdict) == 3 && objects == 3);
    CHECK(esets_record_detections(esets_verdict_record(verdict, 1)) == 1);
    CHECK(esets_record_detections(esets_verdict_record(verdict, 2)) == 0);
    CHECK(esets_record_reason(esets_verdict_record(verdict, 2), 0) == ESETS_REASON_CANCELLED);
    esets_verdict_free(verdict);
    esets_session_free(session);
}

static void reports_are_text(void) {
    esets_verdict *verdict;
    char *text;

    CHECK(esets_scan_memory(scanner, NULL, "12345", 5, "a\"b\n.txt", &verdict) == ESETS_OK);
    CHECK(esets_verdict_tree(verdict, &text) == ESETS_OK);
    CHECK(strncmp(text, "a\"b\\u{a}.txt [", 14) == 0);
    esets_text_free(text);
    CHECK(esets_verdict_json(verdict, &text) == ESETS_OK);
    CHECK(strncmp(text, "{\"status\":\"clean\",\"records\":[{", 30) == 0);
    CHECK(strstr(text, "\"name\":\"a\\\"b\\n.txt\"") != NULL && strchr(text, '\n') == NULL);
    esets_text_free(text);
    esets_verdict_free(verdict);
}

static void check_limit(esets_verdict *verdict, esets_limit limit) {
    const esets_record *record = esets_verdict_record(verdict, 0);

    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_NOT_SCANNED);
    CHECK(esets_record_reason(record, 0) == ESETS_REASON_LIMIT);
    CHECK(esets_record_reason_limit(record, 0) == limit);
    CHECK(strncmp(esets_record_reason_text(record, 0), "limit reached: ", 15) == 0);
    esets_verdict_free(verdict);
}

static ssize_t read_for_ever(void *user, void *buffer, size_t size) {
    (void)user;
    memset(buffer, 0, size);
    return (ssize_t)size;
}

static void limits_are_kept(void) {
    esets_verdict *verdict;

    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_SCAN_SIZE, 3) == ESETS_OK);
    CHECK(esets_scan_memory(scanner, NULL, "1234", 4, NULL, &verdict) == ESETS_OK);
    check_limit(verdict, ESETS_LIMIT_SCAN_SIZE);
    CHECK(esets_scan_path(scanner, NULL, NAME, &verdict) == ESETS_OK);
    check_limit(verdict, ESETS_LIMIT_SCAN_SIZE);
    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_SCAN_SIZE, 5 << 20) == ESETS_OK);
    CHECK(esets_scan_reader(scanner, NULL, read_for_ever, NULL, NULL, &verdict) == ESETS_OK);
    check_limit(verdict, ESETS_LIMIT_SCAN_SIZE);
    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_SCAN_SIZE, UINT64_MAX) == ESETS_OK);
    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_TIME, 20) == ESETS_OK);
    CHECK(esets_scan_reader(scanner, NULL, read_for_ever, NULL, NULL, &verdict) == ESETS_OK);
    check_limit(verdict, ESETS_LIMIT_TIME);
    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_TIME, 0) == ESETS_OK);
    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_SCAN_SIZE, 1 << 30) == ESETS_OK);
}

struct seen {
    int objects;
    int answer;
};

static int on_object(void *user, const esets_record *record) {
    struct seen *seen = (struct seen *)user;
    seen->objects++;
    CHECK(esets_record_size(record) == strlen(CONTENT));
    CHECK(esets_record_detections(record) == 1);
    return seen->answer;
}

static void an_observer_sees_the_objects(void) {
    struct seen seen = {0, 0};
    esets_session *session;
    esets_verdict *verdict;

    CHECK(esets_session_new(&session) == ESETS_OK);
    CHECK(esets_session_add_password(session, "infected", 8) == ESETS_OK);
    CHECK(esets_session_set_observer(session, on_object, &seen) == ESETS_OK);
    CHECK(esets_scan_path(scanner, session, NAME, &verdict) == ESETS_OK);
    check_verdict(verdict);
    CHECK(seen.objects == 1);
    CHECK(esets_session_set_observer(session, NULL, NULL) == ESETS_OK);
    CHECK(esets_scan_path(scanner, session, NAME, &verdict) == ESETS_OK);
    check_verdict(verdict);
    CHECK(seen.objects == 1);
    esets_session_free(session);
}

static void a_raised_button_cancels_until_it_is_cleared(void) {
    esets_interrupt *interrupt;
    esets_session *session;
    esets_verdict *verdict;
    const esets_record *record;

    CHECK(esets_interrupt_new(&interrupt) == ESETS_OK && esets_session_new(&session) == ESETS_OK);
    CHECK(esets_session_set_interrupt(session, interrupt) == ESETS_OK);
    CHECK(esets_interrupt_raise(interrupt) == ESETS_OK);
    CHECK(esets_scan_path(scanner, session, NAME, &verdict) == ESETS_OK);
    record = esets_verdict_record(verdict, 0);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_NOT_SCANNED);
    CHECK(esets_record_reason(record, 0) == ESETS_REASON_CANCELLED);
    CHECK(strcmp(esets_record_reason_text(record, 0), "cancelled") == 0);
    esets_verdict_free(verdict);
    CHECK(esets_interrupt_clear(interrupt) == ESETS_OK);
    CHECK(esets_scan_path(scanner, session, NAME, &verdict) == ESETS_OK);
    check_verdict(verdict);
    esets_session_free(session);
    esets_interrupt_free(interrupt);
}

int main(void) {
    esets_database *database;

    CHECK(esets_database_embedded(&database) == ESETS_OK);
    CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
    every_way_in_gives_the_same_verdict();
    nothing_is_clean();
    a_member_has_a_record_of_its_own();
    a_format_that_is_switched_off_is_not_scanned();
    an_observer_can_end_the_scan();
    reports_are_text();
    limits_are_kept();
    an_observer_sees_the_objects();
    a_raised_button_cancels_until_it_is_cleared();
    esets_scanner_free(scanner);
    esets_database_free(database);
    return 0;
}
