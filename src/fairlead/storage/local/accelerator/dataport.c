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
enum { DONE, NOBODY, STRANGER, PARTLY };

EXPORTED int fairlead_listen(const void *address, unsigned length, int backlog);
EXPORTED int fairlead_deliver(int listener, const void *peer, size_t peer_length, const void *octets, size_t size,
                              int *connection, size_t *sent);

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

static bool is_peer(const struct sockaddr_storage *caller, const void *peer, size_t peer_length) {
    const void *octets = &((const struct sockaddr_in *)caller)->sin_addr;
    if (caller->ss_family == AF_INET6)
        octets = &((const struct sockaddr_in6 *)caller)->sin6_addr;
    return peer_length == (caller->ss_family == AF_INET6 ? 16 : 4) && !memcmp(octets, peer, peer_length);
}

/* Reads away what a receiver sent against the rules, or closing would reset the connection. */
static int discard_incoming(int connection) {
    static char nowhere[4096];
    for (;;) {
        ssize_t got = recv(connection, nowhere, sizeof nowhere, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno == EAGAIN))
            return 0;
        if (got < 0)
            return -1;
    }
}

/* Takes the call that waits at listener, sends all octets to it and closes; only one from peer is served.
 *
 * NOBODY has called, or the call was lost again. A STRANGER's connection, and that which took the octets PARTLY (so
 * many were sent), is handed to the caller. Else it is closed.
 */
int fairlead_deliver(int listener, const void *peer, size_t peer_length, const void *octets, size_t size,
                     int *connection, size_t *sent) {
    struct sockaddr_storage caller;
    socklen_t length = sizeof caller;
    *sent = 0;
    *connection = accept4(listener, (struct sockaddr *)&caller, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (*connection < 0)
        return NOBODY;
    if (!is_peer(&caller, peer, peer_length))
        return STRANGER;
    ssize_t done = send(*connection, octets, size, MSG_NOSIGNAL);
    if (done < 0 && errno != EAGAIN)
        return failed(*connection);
    *sent = done < 0 ? 0 : (size_t)done;
    if (*sent < size)
        return PARTLY;
    if (discard_incoming(*connection) < 0)
        return failed(*connection);
    close(*connection);
    return DONE;
}
