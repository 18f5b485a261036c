/* Directories are sorted as long as they are small; of larger ones nothing is kept but what was read to find that out. */
#define _GNU_SOURCE
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK = 1024, /* entries that are read and looked at in one go */
    LIKELY = 64,  /* octets of a directory for each entry, more than most file systems take */
};

struct directory {
    DIR *stream;
    struct looker *looker;
    size_t sorted_limit;
    bool bare;
    bool read, ended; /* whether entries were read at all; whether those of the list are the last */
    char *arena;      /* the names of the list, one after the other */
    struct entry *list;
    struct entry **order;                     /* those of the list, in the order in which they come */
    size_t arena_room, list_room, order_room; /* octets, entries */
    size_t used;                  /* octets of the arena */
    size_t count, looked, next;   /* entries of the list; those that have a status; the one that comes next */
};

struct directory *directory_open(int descriptor, size_t sorted_limit, bool bare) {
    struct directory *directory = calloc(1, sizeof *directory);
    if (!directory)
        return NULL;
    directory->sorted_limit = sorted_limit;
    directory->bare = bare;
    directory->looker = looker_new();
    directory->stream = directory->looker ? fdopendir(descriptor) : NULL;
    if (directory->stream)
        return directory;
    int number = errno;
    if (directory->looker)
        looker_free(directory->looker);
    free(directory);
    errno = number;
    return NULL;
}

int directory_descriptor(const struct directory *directory) {
    return dirfd(directory->stream);
}

void directory_close(struct directory *directory) {
    looker_free(directory->looker);
    closedir(directory->stream);
    free(directory->order);
    free(directory->list);
    free(directory->arena);
    free(directory);
}

/* The next name as the directory has them, NULL at the end or with errno. */
static const char *read_name(DIR *stream) {
    const struct dirent *found;
    errno = 0;
    while ((found = readdir(stream))) {
        const char *name = found->d_name;
        if (name[0] != '.' || (name[1] && (name[1] != '.' || name[2])))
            return name;
    }
    return NULL;
}

/* Makes room for so many octets or entries; NULL where there is none. */
static void *grow(void *memory, size_t *room, size_t needed, size_t each) {
    if (needed <= *room)
        return memory;
    size_t wanted = *room ? *room : 128;
    while (wanted < needed)
        wanted *= 8; /* what is not used takes no memory */
    void *grown = realloc(memory, wanted * each);
    if (grown)
        *room = wanted;
    return grown;
}

static bool add(struct directory *directory, const char *name) {
    size_t length = strlen(name) + 1;
    char *arena = grow(directory->arena, &directory->arena_room, directory->used + length, 1);
    if (!arena)
        return false;
    directory->arena = arena;
    struct entry *list = grow(directory->list, &directory->list_room, directory->count + 1, sizeof *list);
    if (!list)
        return false;
    directory->list = list;
    struct entry **order = grow(directory->order, &directory->order_room, directory->count + 1, sizeof *order);
    if (!order)
        return false;
    directory->order = order;
    memcpy(arena + directory->used, name, length);
    directory->used += length;
    memset(&list[directory->count++], 0, sizeof *list);
    return true;
}

/* Gives the entries from first on their places, and their names, which stand in the arena from text on. */
static void place_entries(struct directory *directory, size_t first, size_t text) {
    const char *at = directory->arena + text;
    for (size_t i = first; i < directory->count; i++) {
        directory->order[i] = &directory->list[i];
        directory->list[i].name = at;
        at += strlen(at) + 1;
    }
}

/* Adds up to so many entries to the list; false and errno where they cannot be read. */
static bool read_entries(struct directory *directory, size_t most) {
    const char *name = NULL;
    size_t first = directory->count, text = directory->used;
    while (directory->count - first < most && (name = read_name(directory->stream)))
        if (!add(directory, name))
            return false;
    directory->ended = !name;
    if (!name && errno)
        return false;
    place_entries(directory, first, text);
    return true;
}

/* Looks at the next of the entries that nobody looked at. */
static void look_on(struct directory *directory) {
    size_t count = directory->count - directory->looked;
    if (count > BLOCK)
        count = BLOCK;
    if (!directory->bare)
        look(directory->looker, dirfd(directory->stream), directory->order + directory->looked, count);
    directory->looked += count;
}

struct place {
    uint64_t key; /* the first octets after those that all names share, so that most comparisons are of numbers */
    struct entry *entry;
};

/* By octets, as Python sorts them. */
static int compare(const void *one, const void *other) {
    const struct place *a = one, *b = other;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return strcmp(a->entry->name, b->entry->name);
}

static size_t shared_prefix(const struct entry *list, size_t count) {
    size_t shared = strlen(list[0].name);
    for (size_t i = 1; i < count; i++) {
        size_t same = 0;
        while (same < shared && list[i].name[same] == list[0].name[same])
            same++;
        shared = same;
    }
    return shared;
}

static bool sort(struct directory *directory) {
    size_t count = directory->count;
    struct place *places = malloc(count * sizeof *places);
    if (!places)
        return false;
    size_t shared = shared_prefix(directory->list, count);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *text = (const unsigned char *)directory->list[i].name + shared;
        places[i] = (struct place){.entry = &directory->list[i]};
        for (int octet = 0; octet < 8; octet++)
            places[i].key = places[i].key << 8 | (*text ? *text++ : 0);
    }
    qsort(places, count, sizeof *places, compare);
    for (size_t i = 0; i < count; i++)
        directory->order[i] = places[i].entry;
    free(places);
    return true;
}

/* Whether there seem to be few enough entries to sort them. If so, each is looked at right after it was read, while what
 * the system needs for that is at hand; else the first lines would come late. */
static bool seems_small(const struct directory *directory) {
    struct stat status;
    return !fstat(dirfd(directory->stream), &status) &&
           (uint64_t)status.st_size <= (uint64_t)directory->sorted_limit * LIKELY;
}

/* Reads up to one more entry than are sorted, and sorts them if they are all. */
static bool read_first(struct directory *directory) {
    bool early = seems_small(directory);
    while (!directory->ended && directory->count <= directory->sorted_limit) {
        size_t most = directory->sorted_limit + 1 - directory->count;
        if (!read_entries(directory, most < BLOCK ? most : BLOCK))
            return false;
        while (early && directory->looked < directory->count)
            look_on(directory);
    }
    directory->read = true;
    place_entries(directory, 0, 0); /* they moved as their memory grew */
    return !directory->ended || directory->count < 2 || sort(directory);
}

static bool read_more(struct directory *directory) {
    if (!directory->read)
        return read_first(directory);
    directory->count = directory->used = 0;
    directory->looked = directory->next = 0;
    return read_entries(directory, BLOCK);
}

const struct entry *directory_next(struct directory *directory) {
    if (directory->next == directory->count && !directory->ended && !read_more(directory))
        return NULL;
    errno = 0;
    if (directory->next == directory->count)
        return NULL;
    if (directory->next == directory->looked)
        look_on(directory);
    return directory->order[directory->next++];
}
