/* Scans the standard input as a stream and walks the verdict: every object, what recognised it,
 * what was found in it, and why part of it was not looked at.
 *
 *     ./walk NAME < FILE
 */
#include <esets.h>
#include <stdio.h>

static ssize_t read_stdin(void *user, void *buffer, size_t size) {
    FILE *file = (FILE *)user;
    size_t count = fread(buffer, 1, size, file);
    return count == 0 && ferror(file) ? -1 : (ssize_t)count;
}

/* Names come from whoever made the object: show nothing that could control the terminal. */
static void print_name(const char *name, size_t size) {
    size_t i;
    for (i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (byte < ' ' || byte > '~' || byte == '\\')
            printf("\\x%02x", byte);
        else
            putchar(byte);
    }
}

static int depth_of(const esets_verdict *verdict, const esets_record *record) {
    uint64_t parent = esets_record_parent(record);
    int depth = 0;
    while (parent != ESETS_NONE) {
        parent = esets_record_parent(esets_verdict_record(verdict, (size_t)parent));
        depth++;
    }
    return depth;
}

static void print_record(const esets_verdict *verdict, const esets_record *record) {
    size_t i, size;
    const char *name = esets_record_name(record, &size);

    printf("%*s", 2 * depth_of(verdict, record), "");
    print_name(name, size);
    printf(": %llu bytes", (unsigned long long)esets_record_size(record));
    for (i = 0; i < esets_record_formats(record); i++)
        printf(", %s", esets_record_format(record, i));
    for (i = 0; i < esets_record_detections(record); i++)
        printf("; found %s", esets_detection_name(esets_record_detection(record, i)));
    for (i = 0; i < esets_record_reasons(record); i++)
        printf("; not scanned: %s", esets_record_reason_text(record, i));
    for (i = 0; i < esets_record_defects(record); i++)
        printf("; defect: %s", esets_record_defect(record, i));
    putchar('\n');
}

int main(int count, char **words) {
    esets_database *database = NULL;
    esets_scanner *scanner = NULL;
    esets_verdict *verdict = NULL;
    esets_result result = esets_database_embedded(&database);
    size_t i;

    if (result == ESETS_OK)
        result = esets_scanner_new(database, &scanner);
    if (result == ESETS_OK)
        result = esets_scanner_set_option(scanner, ESETS_OPTION_ALL_RECORDS, 1);
    if (result == ESETS_OK)
        result = esets_scan_reader(scanner, NULL, read_stdin, stdin, count > 1 ? words[1] : NULL,
                                   &verdict);
    if (result != ESETS_OK)
        fprintf(stderr, "%s\n", esets_result_text(result));
    for (i = 0; i < esets_verdict_records(verdict); i++)
        print_record(verdict, esets_verdict_record(verdict, i));
    esets_verdict_free(verdict);
    esets_scanner_free(scanner);
    esets_database_free(database);
    return result == ESETS_OK ? 0 : 1;
}
