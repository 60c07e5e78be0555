/* Policies: opened, reloaded, asked before and after a scan. */
#include "check.h"

#include <errno.h>

static void write_config(const char *text) {
    FILE *file = fopen("esets.cfg", "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static esets_policy *open_policy(const char *text) {
    esets_policy *policy;
    char *error = (char *)"untouched";
    write_config(text);
    CHECK(esets_policy_open("esets.cfg", &policy, &error) == ESETS_OK && error == NULL);
    return policy;
}

static esets_context *smtp(void) {
    esets_context *context;
    CHECK(esets_context_new("smtp", &context) == ESETS_OK);
    CHECK(esets_context_set_client(context, "192.0.2.1") == ESETS_OK);
    CHECK(esets_context_set_server(context, "2001:db8::1") == ESETS_OK);
    CHECK(esets_context_set_client(context, "localhost") == ESETS_ERROR_ARGUMENT);
    CHECK(esets_context_set_sender(context, "alice@example.org") == ESETS_OK);
    CHECK(esets_context_add_recipient(context, "bob@example.org") == ESETS_OK);
    CHECK(esets_context_add_recipient(context, "carol@example.org") == ESETS_OK);
    CHECK(esets_context_set_user(context, "bob") == ESETS_OK);
    CHECK(esets_context_set_modifiable(context, 1) == ESETS_OK);
    return context;
}

static void check_decision(const esets_policy *policy, const esets_context *context,
                           const esets_verdict *verdict, esets_action action, const char *rule) {
    const esets_disposition *disposition;
    esets_decision *decision;
    char *text;

    CHECK(esets_policy_decide(policy, context, verdict, &decision) == ESETS_OK);
    CHECK(esets_decision_action(decision) == action);
    if (strcmp(esets_decision_rule(decision), rule) != 0)
        fprintf(stderr, "%s, not %s\n", esets_decision_rule(decision), rule);
    CHECK(strcmp(esets_decision_rule(decision), rule) == 0);
    CHECK(esets_decision_dispositions(decision) == 1);
    CHECK(esets_decision_disposition(decision, 1) == NULL);
    disposition = esets_decision_disposition(decision, 0);
    CHECK(esets_disposition_action(disposition) == action);
    CHECK(strcmp(esets_disposition_rule(disposition), rule) == 0);
    CHECK(esets_disposition_recipients(disposition) == 2);
    CHECK(esets_disposition_recipient(disposition, 1) == 1);
    CHECK(esets_disposition_recipient(disposition, 2) == SIZE_MAX);
    CHECK(esets_disposition_quarantine(disposition) == 0);
    CHECK(esets_disposition_removals(disposition) == 0);
    CHECK(esets_disposition_removal(disposition, 0) == SIZE_MAX);
    CHECK(esets_disposition_header(disposition, 1000) == NULL);
    CHECK(esets_disposition_subject_prefix(disposition) != NULL);
    CHECK(esets_disposition_footnote(disposition) != NULL);
    CHECK(esets_decision_json(decision, &text) == ESETS_OK && text[0] == '{');
    esets_text_free(text);
    esets_decision_free(decision);
    CHECK(esets_policy_explain(policy, context, verdict, &text) == ESETS_OK);
    CHECK(strstr(text, "action: ") != NULL);
    esets_text_free(text);
}

static void a_settled_object_needs_no_scanner(const esets_database *database) {
    esets_policy *policy = open_policy("[smtp]\naction_av = \"discard\"\n");
    esets_context *context = smtp();
    esets_scanner *scanner = (esets_scanner *)(void *)policy;

    CHECK(esets_policy_scanner(policy, context, database, &scanner) == ESETS_OK);
    CHECK(scanner == NULL);
    check_decision(policy, context, NULL, ESETS_ACTION_DISCARD, "action_av in [smtp], esets.cfg:2");
    esets_context_free(context);
    esets_policy_free(policy);
}

static void a_scan_is_judged(const esets_database *database) {
    esets_policy *policy = open_policy("[global]\nav_limit_depth = \"7\"\nav_limit_time = \"9\"\n");
    esets_context *context = smtp();
    esets_scanner *scanner;
    esets_verdict *verdict;
    uint64_t value;

    CHECK(esets_policy_scanner(policy, context, database, &scanner) == ESETS_OK);
    CHECK(esets_scanner_limit(scanner, ESETS_LIMIT_DEPTH, &value) == ESETS_OK && value == 7);
    CHECK(esets_scanner_limit(scanner, ESETS_LIMIT_TIME, &value) == ESETS_OK && value == 9000);
    CHECK(esets_scan_memory(scanner, NULL, "text", 4, "a.txt", &verdict) == ESETS_OK);
    check_decision(policy, context, verdict, ESETS_ACTION_ACCEPT, "action_av, default");
    esets_verdict_free(verdict);
    CHECK(esets_scan_memory(scanner, NULL, "text", 4, "a.pdf.exe", &verdict) == ESETS_OK);
    check_decision(policy, context, verdict, ESETS_ACTION_REJECT, "action_av_infected, default");
    esets_verdict_free(verdict);
    check_decision(policy, context, NULL, ESETS_ACTION_DEFER, "action_av_failed, default");
    esets_scanner_free(scanner);
    esets_context_free(context);
    esets_policy_free(policy);
}

static void mistakes_are_told_with_their_lines(void) {
    esets_policy *policy;
    char *error;

    CHECK(esets_policy_open("no such file", &policy, &error) == ESETS_ERROR_IO);
    CHECK(errno == ENOENT && policy == NULL && strncmp(error, "no such file: ", 14) == 0);
    esets_text_free(error);
    write_config("[global]\nacton_av = \"scan\"\n[nobody]\n");
    CHECK(esets_policy_open("esets.cfg", &policy, NULL) == ESETS_ERROR_CONFIG && policy == NULL);
    CHECK(esets_policy_open("esets.cfg", &policy, &error) == ESETS_ERROR_CONFIG);
    CHECK(strstr(error, "esets.cfg:2: unknown key \"acton_av\"; did you mean action_av?") == error);
    CHECK(strstr(error, "\nesets.cfg:3: ") != NULL);
    esets_text_free(error);
}

static void a_reload_that_fails_changes_nothing(void) {
    esets_policy *policy = open_policy("[smtp]\naction_av = \"reject\"\n");
    esets_context *context = smtp();
    char *text;

    write_config("[smtp]\naction_av = \"maybe\"\n");
    CHECK(esets_policy_reload(policy, &text) == ESETS_ERROR_CONFIG && text != NULL);
    esets_text_free(text);
    check_decision(policy, context, NULL, ESETS_ACTION_REJECT, "action_av in [smtp], esets.cfg:2");
    write_config("[smtp]\n\naction_av = \"defer\"\n");
    CHECK(esets_policy_reload(policy, NULL) == ESETS_OK);
    check_decision(policy, context, NULL, ESETS_ACTION_DEFER, "action_av in [smtp], esets.cfg:3");
    CHECK(esets_policy_warnings(policy, &text) == ESETS_OK && strcmp(text, "") == 0);
    esets_text_free(text);
    esets_context_free(context);
    esets_policy_free(policy);
}

static void special_files_lie_beside_the_configuration(void) {
    FILE *file = fopen("users.cfg", "w");
    esets_policy *policy;
    esets_context *context = smtp();

    CHECK(file != NULL && fputs("[bob]\naction_av = \"reject\"\n", file) >= 0);
    CHECK(fclose(file) == 0);
    policy = open_policy("[smtp]\nuser_config = \"users.cfg\"\n");
    check_decision(policy, context, NULL, ESETS_ACTION_REJECT, "action_av in [bob], users.cfg:2");
    esets_context_free(context);
    esets_policy_free(policy);
}

static void the_default_is_an_empty_file(void) {
    esets_policy *policy;
    esets_context *context = smtp();

    CHECK(esets_policy_default(&policy) == ESETS_OK);
    CHECK(esets_policy_reload(policy, NULL) == ESETS_OK);
    check_decision(policy, context, NULL, ESETS_ACTION_DEFER, "action_av_failed, default");
    esets_context_free(context);
    esets_policy_free(policy);
}

static void null_is_answered(const esets_database *database) {
    esets_policy *policy = open_policy(""), *no_policy;
    esets_context *context = smtp(), *no_context;
    esets_decision *decision;
    esets_scanner *scanner;
    char *text;

    CHECK(esets_policy_open(NULL, &no_policy, &text) == ESETS_ERROR_NULL && no_policy == NULL);
    esets_text_free(text);
    CHECK(esets_policy_default(NULL) == ESETS_ERROR_NULL);
    CHECK(esets_policy_open("esets.cfg", NULL, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_policy_reload(NULL, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_policy_warnings(NULL, &text) == ESETS_ERROR_NULL);
    CHECK(esets_policy_scanner(NULL, context, database, &scanner) == ESETS_ERROR_NULL);
    CHECK(esets_policy_scanner(policy, NULL, database, &scanner) == ESETS_ERROR_NULL);
    CHECK(esets_policy_scanner(policy, context, NULL, &scanner) == ESETS_ERROR_NULL);
    CHECK(esets_policy_decide(NULL, context, NULL, &decision) == ESETS_ERROR_NULL);
    CHECK(esets_policy_decide(policy, NULL, NULL, &decision) == ESETS_ERROR_NULL);
    CHECK(esets_policy_explain(policy, NULL, NULL, &text) == ESETS_ERROR_NULL && text == NULL);
    CHECK(esets_context_new(NULL, &no_context) == ESETS_ERROR_NULL && no_context == NULL);
    CHECK(esets_context_set_client(NULL, "::1") == ESETS_ERROR_NULL);
    CHECK(esets_context_set_sender(NULL, "") == ESETS_ERROR_NULL);
    CHECK(esets_context_set_modifiable(NULL, 1) == ESETS_ERROR_NULL);
    CHECK(esets_decision_action(NULL) == ESETS_ACTION_DEFER && esets_decision_rule(NULL) == NULL);
    CHECK(esets_decision_dispositions(NULL) == 0);
    CHECK(esets_decision_disposition(NULL, 0) == NULL);
    CHECK(esets_decision_json(NULL, &text) == ESETS_ERROR_NULL);
    CHECK(esets_disposition_action(NULL) == ESETS_ACTION_DEFER);
    CHECK(esets_disposition_rule(NULL) == NULL && esets_disposition_recipients(NULL) == 0);
    CHECK(esets_disposition_headers(NULL) == 0 && esets_disposition_footnote(NULL) == NULL);
    CHECK(esets_disposition_subject_prefix(NULL) == NULL);
    esets_context_free(context);
    esets_policy_free(policy);
    esets_policy_free(NULL);
    esets_context_free(NULL);
    esets_decision_free(NULL);
}

int main(void) {
    esets_database *database;

    CHECK(esets_database_embedded(&database) == ESETS_OK);
    a_settled_object_needs_no_scanner(database);
    a_scan_is_judged(database);
    mistakes_are_told_with_their_lines();
    a_reload_that_fails_changes_nothing();
    special_files_lie_beside_the_configuration();
    the_default_is_an_empty_file();
    null_is_answered(database);
    esets_database_free(database);
    return 0;
}
