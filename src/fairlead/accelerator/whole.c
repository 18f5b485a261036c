/* All octets of a small file at once, beneath a directory and never waiting for a disk. */
#define _GNU_SOURCE
#include "accelerator.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12 */
#endif

EXPORTED int fairlead_whole(int root, const char *path, int flags, void *octets, int limit);

static bool in_memory(int file) {
    struct statfs system;
    if (fstatfs(file, &system) < 0)
        return false;
    return system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC;
}

static int read_whole(int file, void *octets, int limit) {
    struct stat status;
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > limit)
        return -1;
    struct iovec into = {octets, (size_t)limit};
    ssize_t got = preadv2(file, &into, 1, 0, RWF_NOWAIT);
    if (got < 0 && errno == EOPNOTSUPP && in_memory(file))
        got = pread(file, octets, (size_t)limit, 0);
    return got == status.st_size ? (int)got : -1;
}

/* Opens what the kernel finds without asking a disk or a network for a name; before Linux 5.12, what it finds. */
static int find(int root, const char *path, int flags) {
    static _Atomic uint64_t cached = RESOLVE_CACHED;
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | cached};
    int file = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (file >= 0 || errno != EINVAL || !cached)
        return file;
    cached = 0;
    how.resolve &= ~(uint64_t)RESOLVE_CACHED;
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* The octets of a regular file that has no more than limit of them; how many, or -1 where they cannot be had so. */
int fairlead_whole(int root, const char *path, int flags, void *octets, int limit) {
    int file = find(root, path, flags);
    if (file < 0)
        return -1;
    int got = read_whole(file, octets, limit);
    close(file);
    return got;
}
