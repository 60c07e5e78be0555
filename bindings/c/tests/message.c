/* Messages: handled by a policy, and as they pass. */
#include "check.h"

static const char MAIL[] =
    "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=edge\r\n\r\n"
    "--edge\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
    "--edge\r\nContent-Type: application/octet-stream; name=\"report.pdf.exe\"\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\ndGV4dA==\r\n--edge--\r\n";

static esets_policy *open_policy(const char *text) {
    esets_policy *policy;
    FILE *file = fopen("esets.cfg", "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    CHECK(esets_policy_open("esets.cfg", &policy, NULL) == ESETS_OK);
    return policy;
}

static esets_context *smtp(int modifiable) {
    esets_context *context;
    CHECK(esets_context_new("smtp", &context) == ESETS_OK);
    CHECK(esets_context_add_recipient(context, "bob@example.org") == ESETS_OK);
    CHECK(esets_context_set_modifiable(context, modifiable) == ESETS_OK);
    return context;
}

static int holds(const void *bytes, size_t size, const char *text) {
    const char *at = (const char *)bytes;
    size_t length = strlen(text);
    for (; size >= length; at++, size--)
        if (memcmp(at, text, length) == 0)
            return 1;
    return 0;
}

static void a_part_is_taken_out(const esets_database *database) {
    esets_policy *policy = open_policy("[smtp]\nav_clean_mode = \"delete\"\n"
                                       "action_av_deleted = \"accept\"\n"
                                       "av_eml_subject_prefix = \"[cleaned]\"\n");
    esets_context *context = smtp(1);
    const esets_disposition *disposition;
    esets_verdict *verdict;
    esets_decision *decision;
    esets_message *message;
    const void *bytes;
    size_t size;

    CHECK(esets_policy_handle(policy, context, database, NULL, MAIL, sizeof MAIL - 1, "mail",
                              &verdict, &decision) == ESETS_OK);
    CHECK(esets_verdict_status(verdict) == ESETS_STATUS_INFECTED);
    CHECK(esets_decision_action(decision) == ESETS_ACTION_ACCEPT);
    CHECK(esets_decision_dispositions(decision) == 1);
    disposition = esets_decision_disposition(decision, 0);
    CHECK(esets_disposition_removals(disposition) == 1);
    CHECK(strstr(esets_disposition_part_notice(disposition), "%FILENAME%") != NULL);
    CHECK(esets_disposition_apply(disposition, verdict, MAIL, sizeof MAIL - 1, &message) ==
          ESETS_OK);
    bytes = esets_message_bytes(message, &size);
    CHECK(bytes == esets_message_bytes(message, NULL) && size > 0);
    CHECK(!holds(bytes, size, "dGV4dA=="));
    CHECK(holds(bytes, size, "\r\n--edge\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"));
    CHECK(holds(bytes, size, "\r\nSubject: [cleaned] Report\r\n"));
    CHECK(holds(bytes, size, "X-Virus-Scanner: "));
    CHECK(holds(bytes, size, "report.pdf.exe"));
    esets_message_free(message);
    /* Without the verdict nobody knows where the part is. */
    CHECK(esets_disposition_apply(disposition, NULL, MAIL, sizeof MAIL - 1, &message) ==
          ESETS_ERROR_REWRITE);
    CHECK(message == NULL);
    CHECK(esets_disposition_apply(disposition, verdict, "", 0, &message) == ESETS_ERROR_REWRITE);
    esets_decision_free(decision);
    esets_verdict_free(verdict);
    esets_context_free(context);
    esets_policy_free(policy);
}

static void who_cannot_change_a_message_refuses_it(const esets_database *database) {
    esets_policy *policy = open_policy("[smtp]\nav_clean_mode = \"delete\"\n"
                                       "action_av_deleted = \"accept\"\n");
    esets_context *context = smtp(0);
    esets_verdict *verdict;
    esets_decision *decision;

    CHECK(esets_policy_handle(policy, context, database, NULL, MAIL, sizeof MAIL - 1, NULL,
                              &verdict, &decision) == ESETS_OK);
    CHECK(esets_decision_action(decision) == ESETS_ACTION_REJECT);
    esets_decision_free(decision);
    esets_verdict_free(verdict);
    esets_context_free(context);
    esets_policy_free(policy);
}

static void a_settled_message_has_no_verdict(const esets_database *database) {
    esets_policy *policy = open_policy("[smtp]\naction_av = \"discard\"\n");
    esets_context *context = smtp(1);
    esets_verdict *verdict;
    esets_decision *decision;
    esets_message *message;
    size_t size;

    CHECK(esets_policy_handle(policy, context, database, NULL, MAIL, sizeof MAIL - 1, NULL,
                              &verdict, &decision) == ESETS_OK);
    CHECK(verdict == NULL && esets_decision_action(decision) == ESETS_ACTION_DISCARD);
    CHECK(esets_disposition_apply(esets_decision_disposition(decision, 0), NULL, MAIL,
                                  sizeof MAIL - 1, &message) == ESETS_OK);
    CHECK(memcmp(esets_message_bytes(message, &size), MAIL, sizeof MAIL - 1) == 0);
    CHECK(size == sizeof MAIL - 1);
    esets_message_free(message);
    esets_decision_free(decision);
    esets_context_free(context);
    esets_policy_free(policy);
}

static int stop(void *user, const esets_record *record) {
    (void)record;
    ++*(int *)user;
    return 1;
}

static void a_session_watches_and_cancels(const esets_database *database) {
    esets_policy *policy = open_policy("");
    esets_context *context = smtp(1);
    esets_session *session;
    esets_verdict *verdict;
    esets_decision *decision;
    int calls = 0;

    CHECK(esets_session_new(&session) == ESETS_OK);
    CHECK(esets_session_set_observer(session, stop, &calls) == ESETS_OK);
    CHECK(esets_policy_handle(policy, context, database, session, MAIL, sizeof MAIL - 1, NULL,
                              &verdict, &decision) == ESETS_OK);
    CHECK(calls > 0 && esets_decision_action(decision) != ESETS_ACTION_ACCEPT);
    esets_decision_free(decision);
    esets_verdict_free(verdict);
    esets_session_free(session);
    esets_context_free(context);
    esets_policy_free(policy);
}

static void null_is_answered(const esets_database *database) {
    esets_policy *policy = open_policy("");
    esets_context *context = smtp(1);
    esets_verdict *verdict = NULL;
    esets_decision *decision = NULL;
    esets_message *message;
    size_t size = 1;

    CHECK(esets_policy_handle(NULL, context, database, NULL, "", 0, NULL, &verdict, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_policy_handle(policy, NULL, database, NULL, "", 0, NULL, &verdict, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_policy_handle(policy, context, NULL, NULL, "", 0, NULL, &verdict, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_policy_handle(policy, context, database, NULL, NULL, 1, NULL, &verdict,
                              &decision) == ESETS_ERROR_NULL);
    CHECK(esets_policy_handle(policy, context, database, NULL, "", 0, NULL, NULL, &decision) ==
          ESETS_ERROR_NULL);
    CHECK(esets_policy_handle(policy, context, database, NULL, "", 0, NULL, &verdict, NULL) ==
          ESETS_ERROR_NULL);
    CHECK(verdict == NULL && decision == NULL);
    CHECK(esets_disposition_apply(NULL, NULL, "", 0, &message) == ESETS_ERROR_NULL);
    CHECK(message == NULL);
    CHECK(esets_policy_handle(policy, context, database, NULL, NULL, 0, NULL, &verdict,
                              &decision) == ESETS_OK);
    CHECK(esets_disposition_apply(esets_decision_disposition(decision, 0), verdict, "", 0, NULL) ==
          ESETS_ERROR_NULL);
    CHECK(esets_message_bytes(NULL, &size) == NULL && size == 0);
    CHECK(esets_message_bytes(NULL, NULL) == NULL);
    CHECK(esets_disposition_part_notice(NULL) == NULL);
    esets_message_free(NULL);
    esets_decision_free(decision);
    esets_verdict_free(verdict);
    esets_context_free(context);
    esets_policy_free(policy);
}

int main(void) {
    esets_database *database;

    CHECK(esets_database_embedded(&database) == ESETS_OK);
    a_part_is_taken_out(database);
    who_cannot_change_a_message_refuses_it(database);
    a_settled_message_has_no_verdict(database);
    a_session_watches_and_cancels(database);
    null_is_answered(database);
    esets_database_free(database);
    return 0;
}
