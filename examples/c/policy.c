/* Decides what happens to a mail, as an agent does: ask the policy, scan, ask again.
 *
 *     ./policy ESETS.CFG MAIL SENDER RECIPIENT...
 *
 * Ends with the action: 0 accept, 1 defer, 2 discard, 3 reject.
 */
#include <esets.h>
#include <stdio.h>

static const char *const WORDS[] = {"accept", "defer", "discard", "reject"};

static esets_result scan(const esets_policy *policy, const esets_context *context,
                         const char *path, esets_verdict **verdict) {
    esets_database *database = NULL;
    esets_scanner *scanner = NULL;
    esets_result result = esets_database_embedded(&database);

    if (result == ESETS_OK)
        result = esets_policy_scanner(policy, context, database, &scanner);
    if (result == ESETS_OK && scanner != NULL)
        result = esets_scan_path(scanner, NULL, path, verdict);
    esets_scanner_free(scanner);
    esets_database_free(database);
    return result;
}

static void print_disposition(const esets_disposition *disposition, char **recipients) {
    size_t i;
    printf("%s because of %s\n", WORDS[esets_disposition_action(disposition)],
           esets_disposition_rule(disposition));
    for (i = 0; i < esets_disposition_recipients(disposition); i++)
        printf("  for %s\n", recipients[esets_disposition_recipient(disposition, i)]);
    for (i = 0; i < esets_disposition_headers(disposition); i++)
        printf("  add %s\n", esets_disposition_header(disposition, i));
}

static esets_action handle(const esets_policy *policy, const char *mail, char **envelope) {
    esets_context *context = NULL;
    esets_verdict *verdict = NULL;
    esets_decision *decision = NULL;
    esets_action action;
    size_t i;

    if (esets_context_new("smtp", &context) == ESETS_OK) {
        esets_context_set_sender(context, envelope[0]);
        for (i = 1; envelope[i] != NULL; i++)
            esets_context_add_recipient(context, envelope[i]);
        /* Without a verdict the policy answers for a failed scan. */
        if (scan(policy, context, mail, &verdict) != ESETS_OK)
            fprintf(stderr, "%s: not scanned\n", mail);
        esets_policy_decide(policy, context, verdict, &decision);
    }
    action = esets_decision_action(decision);
    for (i = 0; i < esets_decision_dispositions(decision); i++)
        print_disposition(esets_decision_disposition(decision, i), envelope + 1);
    esets_decision_free(decision);
    esets_verdict_free(verdict);
    esets_context_free(context);
    return action;
}

int main(int count, char **words) {
    esets_policy *policy;
    esets_action action;
    char *error;

    if (count < 4) {
        fprintf(stderr, "usage: policy ESETS.CFG MAIL SENDER RECIPIENT...\n");
        return 100;
    }
    if (esets_policy_open(words[1], &policy, &error) != ESETS_OK) {
        fprintf(stderr, "%s\n", error);
        esets_text_free(error);
        return 100;
    }
    action = handle(policy, words[2], words + 3);
    esets_policy_free(policy);
    return action;
}
