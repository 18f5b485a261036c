/* A control connection: commands out, whole replies in. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void control_open(struct control *control, const struct options *options, int index) {
    control->start = control->end = 0;
    control->tls = NULL;
    control->source.s_addr = htonl(ntohl(options->source.s_addr) + (uint32_t)index);
    control->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (control->fd < 0)
        fail("socket: %s", strerror(errno));
    int yes = 1;
    setsockopt(control->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(control->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = control->source};
    if (bind(control->fd, (struct sockaddr *)&source, sizeof source) < 0)
        fail("bind of a control connection: %s", strerror(errno));
    if (connect(control->fd, (const struct sockaddr *)&options->server, sizeof options->server) < 0)
        fail("connect: %s", strerror(errno));
}

void control_login(struct control *control, const struct options *options) {
    control_expect(control, 220, "the greeting");
    if (options->tls) {
        control_command(control, "AUTH TLS");
        control_expect(control, 234, "AUTH TLS");
        control->tls = tls_begin(control->fd, NULL);
    }
    control_command(control, "USER %s", options->user);
    control_expect(control, 331, "USER");
    control_command(control, "PASS %s", options->password);
    control_expect(control, 230, "PASS");
    if (options->tls) {
        control_command(control, "PBSZ 0");
        control_expect(control, 200, "PBSZ");
        control_command(control, "PROT P");
        control_expect(control, 200, "PROT");
    }
    control_command(control, "TYPE I");
    control_expect(control, 200, "TYPE I");
}

void control_close(struct control *control) {
    control_command(control, "QUIT");
    control_expect(control, 221, "QUIT");
    if (control->tls)
        tls_drop(control->tls);
    close(control->fd);
}

void control_send(struct control *control, const char *text, size_t length) {
    if (control->tls) {
        tls_send(control->tls, text, length);
        return;
    }
    while (length) {
        ssize_t sent = send(control->fd, text, length, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send on the control connection: %s", strerror(errno));
        text += sent;
        length -= (size_t)sent;
    }
}

void control_command(struct control *control, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 2, format, arguments);
    va_end(arguments);
    memcpy(line + length, "\r\n", 2);
    control_send(control, line, (size_t)length + 2);
}

/* One reply that is wholly in the buffer: its code, or 0. The last line alone counts, its text ends by NUL. */
static int take(struct control *control, const char **text) {
    size_t line = control->start;
    for (;;) {
        char *newline = memchr(control->buffer + line, '\n', control->end - line);
        if (!newline)
            return 0;
        char *c = control->buffer + line;
        bool last = newline - c >= 4 && c[0] >= '1' && c[0] <= '5' && c[1] >= '0' && c[1] <= '9' && c[2] >= '0' &&
                    c[2] <= '9' && (c[3] == ' ' || c[3] == '\r');
        line = (size_t)(newline - control->buffer) + 1;
        if (last) {
            *newline = 0;
            control->start = line;
            if (text)
                *text = c;
            return (c[0] - '0') * 100 + (c[1] - '0') * 10 + (c[2] - '0');
        }
    }
}

static int next(struct control *control, const char **text, int flags) {
    for (;;) {
        int code = control->start < control->end ? take(control, text) : 0;
        if (code)
            return code;
        if (control->start) {
            memmove(control->buffer, control->buffer + control->start, control->end - control->start);
            control->end -= control->start;
            control->start = 0;
        }
        if (control->end == sizeof control->buffer)
            fail("a reply longer than %zu octets", sizeof control->buffer);
        char *into = control->buffer + control->end;
        size_t room = sizeof control->buffer - control->end;
        ssize_t got = control->tls ? (ssize_t)tls_receive(control->tls, into, room) : recv(control->fd, into, room, flags);
        if (got == 0)
            fail("the server closed the control connection");
        if (got < 0) {
            if (errno == EAGAIN)
                return 0;
            fail("receive on the control connection: %s", strerror(errno));
        }
        control->end += (size_t)got;
    }
}

int control_poll(struct control *control, const char **text) {
    return next(control, text, MSG_DONTWAIT);
}

int control_reply(struct control *control, const char **text) {
    return next(control, text, 0);
}

void control_expect(struct control *control, int code, const char *what) {
    const char *text;
    int got = control_reply(control, &text);
    if (got != code)
        fail("%s was answered: %s", what, text);
}

/* Acknowledges a preliminary reply at once. A server that leaves Nagle's algorithm on sends no 226 before, and the kernel
 * would wait 40 ms for something to send along. */
void control_acknowledge(struct control *control) {
    int yes = 1;
    setsockopt(control->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
}

int port_of_229(const char *text) {
    const char *open = strchr(text, '(');
    if (!open || !open[1] || open[1] != open[2] || open[2] != open[3])
        fail("EPSV was answered: %s", text);
    return atoi(open + 4);
}
