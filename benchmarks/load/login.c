/* Logins: connect, greeting, USER, PASS, QUIT, again and again in each session. */
#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GREETING, USER, PASS, QUIT, STAGES };

static const int answers[STAGES] = {220, 331, 230, 221};
static const char *const names[STAGES] = {"the connection", "USER", "PASS", "QUIT"};
static char lines[STAGES][256]; /* what is sent when the stage's answer has come */

static void start(struct session *session) {
    struct control *control = &session->control;
    const struct options *options = session->options;
    control->start = control->end = 0;
    control->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (control->fd < 0)
        fail("socket: %s", strerror(errno));
    int yes = 1;
    setsockopt(control->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(control->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = control->source};
    if (bind(control->fd, (struct sockaddr *)&source, sizeof source) < 0)
        fail("bind of a control connection: %s", strerror(errno));
    if (connect(control->fd, (const struct sockaddr *)&options->server, sizeof options->server) < 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    session->stage = GREETING;
    machine_watch(session, control->fd, EPOLLIN);
}

static bool step(struct session *session) {
    const char *text;
    int code;
    while ((code = control_poll(&session->control, &text))) {
        if (code != answers[session->stage])
            fail("%s was answered: %s", names[session->stage], text);
        if (session->stage == QUIT) {
            close(session->control.fd);
            return true;
        }
        const char *line = lines[session->stage++];
        control_send(&session->control, line, strlen(line));
    }
    return false;
}

void row_login(const struct options *options) {
    snprintf(lines[GREETING], sizeof lines[0], "USER %s\r\n", options->user);
    snprintf(lines[USER], sizeof lines[0], "PASS %s\r\n", options->password);
    snprintf(lines[PASS], sizeof lines[0], "QUIT\r\n");
    struct session *sessions = calloc((size_t)options->sessions, sizeof *sessions);
    for (int i = 0; i < options->sessions; i++) {
        sessions[i].options = options;
        sessions[i].index = i;
        sessions[i].control.source.s_addr = htonl(ntohl(options->source.s_addr) + (uint32_t)i);
    }
    struct result result = {0};
    machine_run(sessions, options, start, step, &result);
    report_end(&result);
}
