/* Scans a file with a progress line for every object, and gives up on Ctrl-C.
 *
 *     ./watch FILE
 */
#include <esets.h>
#include <signal.h>
#include <stdio.h>

static esets_interrupt *interrupt;

/* Raising a cancel button only sets a flag, so a signal handler may do it. */
static void on_signal(int number) {
    (void)number;
    esets_interrupt_raise(interrupt);
}

static int on_object(void *user, const esets_record *record) {
    unsigned *objects = (unsigned *)user;
    *objects += 1;
    printf("%u: %llu bytes, status %d\n", *objects,
           (unsigned long long)esets_record_size(record), (int)esets_record_status(record));
    return 0;
}

static int scan(esets_scanner *scanner, esets_session *session, const char *path) {
    esets_verdict *verdict = NULL;
    char *json = NULL;
    esets_result result = esets_scan_path(scanner, session, path, &verdict);

    if (result == ESETS_OK)
        result = esets_verdict_json(verdict, &json);
    puts(result == ESETS_OK ? json : esets_result_text(result));
    esets_text_free(json);
    esets_verdict_free(verdict);
    return result == ESETS_OK ? 0 : 1;
}

int main(int count, char **words) {
    esets_database *database = NULL;
    esets_scanner *scanner = NULL;
    esets_session *session = NULL;
    unsigned objects = 0;
    int code = 1;

    if (count == 2 && esets_interrupt_new(&interrupt) == ESETS_OK &&
        esets_database_embedded(&database) == ESETS_OK &&
        esets_scanner_new(database, &scanner) == ESETS_OK &&
        esets_session_new(&session) == ESETS_OK) {
        signal(SIGINT, on_signal);
        esets_session_set_interrupt(session, interrupt);
        esets_session_set_observer(session, on_object, &objects);
        code = scan(scanner, session, words[1]);
        signal(SIGINT, SIG_DFL);
    }
    esets_session_free(session);
    esets_scanner_free(scanner);
    esets_database_free(database);
    esets_interrupt_free(interrupt);
    return code;
}
