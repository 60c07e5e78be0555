/* Scans files and prints what was found.
 *
 *     cc scan.c $(pkg-config --cflags --libs esets) -o scan
 *     ./scan FILE...
 *
 * Ends with 0 if all is clean, 10 if not all was scanned, 50 if something was found, 100 if a file
 * could not be read: the codes of esets_scan.
 */
#include <errno.h>
#include <esets.h>
#include <stdio.h>
#include <string.h>

static const int EXIT_CODES[] = {0, 10, 50};
enum { FAILED = 100 };

static int scan(const esets_scanner *scanner, const char *path) {
    esets_verdict *verdict;
    char *tree;
    esets_status status;
    esets_result result = esets_scan_path(scanner, NULL, path, &verdict);

    if (result != ESETS_OK) {
        const char *why = result == ESETS_ERROR_IO ? strerror(errno) : esets_result_text(result);
        fprintf(stderr, "%s: %s\n", path, why);
        return FAILED;
    }
    status = esets_verdict_status(verdict);
    if (esets_verdict_tree(verdict, &tree) == ESETS_OK) {
        fputs(tree, stdout);
        esets_text_free(tree);
    }
    esets_verdict_free(verdict);
    return EXIT_CODES[status];
}

int main(int count, char **paths) {
    esets_database *database;
    esets_scanner *scanner;
    int worst = 0, i;

    if (esets_database_embedded(&database) != ESETS_OK)
        return FAILED;
    if (esets_scanner_new(database, &scanner) != ESETS_OK) {
        esets_database_free(database);
        return FAILED;
    }
    esets_scanner_set_limit(scanner, ESETS_LIMIT_TIME, 60 * 1000);
    for (i = 1; i < count; i++) {
        int code = scan(scanner, paths[i]);
        worst = code > worst ? code : worst;
    }
    esets_scanner_free(scanner);
    esets_database_free(database);
    return worst;
}
