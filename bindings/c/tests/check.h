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

/* Turns `size` bytes into a tar archive (ustar) with one member that holds them; the size grows by
 * what the return value says. There must be room for 2048 bytes more. */
static inline size_t archive(unsigned char *bytes, size_t size, const char *name) {
    size_t padded = (size + 511) / 512 * 512, i;
    unsigned sum = 0;

    memmove(bytes + 512, bytes, size);
    memset(bytes, 0, 512);
    memset(bytes + 512 + size, 0, padded - size + 1024);
    snprintf((char *)bytes, 100, "%s", name);
    snprintf((char *)bytes + 100, 8, "%07o", 0644u);
    snprintf((char *)bytes + 124, 12, "%011o", (unsigned)size);
    memcpy(bytes + 257, "ustar\00000", 8);
    memset(bytes + 148, ' ', 8);
    bytes[156] = '0';
    for (i = 0; i < 512; i++)
        sum += bytes[i];
    snprintf((char *)bytes + 148, 8, "%06o", sum);
    return 512 + padded + 1024;
}
