/* A passive data port of the server, and small files through it: each step of a transfer is one call from Python. */
#define _GNU_SOURCE
#include "accelerator.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What came of a call; server/dtp.py has the same numbers. Errors are negative, as the kernel returns them. */
enum { DONE, NOBODY, STRANGER, PARTLY, FAULT };

/* The connection and how many octets moved, where the caller goes on with them, and the error of a FAULT. */
struct delivery {
    size_t moved;
    int connection;
    int error;
};

EXPORTED int fairlead_listen(const void *address, unsigned length, int backlog);
EXPORTED int fairlead_deliver(int listener, const void *peer, unsigned peer_length, const void *octets, unsigned size,
                              struct delivery *delivery);
EXPORTED int fairlead_receive(int connection, int file, unsigned limit, struct delivery *delivery);
EXPORTED int fairlead_collect(int listener, const void *peer, unsigned peer_length, int file, unsigned limit,
                              struct delivery *delivery);

static int failed(int descriptor) {
    int number = errno;
    close(descriptor);
    return -number;
}

/* A socket that listens at address and does not block: its descriptor. */
int fairlead_listen(const void *address, unsigned length, int backlog) {
    const struct sockaddr *at = address;
    int yes = 1;
    int listener = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -errno;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
        return failed(listener);
    if (at->sa_family == AF_INET6 && setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) < 0)
        return failed(listener);
    if (bind(listener, at, length) < 0 || listen(listener, backlog) < 0)
        return failed(listener);
    return listener;
}

static bool is_peer(const struct sockaddr_storage *caller, const void *peer, unsigned peer_length) {
    const void *octets = &((const struct sockaddr_in *)caller)->sin_addr;
    if (caller->ss_family == AF_INET6)
        octets = &((const struct sockaddr_in6 *)caller)->sin6_addr;
    return peer_length == (caller->ss_family == AF_INET6 ? 16 : 4) && !memcmp(octets, peer, peer_length);
}

enum { PIECES = 64 }; /* server/dtp.py says why */

/* Reads away what a receiver sent against the rules, or closing would reset the connection. */
static int discard_incoming(int connection) {
    static char nowhere[4096];
    for (int piece = 0; piece < PIECES; piece++) {
        ssize_t got = recv(connection, nowhere, sizeof nowhere, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno == EAGAIN))
            return 0;
        if (got < 0)
            return -1;
    }
    return 0;
}

/* Takes the call that waits: DONE where it is the peer's, else NOBODY (has called, or is there still) or a STRANGER. */
static int take(int listener, const void *peer, unsigned peer_length, struct delivery *delivery) {
    struct sockaddr_storage caller;
    socklen_t length = sizeof caller;
    delivery->moved = 0;
    delivery->connection = accept4(listener, (struct sockaddr *)&caller, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (delivery->connection < 0)
        return NOBODY;
    return is_peer(&caller, peer, peer_length) ? DONE : STRANGER;
}

/* Takes the peer's call, sends all octets to it and closes.
 *
 * A STRANGER's connection, and that which took the octets PARTLY, is handed to the caller.
 */
int fairlead_deliver(int listener, const void *peer, unsigned peer_length, const void *octets, unsigned size,
                     struct delivery *delivery) {
    int outcome = take(listener, peer, peer_length, delivery);
    if (outcome != DONE)
        return outcome;
    ssize_t sent = send(delivery->connection, octets, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return failed(delivery->connection);
    delivery->moved = sent < 0 ? 0 : (size_t)sent;
    if (delivery->moved < size)
        return PARTLY;
    if (discard_incoming(delivery->connection) < 0)
        return failed(delivery->connection);
    close(delivery->connection);
    return DONE;
}

/* All of it to where the file stands; errno says what was wrong. */
static bool write_all(int file, const char *octets, size_t size) {
    while (size) {
        ssize_t written = write(file, octets, size);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            octets += written;
            size -= (size_t)written;
        }
    }
    return true;
}

/* Writes what has come over the connection to the file, up to its end, which makes it DONE.
 *
 * PARTLY: more is to come, or the limit is reached. FAULT: the file could not be written. The connection stays open.
 */
int fairlead_receive(int connection, int file, unsigned limit, struct delivery *delivery) {
    char octets[1 << 16];
    delivery->connection = connection;
    delivery->moved = 0;
    while (delivery->moved < limit) {
        ssize_t got = recv(connection, octets, sizeof octets, MSG_DONTWAIT);
        if (got < 0)
            return errno == EAGAIN ? PARTLY : -errno;
        if (got == 0)
            return DONE;
        delivery->moved += (size_t)got;
        if (!write_all(file, octets, (size_t)got)) {
            delivery->error = errno;
            return FAULT;
        }
    }
    return PARTLY;
}

/* Takes the peer's call and receives over it; the connection is always handed to the caller, but where it broke. */
int fairlead_collect(int listener, const void *peer, unsigned peer_length, int file, unsigned limit,
                     struct delivery *delivery) {
    int outcome = take(listener, peer, peer_length, delivery);
    if (outcome == DONE)
        outcome = fairlead_receive(delivery->connection, file, limit, delivery);
    if (outcome < 0)
        close(delivery->connection);
    return outcome;
}
