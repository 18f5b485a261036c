/* The names in a directory, in the order in which they are listed. */
#ifndef FAIRLEAD_NAMES_H
#define FAIRLEAD_NAMES_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

struct name;

/* Zeroes are a directory of which nothing was read. */
struct names {
    char *arena; /* the names read at first, one after the other */
    struct name *list;
    size_t count, next; /* of the list */
    bool read, ended;   /* whether names were read at first; whether they were all */
};

/* The next name, NULL at the end or with errno; valid until the next call. Sorted by octets where there are no more
 * than sorted_limit, in the directory's own order beyond. */
const char *names_next(struct names *names, DIR *directory, size_t sorted_limit);

void names_free(struct names *names);

#endif
