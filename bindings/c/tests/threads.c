/* Eight threads on one database and one scanner, while the main thread reloads the one, changes the
 * other, and at last cancels them all. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 50 };

static esets_database *database;
static esets_scanner *scanner;
static esets_interrupt *interrupt;

static int count_object(void *user, const esets_record *record) {
    (void)record;
    ++*(int *)user;
    return 0;
}

static void *scan_often(void *user) {
    esets_session *session;
    esets_verdict *verdict;
    int objects = 0, i;

    CHECK(esets_session_new(&session) == ESETS_OK);
    CHECK(esets_session_set_observer(session, count_object, &objects) == ESETS_OK);
    for (i = 0; i < ROUNDS; i++) {
        CHECK(esets_scan_memory(scanner, session, "a marker", 8, NULL, &verdict) == ESETS_OK);
        CHECK(esets_verdict_status(verdict) == ESETS_STATUS_INFECTED);
        esets_verdict_free(verdict);
    }
    CHECK(objects == ROUNDS);
    esets_session_free(session);
    return user;
}

/* As deep as any caller can ask for, in as little stack as the header asks for. */
static void *scan_deep(void *user) {
    static unsigned char bytes[64 * 2048];
    esets_verdict *verdict;
    size_t size = 4, i;

    memcpy(bytes, "leaf", size);
    for (i = 0; i < 62; i++)
        size = archive(bytes, size, "inner.tar");
    CHECK(esets_scan_memory(scanner, NULL, bytes, size, "outer.tar", &verdict) == ESETS_OK);
    CHECK(esets_verdict_objects(verdict) == 63);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_CLEAN);
    esets_verdict_free(verdict);
    return user;
}

static void a_small_stack_is_enough(void) {
    pthread_attr_t attributes;
    pthread_t thread;

    CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_DEPTH, 64) == ESETS_OK);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, 2 << 20) == 0);
    CHECK(pthread_create(&thread, &attributes, scan_deep, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
}

static ssize_t read_for_ever(void *user, void *buffer, size_t size) {
    (void)user;
    memset(buffer, 0, size);
    return size > 0 ? 1 : 0;
}

static void *scan_for_ever(void *user) {
    esets_session *session;
    esets_verdict *verdict;

    CHECK(esets_session_new(&session) == ESETS_OK);
    CHECK(esets_session_set_interrupt(session, interrupt) == ESETS_OK);
    CHECK(esets_scan_reader(scanner, session, read_for_ever, NULL, NULL, &verdict) == ESETS_OK);
    CHECK(esets_record_reason(esets_verdict_record(verdict, 0), 0) == ESETS_REASON_CANCELLED);
    esets_verdict_free(verdict);
    esets_session_free(session);
    return user;
}

static void run(void *(*body)(void *), void (*meanwhile)(void)) {
    pthread_t threads[THREADS];
    int i;

    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
    meanwhile();
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void change_settings(void) {
    int i;
    for (i = 0; i < ROUNDS; i++) {
        CHECK(esets_scanner_set_limit(scanner, ESETS_LIMIT_DEPTH, 10 + (uint64_t)i) == ESETS_OK);
        CHECK(esets_scanner_set_option(scanner, ESETS_OPTION_UNSAFE, i % 2) == ESETS_OK);
        CHECK(esets_database_reload(database, NULL) == ESETS_OK);
    }
}

static void cancel(void) {
    CHECK(esets_interrupt_raise(interrupt) == ESETS_OK);
}

int main(void) {
    FILE *file = fopen("test.ndb", "w");

    CHECK(file != NULL && fputs("Test.Marker:0:*:61206d61726b6572\n", file) >= 0);
    CHECK(fclose(file) == 0);
    CHECK(esets_database_open("test.ndb", &database, NULL) == ESETS_OK);
    CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
    CHECK(esets_interrupt_new(&interrupt) == ESETS_OK);
    run(scan_often, change_settings);
    run(scan_for_ever, cancel);
    a_small_stack_is_enough();
    esets_interrupt_free(interrupt);
    esets_scanner_free(scanner);
    esets_database_free(database);
    return 0;
}
