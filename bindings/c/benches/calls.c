/* Scans 1 kB again and again and prints how many calls one second has room for. */
#define _POSIX_C_SOURCE 200809L
#include <esets.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void) {
    static char bytes[1024];
    esets_database *database;
    esets_scanner *scanner;
    double start;
    int i, calls = 100000, clean = 0;

    memset(bytes, 'a', sizeof(bytes));
    if (esets_database_embedded(&database) != ESETS_OK ||
        esets_scanner_new(database, &scanner) != ESETS_OK)
        return 1;
    start = seconds();
    for (i = 0; i < calls; i++) {
        esets_verdict *verdict;
        if (esets_scan_memory(scanner, NULL, bytes, sizeof(bytes), "name", &verdict) != ESETS_OK)
            return 1;
        clean += esets_verdict_status(verdict) == ESETS_STATUS_CLEAN;
        esets_verdict_free(verdict);
    }
    printf("C      %8.0f calls per second\n", calls / (seconds() - start));
    esets_scanner_free(scanner);
    esets_database_free(database);
    return clean == calls ? 0 : 1;
}
