/* The beginning of an upload of a new file, or in place of one of our own: the usual kinds, by one call.
 *
 * What is unusual (a link, a file of others to replace, a partial left from before or in use, an error) is refused here,
 * and Python does it from the start: begin.py and partial.py say what must hold, and why.
 */
#define _GNU_SOURCE
#include "accelerator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

EXPORTED int fairlead_begin(int directory, const char *name, const char *partial, unsigned mode, uint64_t *device);

/* Whether the open file is new, ours alone, still what the name leads to, and of the owner and group of the replaced. */
static bool claimed(int directory, const char *partial, int file, unsigned mode, const struct stat *replaced,
                    uint64_t *device) {
    struct stat status, named;
    if (flock(file, LOCK_EX | LOCK_NB) < 0 || fstat(file, &status) < 0)
        return false;
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1 || status.st_size)
        return false;
    if (fstatat(directory, partial, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (named.st_ino != status.st_ino || named.st_dev != status.st_dev)
        return false;
    if (replaced && (replaced->st_uid != status.st_uid || replaced->st_gid != status.st_gid))
        return false;
    *device = status.st_dev;
    return (status.st_mode & 0777) == mode || fchmod(file, mode) == 0;
}

/* Whether a file may be replaced without a further look. */
static bool replaceable(const struct stat *status) {
    uid_t user = geteuid();
    return S_ISREG(status->st_mode) && status->st_uid == user && (user == 0 || status->st_mode & S_IWUSR);
}

/* The locked, empty partial of an upload to a name that nothing bears, or a file that may be replaced: its descriptor,
 * or -1. Permission bits are mode, or those of the file that is replaced. */
int fairlead_begin(int directory, const char *name, const char *partial, unsigned mode, uint64_t *device) {
    struct stat status;
    const struct stat *replaced = NULL;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!replaceable(&status))
            return -1;
        replaced = &status;
        mode = status.st_mode & 0777;
    } else if (errno != ENOENT) {
        return -1;
    }
    int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int file = openat(directory, partial, flags, mode);
    if (file >= 0 && !claimed(directory, partial, file, mode, replaced, device)) {
        close(file);
        return -1;
    }
    return file;
}
