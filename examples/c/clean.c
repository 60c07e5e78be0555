/* Cleans a mail as an agent does: what passes goes to standard output.
 *
 *     ./clean ESETS.CFG SENDER RECIPIENT < MAIL > CLEANED
 *
 * Ends with the action: 0 accept, 1 defer, 2 discard, 3 reject.
 */
#include <esets.h>
#include <stdio.h>
#include <stdlib.h>

/* All of standard input; NULL if it cannot be read. */
static char *read_all(size_t *size) {
    size_t room = 0, got;
    char *bytes = NULL, *more;

    *size = 0;
    do {
        room = room * 2 + 65536;
        more = (char *)realloc(bytes, room);
        if (more == NULL)
            break;
        bytes = more;
        got = fread(bytes + *size, 1, room - *size, stdin);
        *size += got;
    } while (*size == room);
    if (more == NULL || ferror(stdin)) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* Prints the message as it passes; what cannot be made does not pass. */
static esets_action pass(const esets_decision *decision, const esets_verdict *verdict,
                         const char *bytes, size_t size) {
    const esets_disposition *disposition = esets_decision_disposition(decision, 0);
    esets_message *message;
    esets_action action = esets_disposition_action(disposition);
    size_t length;

    if (action != ESETS_ACTION_ACCEPT)
        return action;
    if (esets_disposition_apply(disposition, verdict, bytes, size, &message) != ESETS_OK)
        return ESETS_ACTION_DEFER;
    bytes = (const char *)esets_message_bytes(message, &length);
    if (fwrite(bytes, 1, length, stdout) != length || fflush(stdout) != 0)
        action = ESETS_ACTION_DEFER;
    esets_message_free(message);
    return action;
}

static esets_action handle(const esets_policy *policy, char **envelope) {
    esets_database *database = NULL;
    esets_context *context = NULL;
    esets_verdict *verdict = NULL;
    esets_decision *decision = NULL;
    esets_action action = ESETS_ACTION_DEFER;
    size_t size;
    char *bytes = read_all(&size);

    if (bytes != NULL && esets_database_embedded(&database) == ESETS_OK &&
        esets_context_new("smtp", &context) == ESETS_OK) {
        esets_context_set_sender(context, envelope[0]);
        esets_context_add_recipient(context, envelope[1]);
        esets_context_set_modifiable(context, 1);
        if (esets_policy_handle(policy, context, database, NULL, bytes, size, NULL, &verdict,
                                &decision) == ESETS_OK)
            action = pass(decision, verdict, bytes, size);
    }
    if (decision != NULL)
        fprintf(stderr, "%s\n", esets_decision_rule(decision));
    esets_decision_free(decision);
    esets_verdict_free(verdict);
    esets_context_free(context);
    esets_database_free(database);
    free(bytes);
    return action;
}

int main(int count, char **words) {
    esets_policy *policy;
    esets_action action;
    char *error;

    if (count != 4) {
        fprintf(stderr, "usage: clean ESETS.CFG SENDER RECIPIENT < MAIL > CLEANED\n");
        return 100;
    }
    if (esets_policy_open(words[1], &policy, &error) != ESETS_OK) {
        fprintf(stderr, "%s\n", error);
        esets_text_free(error);
        return 100;
    }
    action = handle(policy, words + 2);
    esets_policy_free(policy);
    return action;
}
