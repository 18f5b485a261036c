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
    const struct dirent *found;
    errno = 0;
    while ((found = readdir(directory))) {
        const char *name = found->d_name;
        if (name[0] != '.' || (name[1] && (name[1] != '.' || name[2])))
            return name;
    }
    return NULL;
}

/* By octets, as Python sorts them. */
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

/* Makes room for so many octets or names; false where there is none. */
static bool grow(void **memory, size_t *room, size_t needed, size_t each) {
    if (needed <= *room)
        return true;
    size_t wanted = *room ? *room : 1024;
    while (wanted < needed)
        wanted *= 2;
    void *grown = realloc(*memory, wanted * each);
    if (!grown)
        return false;
    *memory = grown;
    *room = wanted;
    return true;
}

static bool add(struct names *names, size_t *used, const char *name) {
    size_t length = strlen(name) + 1;
    if (!grow(&names->arena, &names->arena_room, *used + length, 1) ||
        !grow(&names->list, &names->list_room, names->count + 1, sizeof(struct name)))
        return false;
    memcpy((char *)names->arena + *used, name, length);
    ((struct name *)names->list)[names->count++].offset = *used;
    *used += length;
    return true;
}

/* Reads up to so many names in place of those there are; false and errno where that fails. */
static bool read_names(struct names *names, DIR *directory, size_t most) {
    const char *name = NULL;
    size_t used = 0;
    names->count = names->next = 0;
    while (names->count < most && (name = read_name(directory)))
        if (!add(names, &used, name))
            return false;
    struct name *list = names->list;
    for (size_t i = 0; i < names->count; i++)
        list[i].text = (const char *)names->arena + list[i].offset;
    names->ended = !name;
    return name || !errno;
}

static bool read_more(struct names *names, DIR *directory, size_t sorted_limit, size_t room) {
    if (names->read)
        return read_names(names, directory, room);
    if (!read_names(names, directory, sorted_limit + 1))
        return false;
    names->read = true;
    if (names->ended && names->count > 1)
        sort(names->list, names->count);
    return true;
}

bool names_next(struct names *names, DIR *directory, size_t sorted_limit, struct entry *entries, size_t *count) {
    size_t room = *count;
    *count = 0;
    if (names->next == names->count && !names->ended && !read_more(names, directory, sorted_limit, room))
        return false;
    const struct name *list = names->list;
    while (*count < room && names->next < names->count)
        entries[(*count)++].name = list[names->next++].text;
    return true;
}

void names_free(struct names *names) {
    free(names->list);
    free(names->arena);
}
