/* The client of the daemon, which the test around this program plays: every answer it may give. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static esets_client *client;
static esets_context *context;

static void check_answer(esets_result result, esets_verdict *verdict, esets_decision *decision,
                         const char *content) {
    CHECK(result == ESETS_OK);
    CHECK(esets_decision_action(decision) == ESETS_ACTION_DISCARD);
    CHECK(strcmp(esets_decision_rule(decision), "action_av in [global], x:2") == 0);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_NOT_SCANNED);
    CHECK(strcmp(esets_record_name(esets_verdict_record(verdict, 0), NULL), content) == 0);
    esets_verdict_free(verdict);
    esets_decision_free(decision);
}

static void every_way(void) {
    esets_verdict *verdict;
    esets_decision *decision;
    esets_result result;
    char byte;
    int fd;

    result = esets_client_scan_memory(client, context, "abc", 3, "n", &verdict, &decision);
    check_answer(result, verdict, decision, "abc");
    result = esets_client_scan_memory(client, context, NULL, 0, NULL, &verdict, &decision);
    check_answer(result, verdict, decision, "");
    result = esets_client_scan_path(client, context, "content", &verdict, &decision);
    check_answer(result, verdict, decision, "from a file");
    fd = open("content", O_RDONLY);
    CHECK(fd >= 0);
    result = esets_client_scan_descriptor(client, context, fd, "n", &verdict, &decision);
    check_answer(result, verdict, decision, "from a file");
    CHECK(read(fd, &byte, 1) == 1 && byte == 'f' && close(fd) == 0);
}

static void no_answer(const esets_client *from, const char *name, int error) {
    esets_verdict *verdict;
    esets_decision *decision;

    errno = 0;
    CHECK(esets_client_scan_memory(from, context, "x", 1, name, &verdict, &decision) ==
          ESETS_ERROR_DAEMON);
    CHECK(errno == error && verdict == NULL && decision == NULL);
}

static void misuse(void) {
    esets_client *none = client;
    esets_verdict *verdict;
    esets_decision *decision;

    CHECK(esets_client_new(NULL, 0, &none) == ESETS_ERROR_NULL && none == NULL);
    CHECK(esets_client_new("sock", 0, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_client_scan_memory(NULL, context, "x", 1, "n", &verdict, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_client_scan_memory(client, NULL, "x", 1, "n", &verdict, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_client_scan_memory(client, context, NULL, 1, "n", &verdict, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_client_scan_memory(client, context, "x", 1, "n", NULL, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_client_scan_memory(client, context, "x", 1, "n", &verdict, NULL) ==
          ESETS_ERROR_NULL);
    CHECK(esets_client_scan_path(client, context, NULL, &verdict, &decision) == ESETS_ERROR_NULL);
    CHECK(esets_client_scan_path(client, context, ".", &verdict, &decision) ==
          ESETS_ERROR_FILE_TYPE);
    CHECK(esets_client_scan_path(client, context, "nothing", &verdict, &decision) ==
              ESETS_ERROR_IO && errno == ENOENT);
    CHECK(esets_client_scan_descriptor(client, context, -1, "n", &verdict, &decision) ==
              ESETS_ERROR_IO && errno == EBADF);
    CHECK(esets_client_scan_descriptor(client, context, 999, "n", &verdict, &decision) ==
              ESETS_ERROR_IO && errno == EBADF);
    CHECK(verdict == NULL && decision == NULL);
    esets_client_free(NULL);
}

static void *in_a_thread(void *user) {
    every_way();
    return user;
}

int main(void) {
    esets_client *nobody;
    pthread_t threads[4];
    size_t i;

    CHECK(esets_context_new("cli", &context) == ESETS_OK);
    CHECK(esets_client_new("sock", 60000, &client) == ESETS_OK);
    every_way();
    no_answer(client, "refuse", EPROTO);
    no_answer(client, "hangup", EPROTO);
    every_way();
    CHECK(esets_client_new("nobody", 0, &nobody) == ESETS_OK);
    no_answer(nobody, "n", ENOENT);
    esets_client_free(nobody);
    misuse();
    for (i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, in_a_thread, NULL) == 0);
    for (i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    esets_client_free(client);
    esets_context_free(context);
    return 0;
}
