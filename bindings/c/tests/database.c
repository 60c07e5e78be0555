/* Databases: embedded, compiled in memory from sources, mapped from a file; reloaded. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <errno.h>
#include <sys/stat.h>

static const char MARKER[] = "Test.Marker:0:*:61206d61726b6572\n"; /* a marker */
static const char OTHER[] = "Test.Other:0:*:616e6f74686572\n";     /* another */

static void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void check_found(const esets_scanner *scanner, const char *text, const char *name) {
    esets_verdict *verdict;
    const esets_detection *found;

    CHECK(esets_scan_memory(scanner, NULL, text, strlen(text), NULL, &verdict) == ESETS_OK);
    found = esets_verdict_threat(verdict, 0, NULL);
    CHECK((found != NULL) == (name != NULL));
    if (found != NULL) {
        CHECK(strcmp(esets_detection_name(found), name) == 0);
        CHECK(esets_detection_source(found) == ESETS_SOURCE_SIGNATURE);
        CHECK(esets_detection_class(found) == ESETS_CLASS_MALWARE);
    }
    esets_verdict_free(verdict);
}

static void check_text(esets_result (*ask)(const esets_database *, char **),
                       const esets_database *database, const char *start) {
    char *text;
    CHECK(ask(database, &text) == ESETS_OK);
    if (strncmp(text, start, strlen(start)) != 0)
        fprintf(stderr, "%s, not %s\n", text, start);
    CHECK(strncmp(text, start, strlen(start)) == 0);
    esets_text_free(text);
}

static void the_embedded_database_knows_the_test_file(void) {
    esets_database *database;
    esets_scanner *scanner;
    char file[128];

    CHECK(esets_database_embedded(&database) == ESETS_OK);
    CHECK(esets_database_verify(database) == ESETS_OK);
    CHECK(esets_database_reload(database, NULL) == ESETS_OK);
    CHECK(esets_database_signatures(database) > 0);
    check_text(esets_database_version, database, "");
    check_text(esets_database_warnings, database, "");
    CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
    eicar(file, sizeof(file));
    check_found(scanner, file, "Eicar test file");
    check_found(scanner, "text", NULL);
    esets_scanner_free(scanner);
    esets_database_free(database);
}

static void a_folder_of_sources_is_compiled_and_reloaded(void) {
    esets_database *database;
    esets_scanner *scanner;
    char *error;

    mkdir("db", 0700);
    put("db/one.ndb", MARKER);
    put("db/readme", "not a source");
    CHECK(esets_database_open("db", &database, &error) == ESETS_OK && error == NULL);
    CHECK(esets_database_signatures(database) == 1);
    check_text(esets_database_version, database, "compiled in memory");
    CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
    check_found(scanner, "a marker", "Test.Marker");
    check_found(scanner, "another", NULL);
    put("db/two.ndb", OTHER);
    CHECK(esets_database_reload(database, &error) == ESETS_OK && error == NULL);
    check_found(scanner, "another", "Test.Other");
    put("db/two.ndb", "Test.Wrong:0:*:xyz\n");
    CHECK(esets_database_reload(database, NULL) == ESETS_OK);
    check_text(esets_database_warnings, database, "db/two.ndb:1: ");
    check_found(scanner, "another", NULL);
    put("db/one.ndb", "");
    CHECK(esets_database_reload(database, &error) == ESETS_ERROR_DATABASE);
    CHECK(strncmp(error, "db: no signatures\ndb/two.ndb:1: ", 32) == 0);
    esets_text_free(error);
    check_found(scanner, "a marker", "Test.Marker");
    CHECK(remove("db/one.ndb") == 0 && remove("db/two.ndb") == 0);
    CHECK(esets_database_reload(database, &error) == ESETS_ERROR_DATABASE);
    esets_text_free(error);
    esets_database_free(database);
    check_found(scanner, "a marker", "Test.Marker");
    esets_scanner_free(scanner);
}

static void a_single_source_is_compiled(void) {
    esets_database *database;
    esets_scanner *scanner;

    put("only.ndb", OTHER);
    CHECK(esets_database_open("only.ndb", &database, NULL) == ESETS_OK);
    CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
    check_found(scanner, "another", "Test.Other");
    esets_scanner_free(scanner);
    esets_database_free(database);
}

/* The test that runs this program compiles em002.dat into its folder. */
static void a_compiled_database_is_mapped(void) {
    static const char *const PATHS[] = {"em002.dat", "."};
    size_t i;

    for (i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        esets_database *database;
        esets_scanner *scanner;
        char *error = NULL;
        if (esets_database_open(PATHS[i], &database, &error) != ESETS_OK)
            fprintf(stderr, "%s\n", error);
        CHECK(error == NULL && esets_database_verify(database) == ESETS_OK);
        CHECK(esets_database_signatures(database) == 1);
        check_text(esets_database_version, database, "7");
        CHECK(esets_scanner_new(database, &scanner) == ESETS_OK);
        check_found(scanner, "a compiled marker", "Test.Compiled");
        esets_scanner_free(scanner);
        esets_database_free(database);
    }
}

static void a_flipped_bit_is_noticed(void) {
    esets_database *database;
    FILE *file = fopen("em002.dat", "rb"), *copy = fopen("flipped.dat", "wb");
    static unsigned char bytes[1 << 20];
    size_t size;

    CHECK(file != NULL && copy != NULL);
    size = fread(bytes, 1, sizeof(bytes), file);
    bytes[size - 1] ^= 1;
    CHECK(fwrite(bytes, 1, size, copy) == size && fclose(file) == 0 && fclose(copy) == 0);
    CHECK(esets_database_open("flipped.dat", &database, NULL) == ESETS_OK);
    CHECK(esets_database_verify(database) == ESETS_ERROR_DATABASE);
    esets_database_free(database);
}

static void bad_paths_say_why(void) {
    static const struct {
        const char *path;
        esets_result result;
        const char *error;
    } CASES[] = {
        {"none", ESETS_ERROR_IO, "none: No such file"},
        {"", ESETS_ERROR_IO, ": No such file"},
        {"foreign.dat", ESETS_ERROR_DATABASE, "foreign.dat: "},
        {"empty.dat", ESETS_ERROR_DATABASE, "empty.dat: the file is empty"},
        {"empty.ndb", ESETS_ERROR_DATABASE, "empty.ndb: no signatures"},
        {"/dev/null", ESETS_ERROR_FILE_TYPE, "/dev/null: is a device"},
        {"nothing", ESETS_ERROR_DATABASE, "nothing: neither em002.dat nor sources"},
    };
    size_t i;

    put("foreign.dat", "this is no database at all");
    put("empty.dat", "");
    put("empty.ndb", "");
    mkdir("nothing", 0700);
    for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        esets_database *database = (esets_database *)(void *)&database;
        char *error;
        esets_result result = esets_database_open(CASES[i].path, &database, &error);
        if (result != CASES[i].result || strncmp(error, CASES[i].error, strlen(CASES[i].error)))
            fprintf(stderr, "%s: %d, %s\n", CASES[i].path, (int)result, error);
        CHECK(result == CASES[i].result && database == NULL);
        CHECK(strncmp(error, CASES[i].error, strlen(CASES[i].error)) == 0);
        CHECK(result != ESETS_ERROR_IO || errno == ENOENT);
        esets_text_free(error);
        CHECK(esets_database_open(CASES[i].path, &database, NULL) == CASES[i].result);
    }
}

static void null_is_answered(void) {
    esets_database *database;
    char *text;

    CHECK(esets_database_open(NULL, &database, NULL) == ESETS_ERROR_NULL && database == NULL);
    CHECK(esets_database_open("db", NULL, NULL) == ESETS_ERROR_NULL);
    CHECK(esets_database_reload(NULL, &text) == ESETS_ERROR_NULL && text != NULL);
    esets_text_free(text);
    CHECK(esets_database_verify(NULL) == ESETS_ERROR_NULL);
    CHECK(esets_database_signatures(NULL) == 0);
    CHECK(esets_database_version(NULL, &text) == ESETS_ERROR_NULL && text == NULL);
    CHECK(esets_database_warnings(NULL, &text) == ESETS_ERROR_NULL && text == NULL);
}

int main(void) {
    the_embedded_database_knows_the_test_file();
    a_folder_of_sources_is_compiled_and_reloaded();
    a_single_source_is_compiled();
    a_compiled_database_is_mapped();
    a_flipped_bit_is_noticed();
    bad_paths_say_why();
    null_is_answered();
    return 0;
}
