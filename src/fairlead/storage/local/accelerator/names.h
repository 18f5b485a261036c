/* The names in a directory, in the order in which they are listed. */
#ifndef FAIRLEAD_NAMES_H
#define FAIRLEAD_NAMES_H

#include "entries.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

/* Names that were read; zeroes for a directory of which nothing was. */
struct names {
    void *arena, *list;           /* the texts one after the other, and where each begins */
    size_t arena_room, list_room; /* octets, names */
    size_t count, next;           /* of the list */
    bool read, ended;             /* whether names were read at all; whether those of the list are the last */
};

/* Gives entries the next names, at most *count, and tells how many; none at the end. False and errno where the directory
 * cannot be read. They are valid until the next call. Sorted by octets where there are no more than sorted_limit in all,
 * in the directory's own order beyond. */
bool names_next(struct names *names, DIR *directory, size_t sorted_limit, struct entry *entries, size_t *count);

void names_free(struct names *names);

#endif
