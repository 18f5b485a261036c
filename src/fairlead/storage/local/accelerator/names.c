/* Directories are sorted as long as they are small; of larger ones nothing is kept but what was read to find that out. */
#include "names.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct name {
    uint64_t key; /* the first octets after those that all names share, so that most comparisons are of numbers */
    union {
        size_t offset;
        const char *text;
    };
};

/* The next name as the directory has them, NULL at the end or with errno. */
static const char *read_name(DIR *directory) {
    struct dirent *found;
    errno = 0;
    while ((found = readdir(directory))) {
        const char *name = found->d_name;
        if (name[0] != '.' || (name[1] && (name[1] != '.' || name[2])))
            return name;
    }
    return NULL;
}

static int compare(const void *one, const void *other) {
    const struct name *a = one, *b = other;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return strcmp(a->text, b->text);
}

static void sort(struct name *names, size_t count) {
    size_t shared = strlen(names[0].text);
    for (size_t i = 1; i < count; i++) {
        size_t same = 0;
        while (same < shared && names[i].text[same] == names[0].text[same])
            same++;
        shared = same;
    }
    for (size_t i = 0; i < count; i++) {
        const unsigned char *text = (const unsigned char *)names[i].text + shared;
        uint64_t key = 0;
        for (int octet = 0; octet < 8; octet++)
            key = key << 8 | (*text ? *text++ : 0);
        names[i].key = key;
    }
    qsort(names, count, sizeof *names, compare);
}

/* Makes room for so many more octets or names; 0, or -1 and errno. */
static int grow(void **memory, size_t *room, size_t needed, size_t each) {
    if (needed <= *room)
        return 0;
    size_t wanted = *room ? *room : 1024;
    while (wanted < needed)
        wanted *= 2;
    void *grown = realloc(*memory, wanted * each);
    if (!grown)
        return -1;
    *memory = grown;
    *room = wanted;
    return 0;
}

/* Reads names up to one more than are sorted, and sorts them if they are all; 0, or -1 and errno. */
static int read_first(struct names *names, DIR *directory, size_t sorted_limit) {
    void *arena = NULL, *list = NULL;
    size_t arena_room = 0, list_room = 0, used = 0, count = 0;
    const char *name = NULL;
    bool failed = false;
    while (count <= sorted_limit && (name = read_name(directory))) {
        size_t length = strlen(name) + 1;
        failed = grow(&arena, &arena_room, used + length, 1) || grow(&list, &list_room, count + 1, sizeof(struct name));
        if (failed)
            break;
        memcpy((char *)arena + used, name, length);
        ((struct name *)list)[count++].offset = used;
        used += length;
    }
    names->arena = arena;
    names->list = list;
    if (failed || (!name && errno))
        return -1;
    for (size_t i = 0; i < count; i++)
        names->list[i].text = names->arena + names->list[i].offset;
    names->count = count;
    names->ended = !name;
    if (names->ended && count > 1)
        sort(names->list, count);
    names->read = true;
    return 0;
}

const char *names_next(struct names *names, DIR *directory, size_t sorted_limit) {
    if (!names->read && read_first(names, directory, sorted_limit))
        return NULL;
    errno = 0;
    if (names->next < names->count)
        return names->list[names->next++].text;
    return names->ended ? NULL : read_name(directory);
}

void names_free(struct names *names) {
    free(names->list);
    free(names->arena);
}
