/* Small files, one after the other in each session, every one with its own EPSV. */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_PORT, WAIT_PRELIMINARY, WAIT_FINAL };

static char payload[65536];

static void start(struct session *session) {
    if (!session->serial++)
        machine_watch(session, session->control.fd, EPOLLIN);
    session->received = 0;
    session->ended = session->waited = false;
    session->stage = WAIT_PORT;
    control_send(&session->control, "EPSV\r\n", 6);
}

static void request(struct session *session, const char *reply) {
    session->data = data_call(&session->control, session->options, port_of_229(reply));
    char line[512];
    int length;
    if (session->options->verb[0] == 'S')
        length = snprintf(line, sizeof line, "STOR %s%d-%ld\r\n", session->options->path, session->index, session->serial);
    else
        length = snprintf(line, sizeof line, "RETR %s\r\n", session->options->path);
    control_send(&session->control, line, (size_t)length);
    session->stage = WAIT_PRELIMINARY;
}

static void upload(struct session *session) {
    size_t size = (size_t)session->options->size;
    if (send(session->data, payload, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail("send on the data connection: %s", strerror(errno));
    close(session->data);
    session->received = (long long)size;
    session->data = -1;
}

/* Receives what is there; true at the end of the file. */
static bool receive(struct session *session) {
    for (;;) {
        ssize_t got = recv(session->data, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return false;
        if (got < 0)
            fail("receive on the data connection: %s", strerror(errno));
        if (got == 0)
            break;
        session->received += got;
    }
    close(session->data);
    session->data = -1;
    return true;
}

static bool finish(struct session *session) {
    if (session->received != session->options->size)
        fail("%s moved %lld octets instead of %lld", session->options->verb, session->received, session->options->size);
    session->octets += session->received;
    return true;
}

static void advance(struct session *session, int code, const char *text) {
    if (session->stage == WAIT_PORT && code == 229) {
        request(session, text);
    } else if (session->stage == WAIT_PRELIMINARY && (code == 150 || code == 125)) {
        session->stage = WAIT_FINAL;
        if (session->options->verb[0] == 'S')
            upload(session);
    } else if (session->stage == WAIT_FINAL && (code == 226 || code == 250)) {
        session->ended = true;
    } else {
        fail("%s was answered: %s", session->stage == WAIT_PORT ? "EPSV" : session->options->verb, text);
    }
}

static bool step(struct session *session) {
    const char *text;
    int code;
    while (!session->ended && (code = control_poll(&session->control, &text)))
        advance(session, code, text);
    if (session->stage != WAIT_FINAL)
        return false;
    bool received = session->data < 0 || receive(session);
    if (session->ended && received)
        return finish(session);
    if (!session->waited) {
        session->waited = true;
        control_acknowledge(&session->control);
        /* The end of the data may be due before the final reply: some servers wait for the client to close. */
        if (!received)
            machine_watch(session, session->data, EPOLLRDHUP);
    }
    return false;
}

void row_small(const struct options *options) {
    if (options->size > (long long)sizeof payload)
        fail("files of this row have at most %zu octets", sizeof payload);
    memset(payload, 'x', sizeof payload);
    struct session *sessions = calloc((size_t)options->sessions, sizeof *sessions);
    for (int i = 0; i < options->sessions; i++) {
        sessions[i].options = options;
        sessions[i].index = i;
        sessions[i].data = -1;
        control_open(&sessions[i].control, options, i);
        control_login(&sessions[i].control, options);
    }
    struct result result = {0};
    machine_run(sessions, options, start, step, &result);
    report_end(&result);
    for (int i = 0; i < options->sessions; i++)
        control_close(&sessions[i].control);
}
