/* The entries of a directory and their status, which two threads ask for where there are many. */
#ifndef FAIRLEAD_ENTRIES_H
#define FAIRLEAD_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

/* lines.py has the same structure. */
struct entry {
    const char *name;
    uint64_t inode, device, links;
    int64_t size, modified;
    uint32_t mode, owner, group; /* mode 0 where there is no status to be had */
};

struct looker;

/* NULL where there is no memory for one. */
struct looker *looker_new(void);

/* Asks for the status of so many entries of an open directory, links not followed. */
void look(struct looker *looker, int directory, struct entry *const *entries, size_t count);

void looker_free(struct looker *looker);

#endif
