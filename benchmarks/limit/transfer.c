/* Files over the data connection: sendfile out, splice in; a small one within the turn of its command. */
#define _GNU_SOURCE
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_SIZE (1 << 20)
#define SMALL 65536

static char buffer[SMALL];

void transfer_drop(struct session *session) {
    listing_close(session);
    if (session->file >= 0)
        close(session->file);
    if (session->data.fd >= 0)
        close(session->data.fd);
    free(session->path);
    session->path = NULL;
    session->file = session->data.fd = -1;
    session->work = NOTHING;
    session->watched = false;
}

void transfer_done(struct session *session) {
    if (durable && session->work == STORE) {
        fsync(session->file);
        char *slash = strrchr(session->path, '/');
        if (slash)
            *slash = 0;
        int directory = open(slash ? session->path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fsync(directory);
        close(directory);
    }
    transfer_drop(session);
    SAY(session, "226 Done");
    session_flush(session);
}

static void refuse(struct session *session) {
    transfer_drop(session);
    SAY(session, "550 No");
    session_flush(session);
}

void transfer_watch(struct session *session, unsigned events) {
    if (session->watched)
        return;
    session_flush(session); /* the 150: the transfer takes longer than this turn */
    struct epoll_event event = {.events = events, .data.ptr = &session->data};
    epoll_ctl(epoll, EPOLL_CTL_ADD, session->data.fd, &event);
    session->watched = true;
}

static void retrieve(struct session *session) {
    while (session->offset < session->size) {
        size_t left = (size_t)(session->size - session->offset);
        ssize_t sent = sendfile(session->data.fd, session->file, &session->offset, left < 4 << 20 ? left : 4 << 20);
        if (sent < 0 && errno == EAGAIN) {
            transfer_watch(session, EPOLLOUT);
            return;
        }
        if (sent <= 0)
            break;
    }
    transfer_done(session);
}

/* Splices once; what splice answered, 0 at the end. */
static ssize_t splice_in(struct session *session) {
    if (session->pipe[0] < 0) {
        if (pipe2(session->pipe, O_CLOEXEC) < 0)
            return 0;
        fcntl(session->pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
    }
    ssize_t got = splice(session->data.fd, NULL, session->pipe[1], NULL, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    for (ssize_t left = got; left > 0;) {
        ssize_t moved = splice(session->pipe[0], NULL, session->file, NULL, (size_t)left, SPLICE_F_MOVE);
        if (moved <= 0)
            return 0;
        left -= moved;
    }
    return got;
}

static void store(struct session *session) {
    for (;;) {
        ssize_t got;
        /* The first octets by a buffer: for a small file that is all, and cheaper than a pipe. */
        if (session->offset < SMALL) {
            got = recv(session->data.fd, buffer, sizeof buffer, 0);
            if (got > 0 && write(session->file, buffer, (size_t)got) != got)
                got = 0;
        } else {
            got = splice_in(session);
        }
        if (got < 0 && errno == EAGAIN) {
            transfer_watch(session, EPOLLIN);
            return;
        }
        if (got <= 0)
            break;
        session->offset += got;
    }
    transfer_done(session);
}

void transfer_begin(struct session *session) {
    session->offset = 0;
    if (session->work == RETRIEVE) {
        struct stat status;
        session->file = open(session->path, O_RDONLY | O_CLOEXEC);
        if (session->file < 0 || fstat(session->file, &status) < 0) {
            refuse(session);
            return;
        }
        session->size = status.st_size;
    } else if (session->work == STORE) {
        session->file = open(session->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (session->file < 0) {
            refuse(session);
            return;
        }
    } else if (!listing_open(session)) {
        refuse(session);
        return;
    }
    SAY(session, "150 Go");
    if (session->work != RETRIEVE)
        session_flush(session); /* the client waits for it before it sends; a listing may take long */
    transfer_continue(session);
}

void transfer_continue(struct session *session) {
    if (session->work == RETRIEVE)
        retrieve(session);
    else if (session->work == STORE)
        store(session);
    else
        listing_send(session);
}
