/* Perl over esets.h: objects are pointers, records are hashes, lib/ESETS.pm does the rest. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"

#include <esets.h>

typedef esets_database *ESETS__Database;
typedef esets_scanner *ESETS__Scanner__Handle;
typedef esets_interrupt *ESETS__Interrupt;
typedef esets_verdict *ESETS__Verdict;
typedef esets_policy *ESETS__Policy;
typedef esets_context *ESETS__Context;
typedef esets_decision *ESETS__Decision;
typedef esets_client *ESETS__Client;

/* What an observer needs: the caller's function, and what it died of. */
typedef struct {
    SV *code;
    SV *died;
} watch;

/* Misuse ends here; `text` is freed. */
static void check(pTHX_ esets_result result, char *text) {
    SV *message = sv_2mortal(newSVpv(text != NULL ? text : esets_result_text(result), 0));
    esets_text_free(text);
    if (result != ESETS_OK)
        croak("%" SVf, SVfARG(message));
}

/* A text of ours is UTF-8. */
static SV *words(pTHX_ const char *text) {
    return text == NULL ? newSV(0) : newSVpvn_flags(text, strlen(text), SVf_UTF8);
}

static SV *taken(pTHX_ esets_result result, char *text) {
    SV *copy;
    check(aTHX_ result, NULL);
    copy = words(aTHX_ text);
    esets_text_free(text);
    return copy;
}

static SV *number(pTHX_ uint64_t value) {
    return value == ESETS_NONE ? newSV(0) : newSVuv((UV)value);
}

static SV *detection_hash(pTHX_ const esets_detection *detection) {
    HV *hash = newHV();
    hv_stores(hash, "name", words(aTHX_ esets_detection_name(detection)));
    hv_stores(hash, "class", newSViv(esets_detection_class(detection)));
    hv_stores(hash, "source", newSViv(esets_detection_source(detection)));
    hv_stores(hash, "offset", number(aTHX_ esets_detection_offset(detection)));
    return newRV_noinc((SV *)hash);
}

static SV *reason_hash(pTHX_ const esets_record *record, size_t index) {
    HV *hash = newHV();
    hv_stores(hash, "code", newSViv(esets_record_reason(record, index)));
    hv_stores(hash, "limit", newSViv(esets_record_reason_limit(record, index)));
    hv_stores(hash, "text", words(aTHX_ esets_record_reason_text(record, index)));
    return newRV_noinc((SV *)hash);
}

static SV *record_hash(pTHX_ const esets_record *record) {
    HV *hash = newHV();
    AV *formats = newAV(), *detections = newAV(), *reasons = newAV(), *defects = newAV();
    size_t i, size;
    const char *name = esets_record_name(record, &size);

    for (i = 0; i < esets_record_formats(record); i++)
        av_push(formats, words(aTHX_ esets_record_format(record, i)));
    for (i = 0; i < esets_record_detections(record); i++)
        av_push(detections, detection_hash(aTHX_ esets_record_detection(record, i)));
    for (i = 0; i < esets_record_reasons(record); i++)
        av_push(reasons, reason_hash(aTHX_ record, i));
    for (i = 0; i < esets_record_defects(record); i++)
        av_push(defects, words(aTHX_ esets_record_defect(record, i)));
    hv_stores(hash, "name", newSVpvn(name, size));
    hv_stores(hash, "parent", number(aTHX_ esets_record_parent(record)));
    hv_stores(hash, "size", newSVuv((UV)esets_record_size(record)));
    hv_stores(hash, "status", newSViv(esets_record_status(record)));
    hv_stores(hash, "formats", newRV_noinc((SV *)formats));
    hv_stores(hash, "detections", newRV_noinc((SV *)detections));
    hv_stores(hash, "reasons", newRV_noinc((SV *)reasons));
    hv_stores(hash, "defects", newRV_noinc((SV *)defects));
    return newRV_noinc((SV *)hash);
}

/* Perl must not jump out of a scan: what the function dies of waits until the scan is over. */
static int observe(void *user, const esets_record *record) {
    dTHX;
    dSP;
    watch *watched = (watch *)user;
    int stop = 1;

    ENTER;
    SAVETMPS;
    PUSHMARK(SP);
    XPUSHs(sv_2mortal(record_hash(aTHX_ record)));
    PUTBACK;
    call_sv(watched->code, G_SCALAR | G_EVAL);
    SPAGAIN;
    if (SvTRUE(ERRSV)) {
        watched->died = newSVsv(ERRSV);
        (void)POPs;
    } else {
        SV *answer = POPs;
        stop = SvTRUE(answer) ? 1 : 0;
    }
    PUTBACK;
    FREETMPS;
    LEAVE;
    return stop;
}

static esets_session *session_of(pTHX_ AV *passwords, esets_interrupt *interrupt, watch *watched) {
    esets_session *session;
    SSize_t i;

    check(aTHX_ esets_session_new(&session), NULL);
    esets_session_set_interrupt(session, interrupt);
    if (SvOK(watched->code))
        esets_session_set_observer(session, observe, watched);
    for (i = 0; i <= av_top_index(passwords); i++) {
        STRLEN size;
        SV **password = av_fetch(passwords, i, 0);
        const char *bytes = password != NULL ? SvPVbyte(*password, size) : NULL;
        if (bytes != NULL)
            esets_session_add_password(session, bytes, size);
    }
    return session;
}

static SV *disposition_hash(pTHX_ const esets_disposition *disposition) {
    HV *hash = newHV();
    AV *recipients = newAV(), *removals = newAV(), *headers = newAV();
    size_t i;

    for (i = 0; i < esets_disposition_recipients(disposition); i++)
        av_push(recipients, newSVuv((UV)esets_disposition_recipient(disposition, i)));
    for (i = 0; i < esets_disposition_removals(disposition); i++)
        av_push(removals, newSVuv((UV)esets_disposition_removal(disposition, i)));
    for (i = 0; i < esets_disposition_headers(disposition); i++)
        av_push(headers, words(aTHX_ esets_disposition_header(disposition, i)));
    hv_stores(hash, "action", newSViv(esets_disposition_action(disposition)));
    hv_stores(hash, "rule", words(aTHX_ esets_disposition_rule(disposition)));
    hv_stores(hash, "quarantine", newSViv(esets_disposition_quarantine(disposition)));
    hv_stores(hash, "recipients", newRV_noinc((SV *)recipients));
    hv_stores(hash, "removals", newRV_noinc((SV *)removals));
    hv_stores(hash, "headers", newRV_noinc((SV *)headers));
    hv_stores(hash, "subject_prefix", words(aTHX_ esets_disposition_subject_prefix(disposition)));
    hv_stores(hash, "footnote", words(aTHX_ esets_disposition_footnote(disposition)));
    hv_stores(hash, "part_notice", words(aTHX_ esets_disposition_part_notice(disposition)));
    return newRV_noinc((SV *)hash);
}

MODULE = ESETS    PACKAGE = ESETS

PROTOTYPES: DISABLE

TYPEMAP: <<END
ESETS::Database         T_PTROBJ
ESETS::Scanner::Handle  T_PTROBJ
ESETS::Interrupt        T_PTROBJ
ESETS::Verdict          T_PTROBJ
ESETS::Policy           T_PTROBJ
ESETS::Context          T_PTROBJ
ESETS::Decision         T_PTROBJ
ESETS::Client           T_PTROBJ
END

const char *
version()
  CODE:
    RETVAL = esets_version();
  OUTPUT:
    RETVAL

MODULE = ESETS    PACKAGE = ESETS::Database

ESETS::Database
embedded(const char *class)
  CODE:
    PERL_UNUSED_VAR(class);
    check(aTHX_ esets_database_embedded(&RETVAL), NULL);
  OUTPUT:
    RETVAL

ESETS::Database
open(const char *class, const char *path)
  PREINIT:
    char *text = NULL;
    esets_result result;
  CODE:
    PERL_UNUSED_VAR(class);
    result = esets_database_open(path, &RETVAL, &text);
    check(aTHX_ result, text);
  OUTPUT:
    RETVAL

void
reload(ESETS::Database database)
  PREINIT:
    char *text = NULL;
    esets_result result;
  CODE:
    result = esets_database_reload(database, &text);
    check(aTHX_ result, text);

UV
signatures(ESETS::Database database)
  CODE:
    RETVAL = (UV)esets_database_signatures(database);
  OUTPUT:
    RETVAL

SV *
version(ESETS::Database database)
  ALIAS:
    warnings = 1
  PREINIT:
    char *text = NULL;
    esets_result result;
  CODE:
    result = ix == 0 ? esets_database_version(database, &text)
                     : esets_database_warnings(database, &text);
    RETVAL = taken(aTHX_ result, text);
  OUTPUT:
    RETVAL

void
DESTROY(ESETS::Database database)
  CODE:
    esets_database_free(database);

MODULE = ESETS    PACKAGE = ESETS::Interrupt

ESETS::Interrupt
new(const char *class)
  CODE:
    PERL_UNUSED_VAR(class);
    check(aTHX_ esets_interrupt_new(&RETVAL), NULL);
  OUTPUT:
    RETVAL

void
raise(ESETS::Interrupt interrupt)
  CODE:
    esets_interrupt_raise(interrupt);

void
clear(ESETS::Interrupt interrupt)
  CODE:
    esets_interrupt_clear(interrupt);

void
DESTROY(ESETS::Interrupt interrupt)
  CODE:
    esets_interrupt_free(interrupt);

MODULE = ESETS    PACKAGE = ESETS::Scanner::Handle

ESETS::Scanner::Handle
new(const char *class, ESETS::Database database)
  CODE:
    PERL_UNUSED_VAR(class);
    check(aTHX_ esets_scanner_new(database, &RETVAL), NULL);
  OUTPUT:
    RETVAL

void
set_limit(ESETS::Scanner::Handle scanner, int key, UV value)
  CODE:
    check(aTHX_ esets_scanner_set_limit(scanner, key, value), NULL);

void
set_option(ESETS::Scanner::Handle scanner, int key, UV value)
  CODE:
    check(aTHX_ esets_scanner_set_option(scanner, key, value), NULL);

void
skip_format(ESETS::Scanner::Handle scanner, const char *format)
  CODE:
    check(aTHX_ esets_scanner_skip_format(scanner, format), NULL);

SV *
scan(ESETS::Scanner::Handle scanner, SV *what, const char *name, int fd, AV *passwords, SV *observer, SV *interrupt)
  PREINIT:
    watch watched;
    esets_interrupt *button = NULL;
    esets_verdict *verdict = NULL;
    esets_session *session;
    esets_result result;
    STRLEN size = 0;
    const char *bytes = NULL;
    int error;
  CODE:
    watched.code = observer;
    watched.died = NULL;
    if (SvOK(interrupt))
        button = INT2PTR(esets_interrupt *, SvIV(SvRV(interrupt)));
    if (SvOK(what))
        bytes = SvPVbyte(what, size);
    session = session_of(aTHX_ passwords, button, &watched);
    if (bytes != NULL)
        result = esets_scan_memory(scanner, session, bytes, size, name, &verdict);
    else if (fd >= 0)
        result = esets_scan_descriptor(scanner, session, fd, name, &verdict);
    else
        result = esets_scan_path(scanner, session, name, &verdict);
    error = result == ESETS_ERROR_FILE_TYPE ? EINVAL : errno;
    esets_session_free(session);
    if (watched.died != NULL) {
        esets_verdict_free(verdict);
        croak_sv(sv_2mortal(watched.died));
    }
    RETVAL = newSV(0);
    if (result == ESETS_OK)
        sv_setref_pv(RETVAL, "ESETS::Verdict", verdict);
    else if (result != ESETS_ERROR_IO && result != ESETS_ERROR_FILE_TYPE)
        check(aTHX_ result, NULL);
    errno = error;
  OUTPUT:
    RETVAL

void
DESTROY(ESETS::Scanner::Handle scanner)
  CODE:
    esets_scanner_free(scanner);

MODULE = ESETS    PACKAGE = ESETS::Verdict

int
_status(ESETS::Verdict verdict)
  CODE:
    RETVAL = esets_verdict_status(verdict);
  OUTPUT:
    RETVAL

UV
objects(ESETS::Verdict verdict)
  ALIAS:
    bytes = 1
  CODE:
    RETVAL = (UV)(ix == 0 ? esets_verdict_objects(verdict) : esets_verdict_bytes(verdict));
  OUTPUT:
    RETVAL

void
_records(ESETS::Verdict verdict)
  PREINIT:
    size_t i, count;
  PPCODE:
    count = esets_verdict_records(verdict);
    EXTEND(SP, (SSize_t)count);
    for (i = 0; i < count; i++)
        PUSHs(sv_2mortal(record_hash(aTHX_ esets_verdict_record(verdict, i))));

void
_threats(ESETS::Verdict verdict)
  PREINIT:
    size_t i, at, count;
  PPCODE:
    count = esets_verdict_threats(verdict);
    EXTEND(SP, (SSize_t)count);
    for (i = 0; i < count; i++) {
        SV *threat = detection_hash(aTHX_ esets_verdict_threat(verdict, i, &at));
        hv_stores((HV *)SvRV(threat), "record", newSVuv((UV)at));
        PUSHs(sv_2mortal(threat));
    }

SV *
json(ESETS::Verdict verdict)
  ALIAS:
    tree = 1
  PREINIT:
    char *text = NULL;
    esets_result result;
  CODE:
    result = ix == 0 ? esets_verdict_json(verdict, &text) : esets_verdict_tree(verdict, &text);
    RETVAL = taken(aTHX_ result, text);
  OUTPUT:
    RETVAL

void
DESTROY(ESETS::Verdict verdict)
  CODE:
    esets_verdict_free(verdict);

MODULE = ESETS    PACKAGE = ESETS::Context

ESETS::Context
_new(const char *class, const char *agent)
  CODE:
    PERL_UNUSED_VAR(class);
    check(aTHX_ esets_context_new(agent, &RETVAL), NULL);
  OUTPUT:
    RETVAL

void
client(ESETS::Context context, const char *text)
  ALIAS:
    server = 1
    sender = 2
    recipient = 3
    user = 4
  PREINIT:
    static esets_result (*const set[])(esets_context *, const char *) = {
        esets_context_set_client, esets_context_set_server, esets_context_set_sender,
        esets_context_add_recipient, esets_context_set_user};
  CODE:
    check(aTHX_ set[ix](context, text), NULL);

void
modifiable(ESETS::Context context, int value)
  CODE:
    esets_context_set_modifiable(context, value);

void
DESTROY(ESETS::Context context)
  CODE:
    esets_context_free(context);

MODULE = ESETS    PACKAGE = ESETS::Policy

ESETS::Policy
default(const char *class)
  CODE:
    PERL_UNUSED_VAR(class);
    check(aTHX_ esets_policy_default(&RETVAL), NULL);
  OUTPUT:
    RETVAL

ESETS::Policy
open(const char *class, const char *path)
  PREINIT:
    char *text = NULL;
    esets_result result;
  CODE:
    PERL_UNUSED_VAR(class);
    result = esets_policy_open(path, &RETVAL, &text);
    check(aTHX_ result, text);
  OUTPUT:
    RETVAL

void
reload(ESETS::Policy policy)
  PREINIT:
    char *text = NULL;
    esets_result result;
  CODE:
    result = esets_policy_reload(policy, &text);
    check(aTHX_ result, text);

SV *
_scanner(ESETS::Policy policy, ESETS::Context context, ESETS::Database database)
  PREINIT:
    esets_scanner *scanner;
  CODE:
    check(aTHX_ esets_policy_scanner(policy, context, database, &scanner), NULL);
    RETVAL = newSV(0);
    if (scanner != NULL)
        sv_setref_pv(RETVAL, "ESETS::Scanner::Handle", scanner);
  OUTPUT:
    RETVAL

ESETS::Decision
_decide(ESETS::Policy policy, ESETS::Context context, SV *verdict)
  PREINIT:
    esets_verdict *found = NULL;
  CODE:
    if (SvOK(verdict))
        found = INT2PTR(esets_verdict *, SvIV(SvRV(verdict)));
    check(aTHX_ esets_policy_decide(policy, context, found, &RETVAL), NULL);
  OUTPUT:
    RETVAL

void
_handle(ESETS::Policy policy, ESETS::Context context, ESETS::Database database, SV *what, const char *name)
  PREINIT:
    esets_verdict *verdict = NULL;
    esets_decision *decision = NULL;
    STRLEN size;
    const char *bytes;
  PPCODE:
    bytes = SvPVbyte(what, size);
    check(aTHX_ esets_policy_handle(policy, context, database, NULL, bytes, size, name, &verdict,
                                    &decision), NULL);
    EXTEND(SP, 2);
    PUSHs(sv_setref_pv(sv_newmortal(), "ESETS::Decision", decision));
    PUSHs(verdict == NULL ? &PL_sv_undef
                          : sv_setref_pv(sv_newmortal(), "ESETS::Verdict", verdict));

void
DESTROY(ESETS::Policy policy)
  CODE:
    esets_policy_free(policy);

MODULE = ESETS    PACKAGE = ESETS::Decision

int
_action(ESETS::Decision decision)
  CODE:
    RETVAL = esets_decision_action(decision);
  OUTPUT:
    RETVAL

SV *
rule(ESETS::Decision decision)
  CODE:
    RETVAL = words(aTHX_ esets_decision_rule(decision));
  OUTPUT:
    RETVAL

SV *
json(ESETS::Decision decision)
  PREINIT:
    char *text = NULL;
    esets_result result;
  CODE:
    result = esets_decision_json(decision, &text);
    RETVAL = taken(aTHX_ result, text);
  OUTPUT:
    RETVAL

void
_dispositions(ESETS::Decision decision)
  PREINIT:
    size_t i, count;
  PPCODE:
    count = esets_decision_dispositions(decision);
    EXTEND(SP, (SSize_t)count);
    for (i = 0; i < count; i++)
        PUSHs(sv_2mortal(disposition_hash(aTHX_ esets_decision_disposition(decision, i))));

SV *
_apply(ESETS::Decision decision, UV index, SV *verdict, SV *what)
  PREINIT:
    esets_verdict *found = NULL;
    esets_message *message;
    esets_result result;
    STRLEN size;
    size_t length;
    const char *bytes;
  CODE:
    if (SvOK(verdict))
        found = INT2PTR(esets_verdict *, SvIV(SvRV(verdict)));
    bytes = SvPVbyte(what, size);
    result = esets_disposition_apply(esets_decision_disposition(decision, index), found, bytes, size,
                                     &message);
    if (result != ESETS_ERROR_REWRITE)
        check(aTHX_ result, NULL);
    if (result == ESETS_OK) {
        bytes = (const char *)esets_message_bytes(message, &length);
        RETVAL = newSVpvn(bytes, length);
        esets_message_free(message);
    } else {
        RETVAL = newSV(0);
    }
  OUTPUT:
    RETVAL

void
DESTROY(ESETS::Decision decision)
  CODE:
    esets_decision_free(decision);

MODULE = ESETS    PACKAGE = ESETS::Client

ESETS::Client
_new(const char *class, const char *socket, UV patience)
  CODE:
    PERL_UNUSED_VAR(class);
    check(aTHX_ esets_client_new(socket, patience, &RETVAL), NULL);
  OUTPUT:
    RETVAL

void
_scan(ESETS::Client client, ESETS::Context context, SV *what, const char *name, int fd)
  PREINIT:
    esets_verdict *verdict = NULL;
    esets_decision *decision = NULL;
    esets_result result;
    STRLEN size = 0;
    const char *bytes = NULL;
    int error;
  PPCODE:
    if (SvOK(what))
        bytes = SvPVbyte(what, size);
    if (bytes != NULL)
        result = esets_client_scan_memory(client, context, bytes, size, name, &verdict, &decision);
    else if (fd >= 0)
        result = esets_client_scan_descriptor(client, context, fd, name, &verdict, &decision);
    else
        result = esets_client_scan_path(client, context, name, &verdict, &decision);
    error = result == ESETS_ERROR_FILE_TYPE ? EINVAL : errno;
    if (result != ESETS_OK && result != ESETS_ERROR_IO && result != ESETS_ERROR_FILE_TYPE &&
        result != ESETS_ERROR_DAEMON)
        check(aTHX_ result, NULL);
    if (result == ESETS_OK) {
        EXTEND(SP, 2);
        PUSHs(sv_setref_pv(sv_newmortal(), "ESETS::Decision", decision));
        PUSHs(verdict == NULL ? &PL_sv_undef
                              : sv_setref_pv(sv_newmortal(), "ESETS::Verdict", verdict));
    }
    errno = error;

void
DESTROY(ESETS::Client client)
  CODE:
    esets_client_free(client);
