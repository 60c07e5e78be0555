/*
 * ESETS: objects in, verdicts out.
 *
 *     esets_database *database;
 *     esets_scanner *scanner;
 *     esets_verdict *verdict;
 *
 *     esets_database_embedded(&database);
 *     esets_scanner_new(database, &scanner);
 *     if (esets_scan_path(scanner, NULL, "mail.eml", &verdict) == ESETS_OK) {
 *         if (esets_verdict_status(verdict) == ESETS_STATUS_INFECTED)
 *             puts(esets_detection_name(esets_verdict_threat(verdict, 0, NULL)));
 *         esets_verdict_free(verdict);
 *     }
 *     esets_scanner_free(scanner);
 *     esets_database_free(database);
 *
 * Every type is opaque. What a function hands over through `out` belongs to the caller, who gives
 * it back to the ..._free of its type; NULL is fine there. `out` holds NULL after a failure.
 * Pointers that a function returns belong to the object it was asked about, and live as long.
 * Texts are UTF-8 and end in NUL.
 *
 * A call that takes NULL for an object answers ESETS_ERROR_NULL; a question about NULL, or about
 * an index that is not there, is answered with 0, NULL or what the function says. Such an answer
 * is never "clean".
 *
 * Nothing has to be set up first. The library prints nothing, ends no process, handles no signal
 * and keeps no state of its own. Any thread may use any object at any time, only ..._free must be
 * the last call with its object. Verdicts and decisions do not depend on what they were made with.
 * Callbacks run in the thread that scans; they must not throw, longjmp or free what they are
 * called for. A scan that nests to the deepest needs up to 2 MiB of stack.
 *
 * The numbers below never change. New ones may come: treat those that you do not know as you
 * would treat ESETS_STATUS_NOT_SCANNED.
 */
#ifndef ESETS_H
#define ESETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Results ------------------------------------------------------------------------------------- */

/* How a call ended. */
typedef int32_t esets_result;
enum {
    ESETS_OK = 0,
    ESETS_ERROR_NULL = 1,      /* a pointer is NULL that must not be */
    ESETS_ERROR_ARGUMENT = 2,  /* a key is unknown, or a value is not one that it takes */
    ESETS_ERROR_IO = 3,        /* a file or descriptor cannot be opened or read; see errno */
    ESETS_ERROR_FILE_TYPE = 4, /* the path leads to something that is not a regular file */
    ESETS_ERROR_DATABASE = 5,  /* the file is not a signature database, or is damaged */
    ESETS_ERROR_CONFIG = 6,    /* the configuration has mistakes */
    ESETS_ERROR_FAULT = 7,     /* a defect in this library */
    ESETS_ERROR_DAEMON = 8,    /* the daemon gives no answer; errno is EPROTO if it refuses */
    ESETS_ERROR_REWRITE = 9    /* a part of the message cannot be taken out: it must not pass */
};

/* A result in words. */
const char *esets_result_text(esets_result result);

/* Frees a text that was handed over through an out parameter. */
void esets_text_free(char *text);

/* The version of the library, "0.1.0". */
const char *esets_version(void);

/* Databases ----------------------------------------------------------------------------------- */

/* Signatures. One database serves any number of scanners and threads. */
typedef struct esets_database esets_database;

/* Opens the database that every build carries. */
esets_result esets_database_embedded(esets_database **out);

/* Opens a compiled database (em002.dat), which is mapped; a source of signatures, which is compiled
 * in memory; or a folder that holds em002.dat or sources. A compiled database must be replaced by
 * rename(2), never written in place. After a failure `error` (unless NULL) gets a text, else NULL. */
esets_result esets_database_open(const char *path, esets_database **out, char **error);

/* Opens the same path again: scans that start from now on use what is there, running ones what
 * they started with. After a failure the database is what it was. */
esets_result esets_database_reload(esets_database *database, char **error);

/* Reads all of a compiled database and compares it with its digest; ESETS_ERROR_DATABASE if a bit
 * has changed. Opening looks at the header only, so that it costs nothing. */
esets_result esets_database_verify(const esets_database *database);

/* The version of the signatures in words, and how many there are. */
esets_result esets_database_version(const esets_database *database, char **out);
uint64_t esets_database_signatures(const esets_database *database);

/* The lines of sources that are not used, and why, one line each. */
esets_result esets_database_warnings(const esets_database *database, char **out);

/* Closes a database. Scanners keep what they need of it. */
void esets_database_free(esets_database *database);

/* Scanners ------------------------------------------------------------------------------------ */

/* A database, limits and options. One scanner serves any number of threads. */
typedef struct esets_scanner esets_scanner;

/* What one scan may use. Whoever reaches a limit is "not scanned", never "clean". */
typedef int32_t esets_limit;
enum {
    ESETS_LIMIT_DEPTH = 1,       /* the deepest nesting that is unpacked; at most 64 */
    ESETS_LIMIT_MEMORY = 2,      /* bytes of unpacked members in memory at a time */
    ESETS_LIMIT_OBJECTS = 3,     /* objects in one scan */
    ESETS_LIMIT_OBJECT_SIZE = 4, /* bytes of one member; a longer one is scanned up to here */
    ESETS_LIMIT_RATIO = 5,       /* bytes unpacked per byte of the scanned object, past 64 MiB */
    ESETS_LIMIT_READINGS = 6,    /* ways in which one ambiguous container is read */
    ESETS_LIMIT_SCAN_SIZE = 7,   /* bytes scanned in one scan; a larger file is not even read */
    ESETS_LIMIT_TIME = 8         /* milliseconds of one scan; 0, the default, for no limit */
};

/* What a scan looks for and what its verdict keeps; each is 0 or 1. */
typedef int32_t esets_option;
enum {
    ESETS_OPTION_HEURISTICS = 1,  /* whether heuristics run (1) */
    ESETS_OPTION_ALL_RECORDS = 2, /* whether clean members get a record too (0) */
    ESETS_OPTION_UNSAFE = 3,      /* whether potentially unsafe applications are looked for (0) */
    ESETS_OPTION_UNWANTED = 4     /* whether potentially unwanted ones are looked for (0) */
};

/* Makes a scanner with default limits and options. */
esets_result esets_scanner_new(const esets_database *database, esets_scanner **out);

/* Sets a limit for the scans that start from now on. */
esets_result esets_scanner_set_limit(esets_scanner *scanner, esets_limit limit, uint64_t value);

/* Writes to `value` what a limit is set to. */
esets_result esets_scanner_limit(const esets_scanner *scanner, esets_limit limit, uint64_t *value);

/* Sets an option for the scans that start from now on. */
esets_result esets_scanner_set_option(esets_scanner *scanner, esets_option option, uint64_t value);

/* Writes to `value` what an option is set to. */
esets_result esets_scanner_option(const esets_scanner *scanner, esets_option option,
                                  uint64_t *value);

/* Leaves a format unopened, by its name, "zip"; its objects are "not scanned", never "clean". */
esets_result esets_scanner_skip_format(esets_scanner *scanner, const char *format);

/* Frees a scanner. */
void esets_scanner_free(esets_scanner *scanner);

/* Records ------------------------------------------------------------------------------------- */

/* One object met by a scan. */
typedef struct esets_record esets_record;

/* One thing found in one object. */
typedef struct esets_detection esets_detection;

/* How an object ended; of several, the highest number counts. */
typedef int32_t esets_status;
enum {
    ESETS_STATUS_CLEAN = 0,       /* all of it was looked at, and nothing was found */
    ESETS_STATUS_NOT_SCANNED = 1, /* nothing was found, but part of it was not looked at */
    ESETS_STATUS_INFECTED = 2     /* something was found */
};

/* How bad a detection is. */
typedef int32_t esets_class;
enum {
    ESETS_CLASS_MALWARE = 1,   /* a threat known by a signature */
    ESETS_CLASS_UNSAFE = 2,    /* legitimate but dangerous in the wrong hands */
    ESETS_CLASS_UNWANTED = 3,  /* not malicious, yet rarely wanted */
    ESETS_CLASS_SUSPICIOUS = 4 /* found by a heuristic */
};

/* What found a detection. */
typedef int32_t esets_source;
enum {
    ESETS_SOURCE_SIGNATURE = 1,
    ESETS_SOURCE_HEURISTIC = 2
};

/* Why part of an object was not looked at. */
typedef int32_t esets_reason;
enum {
    ESETS_REASON_CANCELLED = 1,  /* the caller ended the scan */
    ESETS_REASON_CORRUPT = 2,    /* the object breaks its format */
    ESETS_REASON_ENCRYPTED = 3,  /* no known password opens it */
    ESETS_REASON_FAULT = 4,      /* a defect in this software */
    ESETS_REASON_LIMIT = 5,      /* a limit was reached; see esets_record_reason_limit */
    ESETS_REASON_TRUNCATED = 6,  /* the object ends before its format does */
    ESETS_REASON_UNSUPPORTED = 7 /* the object uses a feature that is not implemented */
};

/* No such record, no offset. */
#define ESETS_NONE UINT64_MAX

/* The status of this object alone. */
esets_status esets_record_status(const esets_record *record);

/* The position of the container's record; ESETS_NONE for the scanned object. */
uint64_t esets_record_parent(const esets_record *record);

/* The size in bytes, as far as the object was unpacked. */
uint64_t esets_record_size(const esets_record *record);

/* The name as the container has it: any bytes, `size` of them (unless NULL), and a NUL. */
const char *esets_record_name(const esets_record *record, size_t *size);

/* How many formats recognised the object, and their names. */
size_t esets_record_formats(const esets_record *record);
const char *esets_record_format(const esets_record *record, size_t index);

/* How many detections are on this object, and each of them. */
size_t esets_record_detections(const esets_record *record);
const esets_detection *esets_record_detection(const esets_record *record, size_t index);

/* How many reasons there are why part of this object was not looked at; each as a number, the
 * limit it names (0 if it names none), and in words. */
size_t esets_record_reasons(const esets_record *record);
esets_reason esets_record_reason(const esets_record *record, size_t index);
esets_limit esets_record_reason_limit(const esets_record *record, size_t index);
const char *esets_record_reason_text(const esets_record *record, size_t index);

/* How many breaches of its format leave more than one reading of the object, and each in words.
 * Every reading was scanned. */
size_t esets_record_defects(const esets_record *record);
const char *esets_record_defect(const esets_record *record, size_t index);

/* A detection: its name, how bad it is, what found it, and where in the object it begins, in
 * bytes (ESETS_NONE if it has no place). */
const char *esets_detection_name(const esets_detection *detection);
esets_class esets_detection_class(const esets_detection *detection);
esets_source esets_detection_source(const esets_detection *detection);
uint64_t esets_detection_offset(const esets_detection *detection);

/* Sessions ------------------------------------------------------------------------------------ */

/* A cancel button. Any number of scans may obey one. */
typedef struct esets_interrupt esets_interrupt;

/* What a caller brings to its scans; everything in it is optional. */
typedef struct esets_session esets_session;

/* Watches a scan: is called for every object once it is done, members before their container,
 * clean ones too. `user` is what was given with the function; `record` is valid during the call.
 * Anything but 0 ends the scan, which then is "not scanned: cancelled". */
typedef int (*esets_observer)(void *user, const esets_record *record);

/* Makes a cancel button. */
esets_result esets_interrupt_new(esets_interrupt **out);

/* Ends every scan that obeys the button, those that start later too. Any thread and any signal
 * handler may call it. A scan asks at every object and every 64 KiB read or matched. */
esets_result esets_interrupt_raise(const esets_interrupt *interrupt);

/* Lets scans run again. */
esets_result esets_interrupt_clear(const esets_interrupt *interrupt);

/* Frees a cancel button. Scans that obey it go on. */
void esets_interrupt_free(esets_interrupt *interrupt);

/* Makes a session that brings nothing yet. */
esets_result esets_session_new(esets_session **out);

/* Lets the scans of this session obey a cancel button; NULL for none. */
esets_result esets_session_set_interrupt(esets_session *session,
                                         const esets_interrupt *interrupt);

/* Lets a function watch the scans of this session; NULL for none. */
esets_result esets_session_set_observer(esets_session *session, esets_observer observer,
                                        void *user);

/* Adds a password to try on encrypted members, before those found in the mail around them. */
esets_result esets_session_add_password(esets_session *session, const void *bytes, size_t size);

/* Frees a session. Its running scans go on. */
void esets_session_free(esets_session *session);

/* Scans --------------------------------------------------------------------------------------- */

/* What a scan found: a tree of records. */
typedef struct esets_verdict esets_verdict;

/* Fills `buffer` as read(2) does: how many bytes, 0 at the end, -1 on an error with errno set. */
typedef ssize_t (*esets_reader)(void *user, void *buffer, size_t size);

/* Scans `size` bytes that nobody changes during the call. For all scans: `session` may be NULL,
 * `name` may be NULL, and a scan does not fail: what could not be looked at is in the verdict.
 * Only what cannot be opened or read at all has a result other than ESETS_OK. */
esets_result esets_scan_memory(const esets_scanner *scanner, const esets_session *session,
                               const void *bytes, size_t size, const char *name,
                               esets_verdict **out);

/* Scans a regular file. It is read, never mapped, and symbolic links are followed. */
esets_result esets_scan_path(const esets_scanner *scanner, const esets_session *session,
                             const char *path, esets_verdict **out);

/* Scans all of a regular file, without moving its position, or what a pipe or socket yields up to
 * its end. The descriptor stays open. */
esets_result esets_scan_descriptor(const esets_scanner *scanner, const esets_session *session,
                                   int fd, const char *name, esets_verdict **out);

/* Scans what a function yields up to its end. */
esets_result esets_scan_reader(const esets_scanner *scanner, const esets_session *session,
                               esets_reader reader, void *user, const char *name,
                               esets_verdict **out);

/* Verdicts ------------------------------------------------------------------------------------ */

/* The worst status of all records; ESETS_STATUS_NOT_SCANNED for NULL. */
esets_status esets_verdict_status(const esets_verdict *verdict);

/* How many objects were met, and how many bytes were scanned, each object counted for itself. */
uint64_t esets_verdict_objects(const esets_verdict *verdict);
uint64_t esets_verdict_bytes(const esets_verdict *verdict);

/* How many records there are, and each of them, a container before its members. The first is the
 * scanned object. Clean members have none unless ESETS_OPTION_ALL_RECORDS is set. */
size_t esets_verdict_records(const esets_verdict *verdict);
const esets_record *esets_verdict_record(const esets_verdict *verdict, size_t index);

/* How many detections there are in all, and each of them; if a container shows the detection of
 * its member, only the member's counts. `record` (unless NULL) gets the position of its record. */
size_t esets_verdict_threats(const esets_verdict *verdict);
const esets_detection *esets_verdict_threat(const esets_verdict *verdict, size_t index,
                                            size_t *record);

/* The verdict as JSON in one line, and as a tree with one line a record. */
esets_result esets_verdict_json(const esets_verdict *verdict, char **out);
esets_result esets_verdict_tree(const esets_verdict *verdict, char **out);

/* Frees a verdict and all that was read from it. */
void esets_verdict_free(esets_verdict *verdict);

/* Policies ------------------------------------------------------------------------------------ */

/* What happens to objects: esets.cfg. */
typedef struct esets_policy esets_policy;

/* What is known about an object besides its bytes. */
typedef struct esets_context esets_context;

/* What happens to an object, and for whom. */
typedef struct esets_decision esets_decision;

/* What happens to an object for some of its recipients. */
typedef struct esets_disposition esets_disposition;

/* What happens; a higher number is stricter. They are the exit codes of esets_cli. */
typedef int32_t esets_action;
enum {
    ESETS_ACTION_ACCEPT = 0,  /* it passes */
    ESETS_ACTION_DEFER = 1,   /* the sender is asked to try again later */
    ESETS_ACTION_DISCARD = 2, /* it vanishes, and the sender is told that it passed */
    ESETS_ACTION_REJECT = 3   /* it is refused, and the sender is told so */
};

/* Makes the policy of an empty esets.cfg. */
esets_result esets_policy_default(esets_policy **out);

/* Reads esets.cfg and its special configuration files, which are looked for beside it. After a
 * failure `error` (unless NULL) gets a text with one line for every mistake, else NULL. */
esets_result esets_policy_open(const char *path, esets_policy **out, char **error);

/* Reads the same file again. After a failure the policy is what it was. */
esets_result esets_policy_reload(esets_policy *policy, char **error);

/* What is doubtful in the files, though usable, one line each. */
esets_result esets_policy_warnings(const esets_policy *policy, char **out);

/* Makes a scanner with the options and limits that the policy has for this context. If it needs
 * no scan there is none: the result is ESETS_OK and `out` holds NULL. */
esets_result esets_policy_scanner(const esets_policy *policy, const esets_context *context,
                                  const esets_database *database, esets_scanner **out);

/* Decides what happens to an object. `verdict` is NULL if the policy needed no scan; if it needed
 * one, NULL counts as a failed scan. Where the decision takes parts out of a message, nobody has
 * looked yet whether the threat goes with them: for such messages use esets_policy_handle. */
esets_result esets_policy_decide(const esets_policy *policy, const esets_context *context,
                                 const esets_verdict *verdict, esets_decision **out);

/* Explains such a decision, question by question; the last line is "action: " and a word. */
esets_result esets_policy_explain(const esets_policy *policy, const esets_context *context,
                                  const esets_verdict *verdict, char **out);

/* Frees a policy. */
void esets_policy_free(esets_policy *policy);

/* Makes the context of an agent, which is called as its section in esets.cfg: "smtp". */
esets_result esets_context_new(const char *agent, esets_context **out);

/* Sets the address that the object comes from, and that it goes to or was fetched from: IPv4 or
 * IPv6 as text. */
esets_result esets_context_set_client(esets_context *context, const char *address);
esets_result esets_context_set_server(esets_context *context, const char *address);

/* Sets the sender of a message, empty for the null sender, and adds a recipient; without angle
 * brackets. */
esets_result esets_context_set_sender(esets_context *context, const char *address);
esets_result esets_context_add_recipient(esets_context *context, const char *address);

/* Sets the user that asks for the object. */
esets_result esets_context_set_user(esets_context *context, const char *user);

/* Says whether the object is a message that the caller can change. */
esets_result esets_context_set_modifiable(esets_context *context, int value);

/* Frees a context. */
void esets_context_free(esets_context *context);

/* For those who cannot treat recipients apart: the strictest action for any of them
 * (ESETS_ACTION_DEFER for NULL), and the line that decided, "action_av in [smtp], esets.cfg:12". */
esets_action esets_decision_action(const esets_decision *decision);
const char *esets_decision_rule(const esets_decision *decision);

/* How many dispositions there are, and each of them. Every recipient is in exactly one; without
 * recipients there is exactly one. */
size_t esets_decision_dispositions(const esets_decision *decision);
const esets_disposition *esets_decision_disposition(const esets_decision *decision, size_t index);

/* The decision as JSON in one line. */
esets_result esets_decision_json(const esets_decision *decision, char **out);

/* Frees a decision and all that was read from it. */
void esets_decision_free(esets_decision *decision);

/* What happens (ESETS_ACTION_DEFER for NULL), the line that decided, and 1 if the object is to be
 * stored in the quarantine first. */
esets_action esets_disposition_action(const esets_disposition *disposition);
const char *esets_disposition_rule(const esets_disposition *disposition);
int esets_disposition_quarantine(const esets_disposition *disposition);

/* How many recipients it is for, and the position of each among those of the context; SIZE_MAX if
 * there is no such recipient. */
size_t esets_disposition_recipients(const esets_disposition *disposition);
size_t esets_disposition_recipient(const esets_disposition *disposition, size_t index);

/* How many parts are to be taken out of the message, and each as the position of its record in
 * the verdict; SIZE_MAX if there is no such part. */
size_t esets_disposition_removals(const esets_disposition *disposition);
size_t esets_disposition_removal(const esets_disposition *disposition, size_t index);

/* How many header fields are to be added, and each as "Name: value" in one line, not yet folded
 * or encoded. */
size_t esets_disposition_headers(const esets_disposition *disposition);
const char *esets_disposition_header(const esets_disposition *disposition, size_t index);

/* What is to be put before the subject, below the text, and in the place of each part taken out
 * (with %FILENAME% and %VIRUSNAME%); empty for nothing. */
const char *esets_disposition_subject_prefix(const esets_disposition *disposition);
const char *esets_disposition_footnote(const esets_disposition *disposition);
const char *esets_disposition_part_notice(const esets_disposition *disposition);

/* Messages ------------------------------------------------------------------------------------ */

/* A message as it passes. */
typedef struct esets_message esets_message;

/* All of an agent's work on a message in memory: asks the policy, scans with its options and limits,
 * and decides. Where parts are to be taken out, the message without them is made and scanned too:
 * if a part cannot be taken out, or its threat is still found, the decision is that without any
 * cleaning. `session` and `name` may be NULL; `verdict` holds NULL if the policy needed no scan. */
esets_result esets_policy_handle(const esets_policy *policy, const esets_context *context,
                                 const esets_database *database, const esets_session *session,
                                 const void *bytes, size_t size, const char *name,
                                 esets_verdict **verdict, esets_decision **decision);

/* Makes the message that passes for the recipients of a disposition: fields, prefix and footnote
 * added, parts replaced by their notice, in its own line ends, character sets and encodings. Every
 * byte that no change concerns stays as it is, and nothing is changed inside what is signed or
 * encrypted. `bytes` are those that were scanned, `verdict` what the scan said; it may be NULL if
 * nothing is taken out. With ESETS_ERROR_REWRITE the message must not pass by this disposition. */
esets_result esets_disposition_apply(const esets_disposition *disposition,
                                     const esets_verdict *verdict, const void *bytes, size_t size,
                                     esets_message **out);

/* The bytes of a message, `size` of them (unless NULL). */
const void *esets_message_bytes(const esets_message *message, size_t *size);

/* Frees a message. */
void esets_message_free(esets_message *message);

/* The daemon ---------------------------------------------------------------------------------- */

/* Connections to esets_daemon, which scans and decides by its own configuration. */
typedef struct esets_client esets_client;

/* Makes a client of the daemon that listens on a socket. It connects when that is first needed, and
 * again when it has to; a socket that belongs neither to root nor to the caller's own user is not
 * believed. `patience` is how many milliseconds an answer may take, 0 for as long as it does. */
esets_result esets_client_new(const char *socket, uint64_t patience, esets_client **out);

/* Hands an object over: `size` bytes; a regular file, which is opened here and read there; or an
 * open descriptor of one. `verdict` holds NULL if the policy of the daemon needed no scan. Without
 * an answer the result is ESETS_ERROR_DAEMON, and both hold NULL: such an object is not clean.
 * Scan it with a scanner of this library, or treat it as "deferred". What esets_policy_decide says
 * of parts that are taken out holds here too. */
esets_result esets_client_scan_memory(const esets_client *client, const esets_context *context,
                                      const void *bytes, size_t size, const char *name,
                                      esets_verdict **verdict, esets_decision **decision);
esets_result esets_client_scan_path(const esets_client *client, const esets_context *context,
                                    const char *path, esets_verdict **verdict,
                                    esets_decision **decision);
esets_result esets_client_scan_descriptor(const esets_client *client, const esets_context *context,
                                          int fd, const char *name, esets_verdict **verdict,
                                          esets_decision **decision);

/* Frees a client and closes its connections. */
void esets_client_free(esets_client *client);

#ifdef __cplusplus
}
#endif

#endif
