/* What the test programs have in common. */
#include <esets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program unless a condition holds. */
#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);          \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

/* The test file of the EICAR, put together here so that no scanner takes this file away. */
static inline void eicar(char *buffer, size_t size) {
    snprintf(buffer, size, "%s%s", "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-",
             "ANTIVIRUS-TEST-FILE!$H+H*");
}
