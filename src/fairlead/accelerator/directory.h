/* The entries of a directory, in the order in which they are listed. */
#ifndef FAIRLEAD_DIRECTORY_H
#define FAIRLEAD_DIRECTORY_H

#include "entries.h"

#include <stdbool.h>

struct directory;

/* Takes over a descriptor; NULL and errno where it is no directory. Entries are sorted by the octets of their names where
 * there are no more than sorted_limit, in the directory's own order beyond. Bare ones come without their status. */
struct directory *directory_open(int descriptor, size_t sorted_limit, bool bare);

int directory_descriptor(const struct directory *directory);

/* The next entry, valid until the next call. NULL at the end, where errno is 0, and where the directory cannot be read. */
const struct entry *directory_next(struct directory *directory);

void directory_close(struct directory *directory);

#endif
