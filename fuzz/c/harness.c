/* Any bytes through the C interface: scanned, walked, reported, decided about. Nothing may crash or
 * leak, and clean is earned.
 *
 *     clang -g -fsanitize=fuzzer,address harness.c $(pkg-config --cflags --libs esets) -o harness
 *     ./harness corpus/
 *
 * The first byte of an input chooses options and the way in, the rest is the object.
 */
#include <esets.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS(condition) \
    do {                 \
        if (!(condition)) \
            abort();     \
    } while (0)

static esets_database *database;
static esets_policy *policy;

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerInitialize(int *count, char ***words) {
    (void)count;
    (void)words;
    HOLDS(esets_database_embedded(&database) == ESETS_OK);
    HOLDS(esets_policy_default(&policy) == ESETS_OK);
    return 0;
}

struct source {
    const uint8_t *bytes;
    size_t size;
};

static ssize_t read_source(void *user, void *buffer, size_t size) {
    struct source *source = (struct source *)user;
    size_t count = source->size < size ? source->size : size;
    if (count > 0)
        memcpy(buffer, source->bytes, count);
    source->bytes += count;
    source->size -= count;
    return (ssize_t)count;
}

/* Reads everything that a record says, so that a wrong pointer is a crash. */
static size_t read_record(const esets_record *record) {
    size_t i, size, sum = 0;
    const char *name = esets_record_name(record, &size);

    HOLDS(name[size] == '\0');
    for (i = 0; i < esets_record_formats(record); i++)
        sum += strlen(esets_record_format(record, i));
    for (i = 0; i < esets_record_detections(record); i++)
        sum += strlen(esets_detection_name(esets_record_detection(record, i)));
    for (i = 0; i < esets_record_reasons(record); i++)
        sum += strlen(esets_record_reason_text(record, i));
    for (i = 0; i < esets_record_defects(record); i++)
        sum += strlen(esets_record_defect(record, i));
    return sum;
}

static int observe(void *user, const esets_record *record) {
    size_t *left = (size_t *)user;
    read_record(record);
    return --*left == 0;
}

static esets_verdict *scan(uint8_t options, const uint8_t *bytes, size_t size) {
    esets_scanner *scanner;
    esets_session *session;
    esets_verdict *verdict;
    struct source source = {bytes, size};
    size_t left = 200;

    HOLDS(esets_scanner_new(database, &scanner) == ESETS_OK);
    HOLDS(esets_session_new(&session) == ESETS_OK);
    esets_scanner_set_limit(scanner, ESETS_LIMIT_SCAN_SIZE, 16 << 20);
    esets_scanner_set_limit(scanner, ESETS_LIMIT_OBJECT_SIZE, 4 << 20);
    esets_scanner_set_limit(scanner, ESETS_LIMIT_OBJECTS, 1000);
    esets_scanner_set_limit(scanner, ESETS_LIMIT_TIME, 5000);
    esets_scanner_set_option(scanner, ESETS_OPTION_ALL_RECORDS, options & 1);
    esets_scanner_set_option(scanner, ESETS_OPTION_UNSAFE, options >> 1 & 1);
    if (options & 4)
        esets_session_set_observer(session, observe, &left);
    HOLDS((options & 8 ? esets_scan_reader(scanner, session, read_source, &source, "a", &verdict)
                       : esets_scan_memory(scanner, session, bytes, size, NULL, &verdict)) ==
          ESETS_OK);
    esets_session_free(session);
    esets_scanner_free(scanner);
    return verdict;
}

static void check_verdict(const esets_verdict *verdict) {
    size_t i, worst = 0, records = esets_verdict_records(verdict);
    char *text;

    for (i = 0; i < records; i++) {
        const esets_record *record = esets_verdict_record(verdict, i);
        esets_status status = esets_record_status(record);
        uint64_t parent = esets_record_parent(record);
        HOLDS(parent == ESETS_NONE ? i == 0 : parent < i);
        HOLDS((status == ESETS_STATUS_CLEAN) ==
              (esets_record_detections(record) + esets_record_reasons(record) == 0));
        worst = (size_t)status > worst ? (size_t)status : worst;
        read_record(record);
    }
    HOLDS((size_t)esets_verdict_status(verdict) == worst);
    HOLDS((esets_verdict_threats(verdict) > 0) == (worst == ESETS_STATUS_INFECTED));
    HOLDS(esets_verdict_json(verdict, &text) == ESETS_OK && strlen(text) > 0);
    esets_text_free(text);
    HOLDS(esets_verdict_tree(verdict, &text) == ESETS_OK && strlen(text) > 0);
    esets_text_free(text);
}

static void check_decision(const esets_verdict *verdict) {
    esets_context *context;
    esets_decision *decision;

    HOLDS(esets_context_new("smtp", &context) == ESETS_OK);
    HOLDS(esets_policy_decide(policy, context, verdict, &decision) == ESETS_OK);
    HOLDS(esets_verdict_status(verdict) != ESETS_STATUS_INFECTED ||
          esets_decision_action(decision) != ESETS_ACTION_ACCEPT);
    HOLDS(strlen(esets_decision_rule(decision)) > 0);
    esets_decision_free(decision);
    esets_context_free(context);
}

/* What is to pass can be made, whatever the message is. */
static void check_message(const uint8_t *bytes, size_t size) {
    esets_context *context;
    esets_verdict *verdict;
    esets_decision *decision;
    size_t i, length;

    HOLDS(esets_context_new("smtp", &context) == ESETS_OK);
    HOLDS(esets_context_set_modifiable(context, 1) == ESETS_OK);
    HOLDS(esets_policy_handle(policy, context, database, NULL, bytes, size, NULL, &verdict,
                              &decision) == ESETS_OK);
    for (i = 0; i < esets_decision_dispositions(decision); i++) {
        const esets_disposition *disposition = esets_decision_disposition(decision, i);
        esets_message *message;
        if (esets_disposition_action(disposition) != ESETS_ACTION_ACCEPT)
            continue;
        HOLDS(esets_disposition_apply(disposition, verdict, bytes, size, &message) == ESETS_OK);
        HOLDS(esets_message_bytes(message, &length) != NULL);
        esets_message_free(message);
    }
    esets_decision_free(decision);
    esets_verdict_free(verdict);
    esets_context_free(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    esets_verdict *verdict;

    if (size == 0)
        return 0;
    verdict = scan(bytes[0], bytes + 1, size - 1);
    check_verdict(verdict);
    check_decision(verdict);
    esets_verdict_free(verdict);
    if (bytes[0] & 16)
        check_message(bytes + 1, size - 1);
    return 0;
}
