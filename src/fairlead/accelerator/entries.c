/* Most of the time that a listing takes goes to asking for the status of each entry, a call of the system each. From
 * some number on a helper, a second thread, does its share: a few entries at a time, by names of its own. Nobody waits for
 * it: what it has not brought when all else is done is asked for once more, so that a helper without a core costs nothing.
 */
#define _GNU_SOURCE
#include "entries.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MANY = 512,        /* entries from which on a helper is worth its making */
    SHARE = 16,        /* entries that are looked at in one go */
    NAMES_ROOM = 8192, /* octets for the names of a share; more than one name can have */
};

struct looker {
    pthread_t helper;
    bool asked, helped; /* whether a helper was asked for, and came */
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    /* Under the lock: */
    int directory;
    struct entry *const *entries;
    size_t next, count;           /* the first entry that nobody took; how many there are */
    size_t lent, lent_end;        /* those that the helper took */
    unsigned long turn;           /* counts calls of look, so that a helper that comes too late knows */
    bool ended;
};

static void look_at(int directory, struct entry *entry) {
    struct stat status;
    if (fstatat(directory, entry->name, &status, AT_SYMLINK_NOFOLLOW)) {
        entry->mode = 0;
        return;
    }
    entry->inode = status.st_ino;
    entry->device = status.st_dev;
    entry->links = status.st_nlink;
    entry->size = status.st_size;
    entry->modified = status.st_mtime;
    entry->mode = status.st_mode;
    entry->owner = status.st_uid;
    entry->group = status.st_gid;
}

/* Takes entries that nobody took; how many. The lock is held. */
static size_t take(struct looker *looker, size_t *first) {
    size_t count = looker->count - looker->next;
    if (count > SHARE)
        count = SHARE;
    *first = looker->next;
    looker->next += count;
    return count;
}

/* The helper's share: names are copied, for those of the entries do not outlive the call of look. The lock is held
 * before and after. */
static void help_once(struct looker *looker, char *names) {
    struct entry own[SHARE];
    size_t first, used = 0, count = take(looker, &first);
    struct entry *const *entries = looker->entries + first;
    int directory = looker->directory;
    unsigned long turn = looker->turn;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->name) + 1;
        if (length > NAMES_ROOM - used) { /* the rest is left */
            looker->next -= count - i;
            count = i;
            break;
        }
        own[i].name = memcpy(names + used, entries[i]->name, length);
        used += length;
    }
    looker->lent = first;
    looker->lent_end = first + count;
    pthread_mutex_unlock(&looker->lock);
    for (size_t i = 0; i < count; i++)
        look_at(directory, &own[i]);
    pthread_mutex_lock(&looker->lock);
    if (looker->turn != turn || looker->lent == looker->lent_end)
        return;
    for (size_t i = 0; i < count; i++) {
        own[i].name = entries[i]->name;
        *entries[i] = own[i];
    }
    looker->lent = looker->lent_end;
}

static void *help(void *argument) {
    struct looker *looker = argument;
    char names[NAMES_ROOM];
    pthread_mutex_lock(&looker->lock);
    while (!looker->ended)
        if (looker->next == looker->count)
            pthread_cond_wait(&looker->wanted, &looker->lock);
        else
            help_once(looker, names);
    pthread_mutex_unlock(&looker->lock);
    return NULL;
}

/* Asks for the helper once; signals are not its business. */
static void ask_for_help(struct looker *looker) {
    looker->asked = true;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    looker->helped = !pthread_create(&looker->helper, NULL, help, looker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct looker *looker_new(void) {
    struct looker *looker = calloc(1, sizeof *looker);
    if (looker) {
        pthread_mutex_init(&looker->lock, NULL);
        pthread_cond_init(&looker->wanted, NULL);
    }
    return looker;
}

/* Looks at so many entries from first on, without the lock, which is held before and after. */
static void look_at_share(struct looker *looker, size_t first, size_t count) {
    pthread_mutex_unlock(&looker->lock);
    for (size_t i = first; i < first + count; i++)
        look_at(looker->directory, looker->entries[i]);
    pthread_mutex_lock(&looker->lock);
}

void look(struct looker *looker, int directory, struct entry *const *entries, size_t count) {
    if (count >= MANY && !looker->asked)
        ask_for_help(looker);
    pthread_mutex_lock(&looker->lock);
    looker->turn++;
    looker->directory = directory;
    looker->entries = entries;
    looker->next = looker->lent = looker->lent_end = 0;
    looker->count = count;
    if (looker->helped)
        pthread_cond_signal(&looker->wanted);
    size_t first, taken;
    while ((taken = take(looker, &first)))
        look_at_share(looker, first, taken);
    first = looker->lent;
    taken = looker->lent_end - first;
    looker->lent = looker->lent_end;
    look_at_share(looker, first, taken);
    pthread_mutex_unlock(&looker->lock);
}

void looker_free(struct looker *looker) {
    if (looker->helped) {
        pthread_mutex_lock(&looker->lock);
        looker->ended = true;
        pthread_cond_signal(&looker->wanted);
        pthread_mutex_unlock(&looker->lock);
        pthread_join(looker->helper, NULL);
    }
    pthread_cond_destroy(&looker->wanted);
    pthread_mutex_destroy(&looker->lock);
    free(looker);
}
